"""Replication rules: S3's `ReplicationConfiguration` documents, and which of their rules an object falls under.

rule.py is one rule as a value, matching.py finds the rules for a key: start there. Reading a document is document.py,
which uses reader.py and destination_reader.py for a single rule, conflicts.py for all rules together, and
document_node.py for the JSON.
"""
