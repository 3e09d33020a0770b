"""Tests of reading: mutated events, messages of parts, batch invocations, rule documents and HEAD answers.

Belongs here: whatever comes from outside, changed at random, must neither crash what reads it, nor be lost, nor come
back for ever. May use: the example events, `tests/fakes`, the stages of the flows, hypothesis. Never a network.
"""
