"""The `Condition` element of a policy statement: operators and the values of a request's condition keys.

Separate because the operators are a table of their own. A key that the request lacks meets no positive operator, and
every negated one; `IfExists` and `Null` are the exceptions.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from emulator.iam.patterns import arn_like, like, listed

# The values of condition keys, by name in lower case. Most keys have one value; only some, such as
# s3:RequestObjectTagKeys, have several.
Values = Mapping[str, Sequence[str]]
Test = Callable[[str, str], bool]  # (value in the policy, value of the request)


def met(condition: Mapping[str, Mapping[str, Any]], values: Values) -> bool:
    """Return whether all operators and keys of a Condition are met. An unknown operator never is."""
    return all(
        _key_meets(operator, [_text(each) for each in listed(wanted)], values.get(key.lower(), ()))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _key_meets(operator: str, wanted: Sequence[str], given: Sequence[str]) -> bool:
    if operator == "Null":
        return any((each.lower() == "true") == (not given) for each in wanted)
    quantifier, _, rest = operator.rpartition(":")
    name = rest.removesuffix("IfExists")
    negated = "Not" in name
    test = _TESTS.get(name.replace("Not", ""))
    if test is None or (negated and name.replace("Not", "") not in _CAN_BE_NEGATED):
        return False
    if not given:
        return name != rest or negated or quantifier == "ForAllValues"
    results = [any(_safely(test, each, value) for each in wanted) != negated for value in given]
    return any(results) if quantifier == "ForAnyValue" else all(results)


def _safely(test: Test, wanted: str, given: str) -> bool:
    try:
        return test(wanted, given)
    except (ValueError, OverflowError):  # a value that is no number, date or address
        return False


def _moment(text: str) -> datetime:
    if text.isdecimal():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compared(prefix: str, read: Callable[[str], Any]) -> dict[str, Test]:
    return {
        f"{prefix}Equals": lambda wanted, given: bool(read(given) == read(wanted)),
        f"{prefix}LessThan": lambda wanted, given: bool(read(given) < read(wanted)),
        f"{prefix}LessThanEquals": lambda wanted, given: bool(read(given) <= read(wanted)),
        f"{prefix}GreaterThan": lambda wanted, given: bool(read(given) > read(wanted)),
        f"{prefix}GreaterThanEquals": lambda wanted, given: bool(read(given) >= read(wanted)),
    }


_TESTS: Mapping[str, Test] = {
    "StringEquals": lambda wanted, given: given == wanted,
    "StringEqualsIgnoreCase": lambda wanted, given: given.lower() == wanted.lower(),
    "StringLike": like,
    "Bool": lambda wanted, given: given.lower() == wanted.lower(),
    "BinaryEquals": lambda wanted, given: given == wanted,
    "ArnEquals": arn_like,  # AWS: identical to ArnLike
    "ArnLike": arn_like,
    "IpAddress": lambda wanted, given: ip_address(given) in ip_network(wanted, strict=False),
    **_compared("Numeric", float),
    **_compared("Date", _moment),
}
_CAN_BE_NEGATED = frozenset(
    {
        *("StringEquals", "StringEqualsIgnoreCase", "StringLike"),
        *("ArnEquals", "ArnLike", "IpAddress", "NumericEquals", "DateEquals"),
    }
)
