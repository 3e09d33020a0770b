"""S3 Replicator: what is shipped to Lambda, and what the operator's command shares with it."""

__version__ = "0.1.0"
