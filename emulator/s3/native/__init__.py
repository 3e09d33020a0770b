"""S3's own replication: the configuration of a bucket, and what is done about new versions and delete markers.

configuration.py stores and validates the rules, selection.py decides which of them select an entry, replicas.py makes
a replica, and replicating.py runs it in the background after each write.
"""
