"""Adapters: one port each. Only this package knows boto3, its argument names and its error codes."""
