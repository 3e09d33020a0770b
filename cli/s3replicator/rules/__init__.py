"""What is to be replicated, and can it be? `s3replicator rules put|get|check|delete`.

`stack_rules.py` does what the commands say; `inspection.py` and `bucket_checks.py` find what is wrong with buckets and
keys; `bucket_notifications.py` merges the event notification; `bucket_settings.py` is the adapter to AWS.

Needs cloudformation:DescribeStacks on the stack; s3:GetObject, s3:ListBucket, s3:PutObject and s3:DeleteObject on the
control bucket; s3:ListBucket, s3:GetBucketLocation, s3:GetBucketVersioning, s3:GetBucketObjectLockConfiguration,
s3:GetBucketOwnershipControls, s3:GetEncryptionConfiguration and s3:GetReplicationConfiguration on the buckets, with
s3:GetBucketNotification and s3:PutBucketNotification on sources and s3:GetLifecycleConfiguration on destinations;
kms:DescribeKey; sqs:GetQueueAttributes. `permissions.py` says what each command needs.
"""
