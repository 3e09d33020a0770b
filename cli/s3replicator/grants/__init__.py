"""What must other accounts put in place, and is it there? `s3replicator grants`, and a part of `rules check`.

`needs.py` has one row for each statement, and when it is needed; `facts.py` what that depends on; `plan.py` which
statements go where, as values of `grant.py`; `documents.py`, `events.py` and `cloudformation.py` what is printed.
`policy.py`, `conditions.py` and `patterns.py` judge what a policy says. `reading.py` and `gathering.py` are the
adapters to AWS. For every command that asks about other accounts; it knows none of them.

Needs cloudformation:DescribeStacks on the stack; s3:GetObject and s3:ListBucket on the control bucket; and, so that no
statement is printed that is not needed, s3:ListBucket, s3:GetBucketOwnershipControls,
s3:GetBucketObjectLockConfiguration, s3:GetEncryptionConfiguration and s3:GetBucketPolicy on the buckets.
"""
