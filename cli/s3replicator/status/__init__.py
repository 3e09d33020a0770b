"""What is pending, late or failed now? `s3replicator status`, for a stack, a source bucket or an object.

`stack_status.py` reads the journal's index and the queues; `object_reader.py` reads one key in the journal and in all
its buckets, `upload_progress.py` how far the copy of a large version has come; `proofs.py` reads what is on record of
verifications.

Needs cloudformation:DescribeStacks; dynamodb:Query on the journal's index; sqs:GetQueueAttributes on the queues;
s3:GetObject and s3:ListBucket on the control bucket. For an object also dynamodb:GetItem on the journal; s3:ListBucket,
s3:ListBucketVersions, s3:GetObject, s3:GetObjectVersion, s3:GetObjectTagging, s3:GetObjectVersionTagging and
s3:ListMultipartUploadParts on its buckets; kms:Decrypt on their keys. `permissions.py` says when.
"""
