"""What does it look like? `make demo`: S3 Replicator at work between two emulated Regions, in about a minute.

Everything it shows happens. The real template is deployed, the real handlers run, and the tables are read from the
buckets, the journal, the dead-letter queue and the functions' own log. Nothing is recorded. It needs no IAM actions: it
calls the emulator only.
"""
