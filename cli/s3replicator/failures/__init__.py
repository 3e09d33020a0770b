"""`s3replicator failures`: list and redrive what failed for good."""
