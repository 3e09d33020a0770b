"""`s3replicator rules list`: what rules a stack has, or several, with counts by kind.

Separate from the other commands on rules, which are about one bucket, or change something.
"""

from collections.abc import Mapping, Sequence

from s3replicator.output import Output, complain, stop_on_failed_call
from s3replicator.rules.overview import BucketRules, Kind, counts
from s3replicator.rules.overview_reader import OverviewReader
from s3replicator.several import StacksFileOption, StacksOption, choose, for_stacks
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack

_HEADINGS = {
    Kind.SAME_REGION: "SAME REGION",
    Kind.CROSS_REGION: "CROSS REGION",
    Kind.SAME_ACCOUNT: "SAME ACCOUNT",
    Kind.CROSS_ACCOUNT: "CROSS ACCOUNT",
    Kind.INVALID_DESTINATION: "INVALID DESTINATION",
}
_EVENTS = {True: "attached", False: "not attached", None: "unknown"}


def list_rules(
    stack: StacksOption = None,
    stacks: StacksFileOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the source buckets with rules, with counts. Changes nothing.

    Enabled rules are counted by kind: same and cross Region, same and cross account, without a valid destination; and
    buckets whose events do not all arrive.
    """
    for_stacks(choose(stack, stacks, region, profile), Output(as_json=as_json), _list)


def _list(opened: Stack, output: Output) -> bool:
    with (
        stop_on_failed_call(f"bucket {opened.facts.control_bucket}", "cannot list the rules"),
        output.live() as show,
    ):
        found, complete = OverviewReader(opened).read(show)
    numbers = counts(found)
    output.document({"counts": numbers, "complete": complete, "buckets": [each.document() for each in found]})
    _print(found, numbers, output)
    if not complete:
        complain("interrupted: these are not all buckets")
        raise KeyboardInterrupt
    return all(each.is_fine for each in found)


def _print(found: Sequence[BucketRules], numbers: Mapping[str, int], output: Output) -> None:
    if not found:
        output.line("no bucket has rules")
        return
    output.table(("BUCKET", "RULES", "ENABLED", *_HEADINGS.values(), "EVENTS"), map(_row, found))
    output.line("")
    for name, number in numbers.items():
        output.line(f"{number:>8}  {name.replace('_', ' ')}")
    for each in found:
        if each.problem:
            output.line(f"{each.bucket}: {each.problem}", style="red")


def _row(each: BucketRules) -> tuple[str, ...]:
    rules = str(len(each.rules.rules)) if each.rules else "?"
    return each.bucket, rules, str(each.enabled), *(str(each.kinds[kind]) for kind in _HEADINGS), _EVENTS[each.attached]
