"""Numbers as people read them."""

import pytest
from s3replicator.formatting import NONE, count, duration, percent, plural, size, utc_iso, utc_minute, utc_second

NOW = 1_795_046_400  # 2026-11-19 00:00 UTC


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0421, "42 ms"), (1.234, "1.23 s"), (119, "119 s"), (900, "15 min"), (5400, "90 min"), (7200, "2 h")],
)
def test_durations_have_the_unit_of_their_size(number: float, text: str) -> None:
    assert duration(number) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, NONE), (1.0, "100 %"), (0.999, "99.9 %"), (0.99899, "99.899 %"), (0.9999999, "99.999 %"), (0.5, "50 %"),
     (0.0, "0 %")],
)  # fmt: skip
def test_a_share_is_never_rounded_up_to_all(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_counts_sizes_and_curve_are_easy_to_read() -> None:
    assert count(1234567) == "1\u202f234\u202f567"
    assert [size(number) for number in (0, 999, 1500, 2.5e9, 3e15)] == ["0 B", "999 B", "1.5 kB", "2.5 GB", "3 PB"]
    assert utc_minute(NOW + 59) == "2026-11-19 00:00"
    assert utc_second(NOW + 59) == "2026-11-19 00:00:59"
    assert utc_iso(NOW + 59) == "2026-11-19T00:00:59+00:00"


def test_one_thing_is_no_plural() -> None:
    assert [plural(number, "failure") for number in (0, 1, 2)] == ["0 failures", "1 failure", "2 failures"]
