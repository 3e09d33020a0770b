"""S3 Batch Operations: jobs that invoke a Lambda function for each line of a manifest.

operations.py answers the API (requests.py refuses, descriptions.py describes), jobs.py holds jobs and their states,
running.py takes one from state to state, agenda.py performs its tasks (invocations.py one of them), manifests.py,
inventories.py, generating.py and filters.py say what it works on, reports.py what came of it, and permissions.py what
its role may do.
"""
