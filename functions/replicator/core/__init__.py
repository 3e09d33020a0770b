"""The pure part: values and functions. No client, clock, environment or logging.

versions/ and rules/ hold the input: events, versions, replication rules. outcomes/ holds what comes out: statuses,
reason codes, metrics, published events. parts/ cuts large objects into parts. deciding/ uses all of them; start with
deciding/decision.py. Imports point one way: deciding -> parts -> outcomes -> versions, rules.
"""
