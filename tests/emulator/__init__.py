"""Tests of the emulator, and of the whole product on it: real template, real handlers, real command, no AWS.

Belongs here: what the emulator does as S3, SQS, Lambda and CloudFormation do (`test_s3_*`, `test_poller`, `test_deploy`
and others), and what only shows end to end, such as every kind of object, faults, kills and the operator's commands.
May use: an emulator per module, started in the test's process. What a fake can show belongs in `tests/flows`.
"""
