"""Why is an object replicated, or why not? `s3replicator explain`.

`explanation.py` reads what a function would read, and asks the same decision for what would be done now.
`later_changes.py` shows what may change after the write, on each side.

Needs cloudformation:DescribeStacks; s3:GetObject and s3:ListBucket on the control bucket; dynamodb:GetItem on the
journal; s3:ListBucket, s3:ListBucketVersions, s3:GetObject, s3:GetObjectVersion, s3:GetObjectTagging,
s3:GetObjectVersionTagging and s3:GetBucketOwnershipControls on all its buckets; s3:GetBucketVersioning,
s3:GetBucketObjectLockConfiguration and s3:GetBucketNotification on the destinations; s3:GetObjectAcl,
s3:GetObjectVersionAcl, s3:GetObjectRetention, s3:GetObjectLegalHold, s3:ListObjectAnnotations,
s3:ListObjectVersionAnnotations, s3:GetObjectAnnotation and s3:GetObjectVersionAnnotation on all; kms:Decrypt on their
keys; sts:AssumeRole on roles of destinations.
`permissions.py` says when.
"""
