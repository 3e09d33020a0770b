"""Tests of one module each: values in, values out.

Belongs here: everything in the core, the adapters' requests and answers, what the command parses and prints.
May use: plain values, hypothesis, botocore's own models and stubs. Never a network: an opened socket fails the test.
"""
