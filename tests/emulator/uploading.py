"""Multipart uploads of one key, as the tests of the emulator make them."""

from __future__ import annotations

from typing import Any


def start(s3: Any, bucket: str, **settings: Any) -> str:
    """Begin an upload of `key` and return its id."""
    return str(s3.create_multipart_upload(Bucket=bucket, Key="key", **settings)["UploadId"])


def part(s3: Any, bucket: str, upload: str, number: int, body: bytes, **settings: Any) -> dict[str, Any]:
    """Upload a part and return what completes the upload with it; its checksum only if an algorithm is asked for."""
    answer = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=number, Body=body, **settings)
    named = f"Checksum{settings.get('ChecksumAlgorithm')}"
    return {"PartNumber": number, "ETag": answer["ETag"], **({named: answer[named]} if named in answer else {})}


def complete(s3: Any, bucket: str, upload: str, *parts: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Complete an upload of `key`."""
    return dict(
        s3.complete_multipart_upload(
            Bucket=bucket, Key="key", UploadId=upload, MultipartUpload={"Parts": list(parts)}, **settings
        )
    )
