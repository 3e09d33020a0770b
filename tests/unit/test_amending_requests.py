"""Changes after the write over the wire: the exact request of each, and what its errors mean on either side.

The requests: PutObjectTagging, PutObjectAcl, PutObjectRetention and PutObjectLegalHold of the S3 API reference. None
has a condition, and none may name `x-amz-bypass-governance-retention`.
"""

import pytest
from replicator.aws.amending import AmendableObjects
from replicator.aws.errors import Side
from replicator.aws.objects import Shared
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.version import Grant, Lock

from tests.unit.wire import Answer, Wire, error

PUBLIC = Grant("READ", 'uri="http://acs.amazonaws.com/groups/global/AllUsers"')
PRIVATE = Grant("READ", 'id="somebody"')
UNTIL = "2031-01-01T00:00:00+00:00"
OPERATIONS = {
    "tags": lambda it: it.put_tags("k", "v", {"a": "b"}),
    "grants": lambda it: it.put_grants("k", "v", (PRIVATE,)),
    "retention": lambda it: it.put_retention("k", "v", Lock("GOVERNANCE", UNTIL)),
    "legal hold": lambda it: it.put_legal_hold("k", "v", on=True),
}
DENIED = {
    ("tags", Side.SOURCE): Reason.SRC_PUT_TAGS_DENIED,
    ("tags", Side.DESTINATION): Reason.DST_PUT_TAGS_DENIED,
    ("grants", Side.SOURCE): Reason.SRC_PUT_ACL_DENIED,
    ("grants", Side.DESTINATION): Reason.DST_PUT_ACL_DENIED,
    ("retention", Side.SOURCE): Reason.SRC_PUT_RETENTION_DENIED,
    ("retention", Side.DESTINATION): Reason.DST_PUT_RETENTION_DENIED,
    ("legal hold", Side.SOURCE): Reason.SRC_PUT_LEGAL_HOLD_DENIED,
    ("legal hold", Side.DESTINATION): Reason.DST_PUT_LEGAL_HOLD_DENIED,
}


def amendable(wire: Wire, side: Side = Side.DESTINATION, warned: list[str] | None = None) -> AmendableObjects:
    client, target = wire.clients().quick_writer("us-east-1"), Target("west", "123456789012")
    warn = warned.append if warned is not None else lambda _: None
    return AmendableObjects(target, side, client, client, Shared(warn=warn))


def sent(wire: Wire) -> tuple[str, str, str]:
    """Return method, path with query, and body of the last request."""
    request, body = wire.requests[-1], wire.requests[-1].body or b""
    text = body.decode() if isinstance(body, bytes) else str(body)
    return str(request.method), request.url.partition("amazonaws.com")[2], text


def test_all_tags_of_one_version_are_replaced() -> None:
    wire = Wire([Answer()])
    amendable(wire).put_tags("k", "v", {"a": "b"})
    method, path, body = sent(wire)
    assert (method, path) == ("PUT", "/k?tagging&versionId=v")
    assert "<TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet>" in body
    assert wire.headers()["x-amz-expected-bucket-owner"] == "123456789012"


def test_grants_are_replaced_and_none_means_private() -> None:
    wire = Wire([Answer()])
    amendable(wire).put_grants("k", "v", (PRIVATE,))
    assert sent(wire)[:2] == ("PUT", "/k?acl&versionId=v")
    assert wire.headers()["x-amz-grant-read"] == 'id="somebody"'
    amendable(wire).put_grants("k", "v", ())
    assert wire.headers()["x-amz-acl"] == "private"


def test_public_grants_are_left_out_where_they_are_refused() -> None:
    warned: list[str] = []
    wire = Wire([error(403, "AccessDenied"), Answer()])
    amendable(wire, warned=warned).put_grants("k", "v", (PUBLIC, PRIVATE))
    assert (len(wire.requests), wire.headers()["x-amz-grant-read"]) == (2, 'id="somebody"')
    assert warned == ["public grants left out of k v of west: refused with its ACL"]


def test_a_retention_never_bypasses_governance_mode() -> None:
    wire = Wire([Answer()])
    amendable(wire).put_retention("k", "v", Lock("GOVERNANCE", UNTIL))
    method, path, body = sent(wire)
    assert (method, path) == ("PUT", "/k?retention&versionId=v")
    assert "<Mode>GOVERNANCE</Mode><RetainUntilDate>2031-01-01T00:00:00Z</RetainUntilDate>" in body
    assert [name for name in wire.headers() if "bypass" in name] == []


def test_an_event_hold_has_its_duration_and_no_end() -> None:
    wire = Wire([Answer()])
    amendable(wire).put_retention("k", "v", Lock("GOVERNANCE", "", event_hold=True, event_hold_days=3))
    body = sent(wire)[2]
    assert ("<EventHold>ON</EventHold>" in body, "<Days>3</Days>" in body, "RetainUntilDate" in body) == (
        True,
        True,
        False,
    )


@pytest.mark.parametrize(("on", "status"), [(True, "ON"), (False, "OFF")], ids=["on", "off"])
def test_a_legal_hold_is_set_or_lifted(on: bool, status: str) -> None:
    wire = Wire([Answer()])
    amendable(wire).put_legal_hold("k", "v", on=on)
    method, path, body = sent(wire)
    assert (method, path) == ("PUT", "/k?legal-hold&versionId=v")
    assert f"<Status>{status}</Status>" in body


@pytest.mark.parametrize(("what", "side"), DENIED, ids=[f"{what} at the {side}" for what, side in DENIED])
def test_a_denial_names_the_side_and_what_was_denied(what: str, side: Side) -> None:
    with pytest.raises(Permanent) as raised:
        OPERATIONS[what](amendable(Wire([error(403, "AccessDenied")]), side))
    assert raised.value.reason is DENIED[what, side]


@pytest.mark.parametrize("what", OPERATIONS)
def test_a_version_that_is_gone_is_named_by_its_side(what: str) -> None:
    reasons = {}
    for side in (Side.SOURCE, Side.DESTINATION):
        with pytest.raises(Permanent) as raised:
            OPERATIONS[what](amendable(Wire([error(404, "NoSuchVersion")]), side))
        reasons[side] = raised.value.reason
    assert reasons == {
        Side.SOURCE: Reason.SRC_VERSION_NOT_FOUND,
        Side.DESTINATION: Reason.DST_VERSION_NOT_FOUND,
    }


@pytest.mark.parametrize("what", OPERATIONS)
@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (409, "OperationAborted")], ids=["throttled", "another write under way"]
)
def test_trouble_that_passes_is_temporary_and_not_repeated_here(what: str, status: int, code: str) -> None:
    wire = Wire([error(status, code)])
    with pytest.raises(Temporary):
        OPERATIONS[what](amendable(wire))
    assert len(wire.requests) == 1


def test_the_release_of_an_event_hold_names_no_date() -> None:
    """The destination computes its own end."""
    wire = Wire([Answer()])
    amendable(wire).put_retention("k", "v", Lock("GOVERNANCE"), releases=True)
    body = sent(wire)[2]
    assert ("<EventHold>OFF</EventHold>" in body, "RetainUntilDate" in body) == (True, False)
