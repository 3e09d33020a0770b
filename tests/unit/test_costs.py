"""The cost model multiplies what it counts by list prices, and each feature adds its own."""

import pytest

from benchmarks import costs
from benchmarks.costs import GB, MB, Workload


def test_requests_bytes_and_idle_polling_add_up_to_the_price_of_an_object() -> None:
    assert costs.native(Workload(GB), rtc=False) == pytest.approx(0.02 + 5e-6)
    assert costs.native(Workload(GB), rtc=True) - costs.native(Workload(GB), rtc=False) == pytest.approx(0.015)
    assert costs.costs(Workload(MB))["S3 requests"] == pytest.approx(5.4e-6)
    assert 0.4e-6 < costs.costs(Workload())["journal"] < 0.7e-6
    assert costs.idle_polling() == pytest.approx(0.52, abs=0.01)


def test_each_feature_adds_its_own_price() -> None:
    base = costs.total(Workload(GB))
    assert costs.total(Workload(GB, source_ia=True)) - base == pytest.approx(0.01)
    assert costs.total(Workload(tags=True, acl=True)) - costs.total(Workload()) == pytest.approx(0.8e-6)
    assert costs.total(Workload(annotations=7)) - costs.total(Workload()) == pytest.approx(35e-6)
    assert costs.total(Workload()) - costs.total(Workload(replica_tag=False)) == pytest.approx(0.65e-6)
