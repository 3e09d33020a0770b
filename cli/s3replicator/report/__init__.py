"""How long did replication take, and was it within its threshold? `s3replicator report`.

`time_span.py` and `figures.py` are the values; `cloudwatch_metrics.py` reads them; `html_page.py` and `charts.py` write
the page.

Needs cloudformation:DescribeStacks; s3:ListBucket and s3:GetObject on the control bucket; cloudwatch:ListMetrics and
cloudwatch:GetMetricData.
"""
