"""Tests of the handlers: every example event in `events/` through the real handler, with in-memory buckets behind it.

Belongs here: the shape of what Lambda passes in and gets back. The same cases run on the emulator
(`tests/emulator/test_golden_events.py`) and, a few of them, in containers (`tests/sam`). Never a network.
"""
