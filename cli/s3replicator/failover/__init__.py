"""May I fail over now, and what would be lost? `s3replicator failover check`.

`regional_figures.py` reads what the monitor has published in the destination's Region; `answer.py` decides what it
means; `lost_keys.py` reads the journal, if the source's Region answers; `check.py` asks all three for each direction.

Needs s3:ListBucket on the destination buckets; cloudwatch:GetMetricData. For the keys that would be lost also
cloudformation:DescribeStacks and dynamodb:Query on the journal's index. `permissions.py` says when.
"""
