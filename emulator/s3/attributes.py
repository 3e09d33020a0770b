"""An object's attributes besides its bytes, from the headers of PutObject, CopyObject and CreateMultipartUpload.

User metadata is limited to 2 KB. A storage class that is unknown, or of directory buckets only, is refused.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from __future__ import annotations

from dataclasses import replace

from moto.s3.models import FakeBucket
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES, STORAGE_CLASS

from emulator.calls.answers import S3Error
from emulator.s3 import acls, encryption, locks, owners, tagging, user_metadata
from emulator.s3.requests import Request
from emulator.s3.versions import Attributes, Version

_LARGEST_METADATA = 2048
_SYSTEM_HEADERS = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
    "Expires",
)
_OF_DIRECTORY_BUCKETS = "EXPRESS_ONEZONE"
DEFAULT_CONTENT_TYPE = "binary/octet-stream"


def of_request(request: Request, bucket: FakeBucket) -> Attributes:
    """Return the attributes of the object that a request writes, including metadata and tags."""
    return Attributes(
        metadata=_user_metadata(request),
        system=_system_metadata(request),
        tags=tagging.from_header(request),
        storage_class=_storage_class(request),
        encryption=encryption.of_request(request, bucket),
        lock=locks.of_request(request, bucket),
        acl=acls.of_request(request, bucket),
        owner=owners.of_write(request, bucket),
        website_redirect=request.header("x-amz-website-redirect-location"),
    )


def of_copy(request: Request, bucket: FakeBucket, source: Version) -> Attributes:
    """Return the attributes of a copy: the source's metadata and tags, unless the directives are REPLACE.

    Everything else comes from the request and the destination's defaults, never from the source.
    """
    wanted = of_request(request, bucket)
    if _directive(request, "x-amz-metadata-directive") == "COPY":
        wanted = replace(wanted, metadata=source.attributes.metadata, system=source.attributes.system)
    if _directive(request, "x-amz-tagging-directive") == "COPY":
        wanted = replace(wanted, tags=source.attributes.tags)
    return wanted


def _directive(request: Request, name: str) -> str:
    value = (request.header(name) or "COPY").upper()
    if value not in ("COPY", "REPLACE"):
        message = f"Unknown {'metadata' if 'metadata' in name else 'tagging'} directive."
        raise S3Error(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
    return value


def _user_metadata(request: Request) -> dict[str, str]:
    metadata = {name: user_metadata.stored(value) for name, value in request.user_metadata().items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > _LARGEST_METADATA:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        raise S3Error(400, "MetadataTooLarge", message, Size=size, MaxSizeAllowed=_LARGEST_METADATA)
    return metadata


def _system_metadata(request: Request) -> dict[str, str]:
    system = {name: value for name in _SYSTEM_HEADERS if (value := request.header(name))}
    # aws-chunked is the encoding of the request, not of the object. Without it, the text is kept as it is.
    encodings = [each.strip() for each in system.get("Content-Encoding", "").split(",")]
    if "aws-chunked" in encodings:
        kept = ",".join(each for each in encodings if each not in ("", "aws-chunked"))
        system = {name: value for name, value in system.items() if name != "Content-Encoding"}
        system |= {"Content-Encoding": kept} if kept else {}
    return {"Content-Type": DEFAULT_CONTENT_TYPE} | system


def _storage_class(request: Request) -> str:
    name = request.header("x-amz-storage-class") or "STANDARD"
    if name not in STORAGE_CLASS or name == _OF_DIRECTORY_BUCKETS:
        message = "The storage class you specified is not valid"
        raise S3Error(400, "InvalidStorageClass", message, StorageClassRequested=name)
    return name


def is_archived(version: Version) -> bool:
    """Return whether the object is archived and has no restored copy."""
    if version.storage_class not in ARCHIVE_STORAGE_CLASSES:
        return False
    return version.restored is None or not version.restored.is_ready()


def as_headers(attributes: Attributes) -> dict[str, str]:
    """Return the headers of a read."""
    entries = {f"x-amz-meta-{name}": user_metadata.returned(value) for name, value in attributes.metadata.items()}
    headers = dict(attributes.system) | entries
    if attributes.tags:
        headers["x-amz-tagging-count"] = str(len(attributes.tags))
    if attributes.storage_class != "STANDARD":
        headers["x-amz-storage-class"] = attributes.storage_class
    if attributes.website_redirect:
        headers["x-amz-website-redirect-location"] = attributes.website_redirect
    return headers | encryption.as_headers(attributes.encryption) | locks.as_headers(attributes.lock)
