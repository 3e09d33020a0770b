"""Replicate what was there before the rules, what failed, and what a new destination lacks: `s3replicator resync`.

`arguments.py` reads filters, `choosing.py` says which engine brings the versions over. `queue_engine.py` drives the
one: `selecting.py` applies the filters to what a survey of both sides leaves in doubt, `sending.py` hands that to the
functions. `batch_engine.py` drives the other, S3 Batch Operations, with one of `manifests.py`. `dry_run.py` and
`prices.py` say before what it takes.

Needs cloudformation:DescribeStacks; cloudwatch:GetMetricData; s3:GetObject, s3:ListBucket and s3:PutObject on the
control bucket; s3:ListBucket and s3:ListBucketVersions on the source and the destinations; sqs:SendMessage and
sqs:GetQueueAttributes on the backfill queue, and the latter on the part queue; dynamodb:GetItem and dynamodb:Query on
the journal. For versions that listings do not prove to be delivered, on both sides s3:GetObject, s3:GetObjectVersion,
s3:GetObjectTagging, s3:GetObjectVersionTagging, s3:GetObjectAcl, s3:GetObjectVersionAcl, kms:Decrypt,
s3:GetBucketOwnershipControls, and on destinations s3:GetBucketVersioning, s3:GetBucketObjectLockConfiguration and
s3:GetBucketNotification. For jobs of S3 Batch Operations s3:CreateJob, s3:DescribeJob and s3:UpdateJobStatus, and
iam:PassRole on BatchJobsRole. sts:AssumeRole on roles of destinations.
"""
