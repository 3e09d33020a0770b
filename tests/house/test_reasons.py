"""Every reason code that is documented is raised somewhere in the functions: a code that nothing raises misleads."""

import re

from replicator.core.outcomes.outcome import Reason

from tests.house.sources import modules


def raised(names: list[str], code: str) -> set[str]:
    """Return the members of Reason that a text names."""
    return set(re.findall(r"\bReason\.([A-Z_]+)\b", code)) & set(names)


def test_every_reason_code_is_used_by_the_functions() -> None:
    names = [reason.name for reason in Reason]
    code = "\n".join(path.read_text() for path in modules("functions"))
    assert set(names) - raised(names, code) == set()


def test_a_reason_code_that_nothing_uses_is_found() -> None:
    assert raised(["USED", "UNUSED"], "raise Permanent(Reason.USED)") == {"USED"}
