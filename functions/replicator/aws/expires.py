"""The Expires header, copied as plain text.

S3 stores any text that a user sends in this header: `0`, `-1`, dates in many formats. botocore accepts only dates, and
would reformat them. So the text bypasses botocore's serializer, and replicas have exactly the source's text.
"""

from collections.abc import Mapping
from typing import Any

NAME = "Expires"
READING = "HeadObject"
WRITING = ("CopyObject", "CreateMultipartUpload")


def take_out(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Take the text out before botocore validates it as a date. A handler of the event `provide-client-params`."""
    if NAME in params:
        context[NAME] = params.pop(NAME)


def drop_blank(response_dict: Mapping[str, Any], **_: object) -> None:
    """Forget a header without a text, which botocore fails to read; a handler of its `before-parse` event."""
    headers = response_dict.get("headers", {})
    if NAME in headers and not headers[NAME].strip():
        del headers[NAME]


def put_in(params: Mapping[str, Any], context: Mapping[str, Any], **_: object) -> None:
    """Put the text into the request before it is signed. A handler of the event `before-call`."""
    if NAME in context:
        params["headers"][NAME] = context[NAME]
