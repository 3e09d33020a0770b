"""Tests of template.yaml as CloudFormation would see it: transformed, with its parameters filled in.

Belongs here: queues that fit their functions, what each role may do and nothing more, alarms on metrics that exist,
outputs, parameters and what is built. May use: the SAM transform; `test_requests_are_allowed.py` also an emulator.
"""
