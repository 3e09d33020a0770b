"""Versions that are copied in parts.

Start with writing.py: it finds or starts the upload, and copies the missing parts or sends them to the part queue.
parts.py says which parts exist, annotations.py copies what a multipart upload does not keep, cleanup.py removes what is
left of an upload. ports.py lists what they need from AWS.
"""
