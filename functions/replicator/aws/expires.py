"""The Expires header, copied as the text that it is.

S3 keeps whatever a user sent in this header: `0`, `-1`, dates of many forms. botocore accepts only dates, and would
write them in a form of its own. So the text bypasses botocore's serializer, and replicas have exactly the same.
"""

from collections.abc import Mapping
from typing import Any

NAME = "Expires"
WRITING = ("CopyObject", "CreateMultipartUpload")


def take_out(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Keep the text from being validated as a date; a handler of botocore's `provide-client-params` event."""
    if NAME in params:
        context[NAME] = params.pop(NAME)


def put_in(params: Mapping[str, Any], context: Mapping[str, Any], **_: object) -> None:
    """Write the text into the request, before it is signed; a handler of botocore's `before-call` event."""
    if NAME in context:
        params["headers"][NAME] = context[NAME]
