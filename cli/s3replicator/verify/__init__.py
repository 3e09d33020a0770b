"""Does each destination have what the rules promise? `s3replicator verify`.

`verification.py` runs a survey of all keys, and stores how far it has come; `mending.py` has what differs mended by the
stack, and looks again. What differs is decided where it is decided what is copied.

Needs cloudformation:DescribeStacks; s3:GetObject, s3:PutObject and s3:ListBucket on the control bucket;
dynamodb:GetItem on the journal; sqs:GetQueueAttributes on the stack's queues, and sqs:SendMessage for a repair;
s3:ListBucket, s3:ListBucketVersions, s3:GetObject, s3:GetObjectVersion, s3:GetObjectTagging, s3:GetObjectVersionTagging
and s3:GetBucketOwnershipControls on all its buckets; s3:GetBucketNotification on them; s3:GetBucketVersioning and
s3:GetBucketObjectLockConfiguration on the destinations; s3:GetObjectAcl, s3:GetObjectVersionAcl, s3:GetObjectRetention,
s3:GetObjectLegalHold, s3:ListObjectAnnotations, s3:ListObjectVersionAnnotations, s3:GetObjectAnnotation and
s3:GetObjectVersionAnnotation on all; kms:Decrypt on their keys; sts:AssumeRole on roles of destinations; s3:GetObject
on inventory reports. With Athena
athena:StartQueryExecution, athena:GetQueryExecution, athena:GetQueryResults and athena:StopQueryExecution on its
workgroup; glue:GetDatabase, glue:GetTable, glue:GetTables and glue:GetPartitions on the catalog; s3:GetBucketLocation
on the bucket of its results.
`permissions.py` says when.
"""
