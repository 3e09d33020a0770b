"""`s3replicator status`: where a stack, a bucket or an object stands."""
