"""Replication rules: S3's documents read into values, and which of them an object falls under."""
