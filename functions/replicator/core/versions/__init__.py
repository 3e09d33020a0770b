"""Versions, their origins, and the changes that events report.

change.py is one change as a value: start there. events.py reads it from a message, version.py holds what S3 returns
about versions, and origin.py is the mark by which a replica names its native version.
"""
