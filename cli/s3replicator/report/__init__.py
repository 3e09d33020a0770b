"""`s3replicator report`: what replication came to in a span of time."""
