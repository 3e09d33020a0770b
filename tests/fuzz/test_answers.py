"""Mutated answers of HEAD and mutated rule documents: a value or trouble with a name, and never anything else."""

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from replicator.aws.errors import Side
from replicator.aws.objects import BucketObjects
from replicator.aws.rule_shape import shape_problems
from replicator.core.deciding.facts import ABSENT
from replicator.core.outcomes.outcome import Conflict, Trouble
from replicator.core.rules.document import RulesRefused, load, parse
from replicator.core.rules.matching import RuleSet
from replicator.core.versions.version import Head

from tests.functions.cases import ground
from tests.fuzz.mutated import HOSTILE, fuzz, mutated, mutated_texts
from tests.unit.wire import Answer, Wire

ANSWER = {
    "etag": '"9b2cf535f27731c974343645a3985328-3"',
    "content-length": "7",
    "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
    "content-type": "text/plain",
    "expires": "Tue, 01 Jan 2030 00:00:00 GMT",
    "x-amz-version-id": "v1",
    "x-amz-meta-colour": "blue",
    "x-amz-missing-meta": "1",
    "x-amz-tagging-count": "3",
    "x-amz-storage-class": "STANDARD_IA",
    "x-amz-restore": 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"',
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-bucket-key-enabled": "true",
    "x-amz-object-lock-mode": "GOVERNANCE",
    "x-amz-object-lock-retain-until-date": "2030-01-01T00:00:00Z",
    "x-amz-object-lock-legal-hold": "ON",
    "x-amz-checksum-sha256": "abc=",
    "x-amz-checksum-type": "FULL_OBJECT",
    "x-amz-mp-parts-count": "3",
}
TEXTS = [value for value in HOSTILE if isinstance(value, str) and value.isascii() and value.isprintable()]
VALUES = st.sampled_from(TEXTS) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
NAMES = sorted({*ANSWER, "x-amz-archive-status", "x-amz-unknown"})
CHANGES = st.dictionaries(st.sampled_from(NAMES), VALUES | st.none())
STATUSES = st.sampled_from([200, 200, 200, 200, 304, 400, 403, 404, 405, 412])


@fuzz
@given(CHANGES, STATUSES)
def test_a_mutated_answer_to_head_is_a_version_or_none_or_trouble_with_a_name(
    changes: dict[str, str | None], status: int
) -> None:
    headers = {name: value for name, value in {**ANSWER, **changes}.items() if value is not None}
    source = BucketObjects("east", Side.SOURCE, Wire([Answer("", status, headers)]).clients().reader("us-east-1"))
    with suppress(Trouble, Conflict):
        found = source.head("k", "v1")
        assert found is ABSENT or isinstance(found, Head)


RULES = ground()["rules"]["east"]
DOCUMENTS = [RULES, {"ReplicationConfiguration": {"Role": "arn:aws:iam::111122223333:role/r", **RULES}}]


@fuzz
@given(mutated(DOCUMENTS))
def test_a_mutated_rule_document_is_rules_that_can_be_asked_or_a_refusal_that_says_where(document: Any) -> None:
    judge(document)


@fuzz
@given(mutated_texts(DOCUMENTS))
def test_the_mutated_text_of_a_rule_document_is_too(text: str) -> None:
    with suppress(RulesRefused):
        judge(load("east", text.encode(errors="surrogatepass")))


def judge(document: Any) -> None:
    """Read a document; what is accepted must answer for any key."""
    told: tuple[object, ...] = ()
    try:
        rules = parse("east", document, shape_problems(document))
        told = rules.rules
    except RulesRefused as refused:
        rules, told = RuleSet("east"), refused.problems
    assert [each for each in told if str(each).strip()] != []
    for key in ("photos/1.jpg", "", "\x00", "é" * 512):
        candidates = rules.candidates(key)
        assert [candidate for candidate in candidates if not candidate.destination] == []
