"""One change, from its message to its end.

consume.py takes a batch of messages, which_key.py finds the key if its encoding is in doubt, replicate.py finds the
destinations of the change, synchronise.py brings one destination up to date with the facts that reading.py reads.
redelivery.py asks what earlier deliveries did. conclude.py ends every attempt: record.py writes the result down,
status_tag.py tags the source version.
"""
