"""What the functions do: read facts through ports, ask the core what to do, and do it.

One module per flow; the first line of its docstring lists the steps. change/ replicates one change and belongs to
ReplicateFunction: start with change/consume.py. copy_parts.py, batch.py and watch/ are the other three functions.
large/ writes what one request cannot copy. ports.py lists what all of them need from AWS.
"""
