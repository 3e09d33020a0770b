"""The ports in memory, for tests that need no AWS.

Belongs here: one module per port or group of ports, and S3 itself as a value. No tests: `tests/contract` runs the same
tests against each fake and against the emulator, so that the fakes behave as AWS does.
"""
