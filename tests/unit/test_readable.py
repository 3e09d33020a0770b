"""Answers that repeat a key which XML 1.0 cannot carry are read all the same."""

import pytest
from replicator.core.deciding.copy import Guard
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import Part, SourceGone

from tests.unit.adapters import SOURCE, objects, replicas, uploads
from tests.unit.copies import plain
from tests.unit.wire import Answer, Wire

KEYS = ["k&#x1e;", "k&#30;", "k\x1e", "\x00", "&#x0;&#xFFFE;", "\ufffe", "k&#xd800;", "&#99999999;", "k&#x1F600;&amp;"]


@pytest.mark.parametrize("key", KEYS)
def test_an_upload_is_begun_carried_on_and_completed_whatever_its_key_is(key: str) -> None:
    begun = f"<InitiateMultipartUploadResult><Key>{key}</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>"
    assert uploads(Wire([Answer(begun)])).start(plain())[0] == "u1"
    part = '<Part><PartNumber>1</PartNumber><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"p"</ETag>'
    listed = f"<ListPartsResult><Key>{key}</Key>{part}<Size>5</Size></Part></ListPartsResult>"
    assert [part.number for part in uploads(Wire([Answer(listed)])).parts("k", "u1", 0)] == [1]
    done = f'<CompleteMultipartUploadResult><Key>{key}</Key><ETag>"e-1"</ETag></CompleteMultipartUploadResult>'
    completed = uploads(Wire([Answer(done)])).complete(plain(), "u1", [Part(1, 5, '"p"')], Guard(""))
    assert completed.etag == '"e-1"'


@pytest.mark.parametrize("key", KEYS)
def test_an_error_that_names_the_key_keeps_its_code(key: str) -> None:
    def error(code: str, status: int) -> Wire:
        return Wire([Answer(f"<Error><Code>{code}</Code><Key>{key}</Key></Error>", status)])

    with pytest.raises(SourceGone):
        uploads(error("NoSuchVersion", 404)).copy_part("u1", SOURCE, PartRange(1, 0, 9))
    with pytest.raises(Conflict):
        replicas(error("PreconditionFailed", 412)).copy(plain(), Guard(""))
    with pytest.raises(Permanent) as trouble:
        replicas(error("InvalidObjectState", 403)).copy(plain(), Guard(""))
    assert trouble.value.reason is Reason.SRC_NOT_ELIGIBLE


def test_a_key_in_a_listing_is_the_one_that_was_asked_for() -> None:
    """A server that does not encode keys answers with characters that are replaced: those of another key."""
    entry = (
        "<Version><Key>{}</Key><VersionId>1</VersionId><LastModified>2026-01-01T00:00:00Z</LastModified>{}</Version>"
    )
    more = '<ETag>"e"</ETag><Size>1</Size>'
    encoded = f"<ListVersionsResult><EncodingType>url</EncodingType>{entry.format('k%1E', more)}</ListVersionsResult>"
    assert [each.version_id for each in objects(Wire([Answer(encoded)])).history("k\x1e")] == ["1"]
    raw = f"<ListVersionsResult>{entry.format('k&#x1e;', more)}</ListVersionsResult>"
    assert objects(Wire([Answer(raw)])).history("k\x1e") == ()


def test_what_is_readable_stays_as_it_is() -> None:
    tags = "<Tag><Key>a&#9;b</Key><Value>&amp;&lt;\u00e4&#x1F600;\ud7ff\ue000</Value></Tag>"
    found = objects(Wire([Answer(f"<Tagging><TagSet>{tags}</TagSet></Tagging>")])).tags("k", "v1")
    assert found == {"a\tb": "&<\u00e4\U0001f600\ud7ff\ue000"}
