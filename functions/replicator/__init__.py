"""S3 Replicator: the code that runs on Lambda. The operator's command imports it, never the other way round.

handlers (replicate, copy_parts, monitor, batch: one each, beside this package) -> runtime -> aws, flows -> core

core/ decides: values, rules and pure functions. flows/ reads facts through ports, asks the core what to do, and does
it. aws/ implements the ports with boto3. runtime.py reads the environment and connects the three, once per container.
A handler turns a Lambda event into values and calls one flow. Start with core/deciding/decision.py.
"""

__version__ = "0.1.0"
