"""A few thousand histories of every world, with the promises checked. `make simulate` plays more of them."""

import pytest

from tests.simulation.campaign import of_seed, shrunk
from tests.simulation.scheduler import play
from tests.simulation.setting import Setting
from tests.simulation.settings import SETTINGS

HISTORIES = 130
"""Of each world, or its share of them."""


KEPT = {
    "large, one-way": (256,),
    "large, one-way, users delete for good": (4949, 9298),
    "large, one-way, users delete for good at the source": (1758, 3139, 6437, 17636),
    "large, one to many": (95,),
    "large, one-way, users write at the destination": (13030, 2001331),
    "large, two-way": (5586, 6986),
    "large, two-way, by completion": (4819,),
    "one-way, S3 replicates back": (41000000,),
    "one-way, S3 replicates back, users at both": (43000018,),
    "one-way, destination unversioned": (43000011,),
    "one-way, journal entries expire": (55173,),
    "one-way, users delete for good at the source": (20905, 25423, 29792, 34961, 48974, 55212, 57200),
    "later, one-way": (20, 26, 103001532),
    "later, one to many": (61000543, 71000793),
    "later, one-way, annotations removed": (1, 8, 34, 82, 61000483, 71000556, 96001405),
    "later, one-way, deletions of annotations stay": (61000466,),
    "later, one-way, tag filter": (4, 45, 94, 51001598),
    "later, one-way, large": (13,),
    "later, two-way": (607,),
    "later, one-way, undelete": (98001124, 99000446, 103000610),
    "later, two-way, event holds": (370, 398, 1810, 96001822),
    "later, two-way, marks are tags": (91000433,),
    "later, two-way, large": (23, 101000380),
    "later, two-way, locks": (354, 51000210, 51000338, 51001547, 20217),
    "later, two-way, nothing known of who wrote": (3, 18, 51000178),
    "later, two-way, one side sends back": (51000551,),
    "later, two-way, users delete for good": (28, 94, 71003868),
    "later, two-way, old versions": (61000263,),
    "later, full mesh": (61000125, 61000155, 61000433),
    "later, two-way, annotations removed": (61000216, 51000570, 51001766),
    "later, one-way, locks": (61000403, 71001085),
    "later, one-way, users change replicas": (61000449, 51001652),
    "later, two-way, events without versions": (71001902,),
    "large, two-way, users delete for good": (70000051,),
    "later, one-way, users delete for good": (71003640,),
    "outage, one-way": (3000042,),
    "outage, two-way": (3000206, 3000426),
    "two-way, 12 writes": (43000054,),
    "two-way, nothing known of who wrote": (9473,),
}
"""Seeds of histories that once failed: in the middle of a plan, after a failure that another handler had reported, with
uploads that nobody knew of, with versions that were deleted for good, with a message that could not be parked, with
functions that were killed while they held a lease, with two replicas of which one was out of date, or with a parked
change that replaced another."""


@pytest.mark.parametrize("setting", [one for one in SETTINGS if not one.known_limit], ids=lambda one: one.name)
def test_the_promises_hold_in_every_history(setting: Setting) -> None:
    for seed in (*range(round(HISTORIES * setting.share)), *KEPT.get(setting.name, ())):
        ended = play(setting, of_seed(setting, seed))
        if ended.violations:
            _, small = shrunk(setting, ended)
            pytest.fail("\n".join([f"seed {seed}", *small.lines, *small.violations]), pytrace=False)
