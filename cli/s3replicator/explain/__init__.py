"""`s3replicator explain`: why an object is, is not or would be replicated."""
