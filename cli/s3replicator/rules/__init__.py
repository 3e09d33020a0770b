"""What is to be replicated, and can it be? `s3replicator rules put|get|list|check|delete|import|export`.

`stack_rules.py` does what the commands say; `coverage.py` records what destinations had before; `inspection.py` and
`bucket_checks.py` find what is wrong with buckets and keys; `peers.py` finds stacks in the other direction, whose
echoes `event_filter.py` adds to the filter of the mapping; `both_ways.py` keeps the records by which changes at
replicas are forwarded, and `modifications.py` says whether both directions agree; `bucket_settings.py` and
`mappings.py` are the adapters to AWS. `rule_files.py`, `many.py` and `bulk.py` are for many buckets at once;
`overview.py` and `overview_reader.py` count rules by kind; `taking_over.py` takes rules over from S3 Replication, and
`native.py` knows what differs. What policies of other accounts lack is found by `s3replicator.grants`.

Needs cloudformation:DescribeStacks on the stack and its peers; s3:GetObject, s3:ListBucket, s3:PutObject and
s3:DeleteObject on the control bucket, the first three also on those of peers; s3:ListBucket, s3:GetBucketLocation,
s3:GetBucketVersioning, s3:GetBucketObjectLockConfiguration, s3:GetBucketOwnershipControls,
s3:GetEncryptionConfiguration, s3:GetReplicationConfiguration and s3:GetBucketNotification on the buckets, with
s3:GetBucketPolicy if another account is concerned, s3:PutBucketNotification and s3:ListBucketVersions on sources and
s3:GetLifecycleConfiguration on destinations; kms:DescribeKey; with --account-profile, kms:GetKeyPolicy, and
iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy, iam:ListAttachedRolePolicies, iam:GetPolicy, iam:GetPolicyVersion;
s3:ListAllMyBuckets for patterns; s3:PutReplicationConfiguration and iam:PassRole to import rules;
sqs:GetQueueAttributes, sqs:GetQueueUrl and sqs:ListQueueTags; lambda:ListEventSourceMappings and
lambda:UpdateEventSourceMapping; sts:AssumeRole on roles of destinations. `permissions.py` says what each command needs.
"""
