"""What MonitorFunction does every minute.

Start with monitor.py: it counts what waits and reports what missed its threshold. given_up.py explains messages that
SQS moved to the dead-letter queue, stale_uploads.py aborts multipart uploads that nothing needs any more.
"""
