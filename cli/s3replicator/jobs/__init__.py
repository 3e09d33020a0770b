"""What was asked for about existing objects, and what came of it? `s3replicator jobs list|show|cancel|report`.

`job.py` is the document of a job, `job_store.py` keeps it in the control bucket; `driving.py` holds its lease while it
is worked on; `backfill_queue.py` sends changes, `batch_operations.py` speaks to S3 Batch Operations; `waiting.py` and
`delivery.py` find out what was delivered, and `completion_report.py` writes that down. Commands that start jobs share
all of this.

Needs cloudformation:DescribeStacks; s3:GetObject on the control bucket. `list` also needs s3:ListBucket there, `cancel`
s3:PutObject, and s3:DescribeJob and s3:UpdateJobStatus for a job of S3 Batch Operations.
"""
