"""Adapters: they implement the ports of the flows with boto3. Only this package knows boto3 and AWS's error codes.

Start with asking.py, through which every request goes, and errors.py, the table of error codes. S3: buckets.py makes
the adapters of single buckets: objects.py (reading), writing.py, large_objects.py and uploads.py (copies in parts).
DynamoDB: table.py has the items, keys and conditions; journal.py, upload_journal.py and journal_index.py use it.
"""
