"""`rules put` and `rules check` for many buckets at once: a folder, a pattern, or all that have rules.

Separate from the commands, which are about one bucket. Results are printed when all have ended, sorted by bucket, so
that the bar which shows how far it is stays one line.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NoReturn

import typer

from s3replicator.addresses import bucket_name
from s3replicator.calls import calling
from s3replicator.findings import error
from s3replicator.formatting import plural
from s3replicator.output import FINE, FOUND, Output, complain, stop_on_failed_call
from s3replicator.rule_documents import read_argument
from s3replicator.rules.many import Work
from s3replicator.rules.result import RulesResult
from s3replicator.rules.rule_files import folder_documents, pattern_documents
from s3replicator.rules.stack_rules import StackRules
from s3replicator.stack import Stack

Tasks = Mapping[str, Callable[[], RulesResult]]


def put_folder(folder: str, rules: StackRules, output: Output, *, force: bool) -> NoReturn:
    """Put the rules of each file NAME.json for bucket NAME, and end the command."""
    paths = folder_documents(folder)
    end_many({name: partial(_put_file, rules, name, path, force=force) for name, path in paths.items()}, output)


def put_pattern(pattern: str, file: str, opened: Stack, rules: StackRules, output: Output, *, force: bool) -> NoReturn:
    """Put the rules of one file for each bucket of the stack's Region that a pattern includes; end the command."""
    pattern, text = bucket_name(pattern, pattern=True), read_argument(file)
    with stop_on_failed_call("all buckets", "cannot list the buckets"):
        buckets = _buckets_of_region(opened)
    documents = pattern_documents(pattern, buckets, text)
    end_many({name: partial(rules.put, name, each, force=force) for name, each in documents.items()}, output)


def end_many(tasks: Tasks, output: Output) -> NoReturn:
    """Do what there is to do for each bucket, print the results, and end the command."""
    with output.live() as show:
        work = Work(tasks, show)
        work.run()
    results = list(work.results.values())
    for each in results:
        print_result(each, output)
    fine = all(each.ok for each in results)
    output.document({"ok": fine and not work.interrupted, "reports": [each.document() for each in results]})
    if len(tasks) > 1:
        output.line(f"{plural(len(results), 'bucket')}, {sum(not each.ok for each in results)} with errors")
    if work.interrupted:
        left = len(tasks) - len(results)
        complain(f"interrupted: {plural(left, 'bucket')} left; run the same command again to go on")
        raise KeyboardInterrupt
    raise typer.Exit(FINE if fine else FOUND)


def print_result(result: RulesResult, output: Output) -> None:
    """Print what was found and done for one bucket."""
    output.findings(result.findings)
    for sentence in result.done:
        output.line(f"{result.bucket}: {sentence}")
    if result.ok and not result.done:
        output.line(f"{result.bucket}: no errors found", style="green")


def _put_file(rules: StackRules, name: str, path: Path, *, force: bool) -> RulesResult:
    try:
        return rules.put(name, path.read_bytes(), force=force)
    except OSError as problem:
        return RulesResult(name, findings=[error(f"rules of {name}", f"cannot read {path}: {problem.strerror}")])


def _buckets_of_region(opened: Stack) -> list[str]:
    """Return the names of the account's buckets in the stack's Region. Raises CallFailed."""
    region = opened.facts.region
    with calling("s3:ListAllMyBuckets"):
        pages = opened.client("s3").get_paginator("list_buckets").paginate(BucketRegion=region)
        found = [each for page in pages for each in page.get("Buckets", ())]
    return [each["Name"] for each in found if each.get("BucketRegion", region) == region]
