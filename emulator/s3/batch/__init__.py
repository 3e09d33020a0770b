"""S3 Batch Operations: jobs that invoke a Lambda function for each line of a manifest.

operations.py answers the API, jobs.py holds jobs and their states, running.py runs them in the background, manifests.py
reads what they work on, reports.py writes what came of it, and permissions.py says what their role may do.
"""
