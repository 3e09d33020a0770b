"""One change, from its message to its end.

consume.py takes a batch of messages, replicate.py finds the destinations of a change, synchronise.py brings one
destination up to date with the facts that reading.py reads. redelivery.py asks what earlier deliveries did. conclude.py
ends every attempt: record.py writes the result down, status_tag.py tags the source version.
"""
