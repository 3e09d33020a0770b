"""Tests of the flows: a change from its delivery to the end, with every port played by a fake.

Belongs here: what happens in which order, what a failure or a crash at any call leaves behind, what is counted and
published. May use: `tests/fakes` and a stage that connects them to the product's own flow. Never a network.
"""
