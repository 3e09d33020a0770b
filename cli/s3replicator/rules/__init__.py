"""`s3replicator rules`: put, get, delete and check replication rules."""
