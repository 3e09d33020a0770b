"""The pure part: values, rules and the decision. No client, no clock, no environment, no logging.

versions/ and rules/ hold the input: events, versions, replication rules. outcomes/ holds what comes out: statuses,
reason codes, metrics, published events. parts/ divides large objects. deciding/ uses all of them; start with
deciding/decision.py. Imports point one way: deciding -> parts -> outcomes -> versions, rules.
"""
