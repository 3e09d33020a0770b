"""Tests of the ports, each run twice: against the fakes in memory and against the adapters on the emulator.

Belongs here: what flows and commands rely on when they call a port, such as guards, histories, events, the journal and
queues. A fake that differs from AWS fails here. May use: `tests/fakes`, one emulator per module.
"""
