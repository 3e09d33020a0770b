"""GetObjectAttributes: what is stored about a version, without its bytes and metadata.

Of an object from parts, S3 lists the parts only if they have checksums of their own (type COMPOSITE); of others it
tells how many there are.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
"""

from __future__ import annotations

from emulator.calls.answers import Answer, S3Error, http_date, s3_answer
from emulator.s3 import checksums, encryption
from emulator.s3.histories import version_id_header
from emulator.s3.requests import Request
from emulator.s3.versions import Version

_HEADER = "x-amz-object-attributes"
_ATTRIBUTES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_MOST_PARTS = 1000


def get_object_attributes(request: Request) -> Answer:
    """GetObjectAttributes: the attributes that x-amz-object-attributes names."""
    asked = _asked(request)
    version = request.get_version()
    encryption.check_readable(version, request)
    content = {
        "ETag": version.etag.strip('"'),
        "Checksum": _checksum(version) if version.checksum else None,
        "ObjectParts": _parts(request, version) if version.parts else None,
        "StorageClass": version.storage_class,
        "ObjectSize": version.size,
    }
    headers = {"Last-Modified": http_date(version.last_modified), **version_id_header(request.bucket, version)}
    shown = {name: value for name, value in content.items() if name in asked}
    return s3_answer("GetObjectAttributesResponse", shown, headers)


def _asked(request: Request) -> set[str]:
    asked = {name for text in (request.header(_HEADER) or "").split(",") if (name := text.strip())}
    if not asked:
        message = f"The {_HEADER} header specifying the attributes to be retrieved is either missing or empty"
        raise S3Error(400, "InvalidRequest", message)
    if unknown := asked.difference(_ATTRIBUTES):
        message, value = "Invalid attribute name specified.", min(unknown)
        raise S3Error(400, "InvalidArgument", message, ArgumentName=_HEADER, ArgumentValue=value)
    return asked


def _checksum(version: Version) -> dict[str, str]:
    """Return the checksum, that of parts without their number."""
    return {name: value.partition("-")[0] for name, value in checksums.as_xml(version.checksum).items()}


def _parts(request: Request, version: Version) -> dict[str, object]:
    total: dict[str, object] = {"PartsCount": len(version.parts)}
    listed = [(part, part.checksum) for part in version.parts if part.checksum]
    if not listed:
        return total
    after, most = _number(request, "x-amz-part-number-marker", 0), _number(request, "x-amz-max-parts", _MOST_PARTS)
    following = [(part, checksum) for part, checksum in listed if part.number > after]
    page = following[:most]
    return total | {
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1][0].number if page else 0,
        "MaxParts": most,
        "IsTruncated": len(following) > len(page),
        "Part": [
            {"PartNumber": part.number, "Size": part.size, f"Checksum{checksum.algorithm}": checksum.value}
            for part, checksum in page
        ],
    }


def _number(request: Request, header: str, default: int) -> int:
    text = request.header(header) or str(default)
    if not text.isdecimal():
        message = f"Provided {header} not an integer or within integer range"
        raise S3Error(400, "InvalidArgument", message, ArgumentName=header, ArgumentValue=text)
    return min(int(text), _MOST_PARTS) if header == "x-amz-max-parts" else int(text)
