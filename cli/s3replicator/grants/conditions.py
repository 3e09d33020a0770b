"""The `Condition` of a policy statement, judged with what is known about a request: met, not met, or it depends.

Separate because the operators are a table of their own. A request that is yet to be made has values that nobody knows,
such as its address; a condition on one of these is neither met nor unmet.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from s3replicator.policy_patterns import arn_like, as_list, like

Known = Callable[[str], Sequence[str] | None]
"""The values of a condition key in lower case: none if the request lacks it, None if nobody knows."""
Test = Callable[[str, str], bool]
"""(value in the policy, value of the request)"""


def all_of(results: Iterable[bool | None]) -> bool | None:
    """Return whether all are true; None if that depends on one that is unknown."""
    found = set(results)
    return False if False in found else None if None in found else True


def met(condition: object, known: Known) -> bool | None:
    """Return whether all operators and keys of a Condition are met; None if that depends on what is unknown."""
    if not isinstance(condition, Mapping):
        return True if condition is None else None
    return all_of(_met(operator, key, as_list(wanted), known) for operator, key, wanted in _parts(condition))


def unknown_keys(condition: object, known: Known) -> tuple[str, ...]:
    """Return the condition keys on which it depends whether a Condition is met."""
    parts = _parts(condition) if isinstance(condition, Mapping) else ()
    return tuple(
        dict.fromkeys(key for operator, key, wanted in parts if _met(operator, key, as_list(wanted), known) is None)
    )


def _parts(condition: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    for operator, keys in condition.items():
        if isinstance(keys, Mapping):
            yield from ((operator, key, wanted) for key, wanted in keys.items())


def _met(operator: str, key: str, wanted: Sequence[object], known: Known) -> bool | None:
    given = known(key.lower())
    values = [_text(each) for each in wanted]
    if given is None or any("${" in each for each in values):
        return None
    if operator.lower() == "null":
        return any((each.lower() == "true") == (not given) for each in values)
    return _compare(operator, values, given)


def _compare(operator: str, wanted: Sequence[str], given: Sequence[str]) -> bool | None:
    """Compare by an operator with its quantifier and suffix; None for an operator that is not known here."""
    quantifier, _, rest = operator.lower().rpartition(":")
    name = rest.removesuffix("ifexists")
    negated = "not" in name
    test = _TESTS.get(name.replace("not", "", 1))
    if test is None or quantifier not in {"", "forallvalues", "foranyvalue"}:
        return None
    if not given:
        return name != rest or negated or quantifier == "forallvalues"
    results = [any(_safely(test, each, value) for each in wanted) != negated for value in given]
    return any(results) if quantifier == "foranyvalue" else all(results)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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


def _ordered(prefix: str, read: Callable[[str], Any]) -> dict[str, Test]:
    return {
        f"{prefix}equals": lambda wanted, given: bool(read(given) == read(wanted)),
        f"{prefix}lessthan": lambda wanted, given: bool(read(given) < read(wanted)),
        f"{prefix}lessthanequals": lambda wanted, given: bool(read(given) <= read(wanted)),
        f"{prefix}greaterthan": lambda wanted, given: bool(read(given) > read(wanted)),
        f"{prefix}greaterthanequals": lambda wanted, given: bool(read(given) >= read(wanted)),
    }


_TESTS: Mapping[str, Test] = {
    "stringequals": lambda wanted, given: given == wanted,
    "stringequalsignorecase": lambda wanted, given: given.lower() == wanted.lower(),
    "stringlike": like,
    "bool": lambda wanted, given: given.lower() == wanted.lower(),
    "binaryequals": lambda wanted, given: given == wanted,
    "arnequals": arn_like,  # identical to ArnLike, says AWS
    "arnlike": arn_like,
    "ipaddress": lambda wanted, given: ip_address(given) in ip_network(wanted, strict=False),
    **_ordered("numeric", float),
    **_ordered("date", _moment),
}
