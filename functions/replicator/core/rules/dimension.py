"""A rule's id as the value of a metric's dimension, and back.

CloudWatch takes 1 to 255 printable ASCII characters there, not all of them blank, and drops a metric with any other
value; S3 takes any id. So other ids are escaped, in the form that HTTP headers use for them (RFC 5987): most ids stay
as they are, and no two ids become the same value.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
"""

from urllib.parse import quote, unquote

LONGEST = 255
_ESCAPED = "utf-8''"


def as_dimension(rule_id: str) -> str:
    """Return an id as CloudWatch takes it, except that it may be too long; an empty one stays empty."""
    usable = rule_id.isascii() and rule_id.isprintable() and rule_id.strip() == rule_id
    return rule_id if usable and not rule_id.startswith(_ESCAPED) else _ESCAPED + quote(rule_id, safe="")


def from_dimension(value: str) -> str:
    """Return the id that `as_dimension` made a value of."""
    return unquote(value.removeprefix(_ESCAPED)) if value.startswith(_ESCAPED) else value
