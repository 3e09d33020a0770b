"""RestoreObject: a temporary copy of an archived object, with an event at its start and one at its completion.

`Limits.restore_seconds` says how long a restore takes; by default, no time.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from moto.s3.utils import ARCHIVE_STORAGE_CLASSES

from emulator.calls.answers import Answer, S3Error
from emulator.s3 import event_records
from emulator.s3.histories import lock
from emulator.s3.requests import Request
from emulator.s3.versions import Restore
from emulator.state import active


def restore_object(request: Request) -> Answer:
    """RestoreObject: 202 for a new restore, 200 to extend a restored copy, 409 while a restore is in progress."""
    bucket, days = request.bucket, int(request.xml("RestoreRequest").get("Days") or 1)
    takes = active().limits.restore_seconds
    with lock(bucket):
        version = request.get_version()
        if version.storage_class not in ARCHIVE_STORAGE_CLASSES:
            message = "Restore is not allowed for the object's current storage class"
            raise S3Error(403, "InvalidObjectState", message, StorageClass=version.storage_class)
        before = version.restored
        if before and before.ready > datetime.now(UTC):
            raise S3Error(409, "RestoreAlreadyInProgress", "Object restore is already in progress")
        again = before is not None and before.is_ready()
        ready = datetime.now(UTC) + timedelta(seconds=0 if again else takes)
        version.restored = Restore(ready, ready + timedelta(days=days + 1))
    if again:
        return Answer(200, {})
    event_records.announce("ObjectRestore:Post", bucket, version)
    data = event_records.restored(ready, days, version.storage_class or "")
    timer = threading.Timer(takes, event_records.announce, ("ObjectRestore:Completed", bucket, version, data))
    timer.daemon = True
    timer.run() if takes == 0 else timer.start()
    return Answer(202, {})
