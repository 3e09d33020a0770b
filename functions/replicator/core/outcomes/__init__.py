"""What an attempt can end in, and how that is counted and published.

Start with outcome.py: statuses, reason codes, temporary and permanent trouble. metrics.py lists every metric,
notices.py writes the events for EventBridge, threshold.py counts what waits by age, backoff.py says how long a message
waits, replication_status.py rolls a version's destinations up, batch.py reads and writes S3 Batch Operations' format.
"""
