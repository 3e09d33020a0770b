"""What CreateJob refuses before there is a job.

The codes are those that the API reference lists or that clients were seen to get; the messages are the emulator's.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobReport.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_S3JobManifestGenerator.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobManifestSpec.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.calls.answers import S3Error
from emulator.s3.batch import filters, inventories, invocations, manifests, reports
from emulator.s3.batch.jobs import is_true

MOST_TAGS = 50
_NEEDED = ("Operation", "Report", "ClientRequestToken", "Priority", "RoleArn")
_LONGEST_DESCRIPTION = 256
_HIGHEST_PRIORITY = 2**31 - 1
_MOST_ARGUMENTS = 10
_LONGEST_ARGUMENT = (64, 1024)


def check(document: Mapping[str, Any]) -> None:
    """Raise InvalidRequest, TooManyTagsException, or NotImplemented for what the emulator has not."""
    operation = document.get("Operation") or {}
    if operation and "LambdaInvoke" not in operation:
        raise S3Error(501, "NotImplemented", "The emulator runs jobs of LambdaInvoke only.")
    for problem in _problems(document):
        raise S3Error(400, "InvalidRequest", f"Request invalid: {problem}")
    check_tags(tags(document))


def tags(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a request."""
    return {str(tag["Key"]): str(tag.get("Value") or "") for tag in filters.members(document, "Tags")}


def check_tags(wanted: Mapping[str, str]) -> None:
    """Raise TooManyTagsException."""
    if len(wanted) > MOST_TAGS:
        raise S3Error(400, "TooManyTagsException", f"A job may have up to {MOST_TAGS} tags.")


def read_priority(text: Any) -> int | None:
    """Return a priority; None for a text that is none."""
    return int(text) if str(text).isdecimal() and int(text) <= _HIGHEST_PRIORITY else None


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    missing = [name for name in _NEEDED if not document.get(name)]
    if missing:
        yield f"{', '.join(missing)} is missing"
        return
    if read_priority(document["Priority"]) is None:
        yield f"Priority must be from 0 to {_HIGHEST_PRIORITY}"
    if len(str(document.get("Description") or "")) > _LONGEST_DESCRIPTION:
        yield f"Description is longer than {_LONGEST_DESCRIPTION} characters"
    yield from _about_invocations(document["Operation"]["LambdaInvoke"] or {})
    yield from _about_report(document["Report"])
    if ("Manifest" in document) == ("ManifestGenerator" in document):
        yield "either Manifest or ManifestGenerator must be given"
    elif "Manifest" in document:
        yield from _about_manifest(document["Manifest"])
    else:
        yield from _about_generator((document["ManifestGenerator"] or {}).get("S3JobManifestGenerator") or {})


def _about_invocations(invoke: Mapping[str, Any]) -> Iterator[str]:
    version, given = invoke.get("InvocationSchemaVersion") or "1.0", invocations.arguments(invoke)
    if not invoke.get("FunctionArn"):
        yield "FunctionArn is missing"
    if version not in ("1.0", "2.0"):
        yield f"there is no InvocationSchemaVersion {version}"
    if given and version != "2.0":
        yield "UserArguments need the invocation schema 2.0"
    if len(given) > _MOST_ARGUMENTS:
        yield f"more than {_MOST_ARGUMENTS} UserArguments"
    name, value = _LONGEST_ARGUMENT
    if any(not 0 < len(key) <= name or len(text) > value for key, text in given.items()):
        yield f"UserArguments have names of {name} characters, and values of {value}, at most"


def _about_report(report: Mapping[str, Any]) -> Iterator[str]:
    if not is_true(report.get("Enabled")):
        return
    if not report.get("Bucket") or report.get("Format") != reports.FORMAT:
        yield f"a Report that is enabled has a Bucket and the Format {reports.FORMAT}"
    if report.get("ReportScope") not in ("AllTasks", "FailedTasksOnly"):
        yield "ReportScope must be AllTasks or FailedTasksOnly"


def _about_manifest(manifest: Mapping[str, Any]) -> Iterator[str]:
    spec, location = manifest.get("Spec") or {}, manifest.get("Location") or {}
    fields, wanted = (spec.get("Fields") or {}).get("member", []), spec.get("Format")
    if not str(location.get("ObjectArn") or "").startswith("arn:") or not location.get("ETag"):
        yield "the Location of a manifest has an ObjectArn and an ETag"
    if wanted not in (manifests.CSV, inventories.REPORT):
        yield f"Format must be {manifests.CSV} or {inventories.REPORT}"
    if wanted == inventories.REPORT and fields:
        yield f"Fields must not be given with {inventories.REPORT}"
    if wanted == manifests.CSV and not {"Bucket", "Key"} <= set(fields) <= set(manifests.FIELDS):
        yield "Fields must name Bucket and Key"


def _about_generator(generator: Mapping[str, Any]) -> Iterator[str]:
    if not generator.get("SourceBucket") or "EnableManifestOutput" not in generator:
        yield "an S3JobManifestGenerator has a SourceBucket and EnableManifestOutput"
    there = generator.get("ManifestOutputLocation") or {}
    if is_true(generator.get("EnableManifestOutput")) and not there.get("Bucket"):
        yield "ManifestOutputLocation must be given if EnableManifestOutput is true"
    if there and there.get("ManifestFormat") != inventories.GENERATED:
        yield f"ManifestFormat must be {inventories.GENERATED}"
    yield from filters.problems(generator.get("Filter") or {})
