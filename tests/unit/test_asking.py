"""The one door to AWS: botocore's errors leave it in the core's words, expected ones are answers, others pass."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError
from replicator.aws.asking import asking, expecting
from replicator.aws.errors import Side
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Temporary

GONE = frozenset({"404", "NoSuchKey"})


def answered(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "HeadObject")


def asked(error: Exception | None) -> str:
    """Ask as adapters do; return which way it went."""
    with expecting("HeadObject", Side.SOURCE, GONE) as request:
        if error:
            raise error
        return "answered"
    return f"expected {request.code}"


def test_an_answer_passes() -> None:
    with asking("HeadObject", Side.SOURCE):
        answer = 5
    assert answer == 5
    assert asked(None) == "answered"


@pytest.mark.parametrize(
    ("error", "trouble"),
    [(answered("403"), Permanent), (answered("SlowDown"), Temporary), (answered("412"), Conflict),
     (NoCredentialsError(), Temporary), (ReadTimeoutError(endpoint_url="x"), Temporary)],
)  # fmt: skip
def test_an_error_leaves_it_in_the_words_of_the_core(error: Exception, trouble: type[Exception]) -> None:
    with pytest.raises(trouble) as one, asking("HeadObject", Side.SOURCE):
        raise error
    with pytest.raises(trouble) as other:
        asked(error)
    assert one.value.__cause__ is other.value.__cause__ is error, "what AWS said is kept for the log"


def test_the_operation_and_the_side_decide_what_it_means() -> None:
    with pytest.raises(Permanent) as trouble, asking("DeleteObject", Side.DESTINATION):
        raise answered("AccessDenied")
    assert trouble.value.reason is Reason.DST_DELETE_DENIED
    with pytest.raises(Temporary), asking("DeleteObject", Side.JOURNAL):
        raise answered("AccessDenied")


@pytest.mark.parametrize("code", sorted(GONE))
def test_an_expected_code_is_an_answer(code: str) -> None:
    assert asked(answered(code)) == f"expected {code}"


def test_the_whole_answer_to_an_expected_code_is_kept() -> None:
    error = answered("404")
    with expecting("HeadObject", Side.SOURCE, GONE) as request:
        raise error
    assert request.response is error.response


def test_every_other_exception_passes_as_it_is() -> None:
    with pytest.raises(KeyError), asking("HeadObject", Side.SOURCE):
        raise KeyError
    with pytest.raises(KeyError):
        asked(KeyError())


@pytest.mark.parametrize("error", [ValueError("the secret text"), TypeError("the secret text")])
def test_an_error_that_is_not_of_aws_is_logged_with_its_stack_and_without_its_text(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def parse() -> None:
        raise error

    for door in (asking("HeadObject", Side.SOURCE), expecting("HeadObject", Side.SOURCE, GONE)):
        caplog.clear()
        with pytest.raises(Temporary), door:
            parse()
        [record] = caplog.records
        text = record.getMessage()
        assert text.startswith(f"HeadObject (source): {type(error).__name__} at {__file__}:")
        assert " parse < " in text
        assert "secret" not in caplog.text
        assert "\n" not in text


def test_errors_of_aws_are_not_logged_at_the_door(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Temporary), asking("HeadObject", Side.SOURCE):
        raise answered("SlowDown")
    assert caplog.records == []
