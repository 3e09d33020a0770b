"""Our evaluator and one that somebody else wrote agree about random policies and requests.

The other one is @cloud-copilot/iam-simulate, which needs Node. Nothing of it is part of this project: the tests run
where it has been installed, and are skipped elsewhere, with the command that installs it.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from emulator.iam.evaluation import evaluate
from emulator.iam.policies import Identity, Policy, RequestContext, read
from tests.lacking import lacking

FOLDER = Path(__file__).parents[2] / ".cache" / "iam-simulate"
INSTALL = f"npm install --prefix {FOLDER.relative_to(FOLDER.parents[1])} @cloud-copilot/iam-simulate@0.1.173"
SCRIPT = """
import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";
for (const simulation of JSON.parse(readFileSync(0, "utf8"))) {
  const found = await runSimulation(simulation, {});
  console.log(JSON.stringify(found.resultType === "error" ? found.errors : found.overallResult));
}
"""
CASES = 2000
ACCOUNT, OTHER = "123456789012", "999999999999"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/replicate"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/replicate/function"
KEY = "arn:aws:kms:us-east-1:{}:key/0a1b2c3d-0000-4000-8000-000000000001"
QUEUE = "arn:aws:sqs:us-east-1:{}:changes"
CONTEXT = {
    "aws:SecureTransport": "true",
    "aws:PrincipalArn": ROLE,
    "aws:PrincipalAccount": ACCOUNT,
    "aws:RequestedRegion": "us-east-1",
    "aws:SourceIp": "127.0.0.1",
    "aws:CurrentTime": "2026-06-01T00:00:00Z",
}
REQUESTS: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
    "object": (
        ("s3:GetObject", "s3:GetObjectVersion"),
        "arn:aws:s3:::east/folder/key",
        {"s3:ExistingObjectTag/team": "red"},
    ),
    "write": (("s3:PutObject", "s3:DeleteObject"), "arn:aws:s3:::east/folder/key", {}),
    "bucket": (
        ("s3:ListBucket", "s3:ListBucketVersions"),
        "arn:aws:s3:::east",
        {"s3:prefix": "a/b", "s3:max-keys": "100"},
    ),
    "queue": (("sqs:SendMessage", "sqs:ReceiveMessage"), QUEUE, {}),
    "key": (("kms:Decrypt", "kms:GenerateDataKey"), KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
}
ACTIONS = ("*", "s3:*", "s3:Get*", "s3:GetObject", "s3:getobject?ersion", "S3:PutObject", "s3:List*", "s3:*Object",
           "sqs:*", "sqs:SendMessage", "kms:Decrypt", "kms:*", "kms:Generate*")  # fmt: skip
RESOURCES = ("*", "arn:aws:s3:::east", "arn:aws:s3:::east/*", "arn:aws:s3:::e?st/*/key", "arn:*:s3:::east*",
             "arn:aws:s3:::west/*", QUEUE, KEY, "arn:aws:sqs:*:*:*", "arn:aws:kms:us-*:*:key/*")  # fmt: skip
PRINCIPALS: tuple[Any, ...] = ("*", {"AWS": "*"}, {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": ACCOUNT},
                               {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"},
                               {"AWS": [f"arn:aws:iam::{OTHER}:root", ROLE]},
                               {"Service": "s3.amazonaws.com"})  # fmt: skip
CONDITIONS: tuple[dict[str, dict[str, Any]], ...] = (
    {"Bool": {"aws:SecureTransport": "false"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:PrincipalAccount": [OTHER, ACCOUNT]}},
    {"StringNotEquals": {"aws:PrincipalAccount": OTHER}},
    {"StringNotEquals": {"s3:ExistingObjectTag/team": "red"}},
    {"StringEquals": {"s3:ExistingObjectTag/team": "red"}},
    {"StringEqualsIgnoreCase": {"aws:RequestedRegion": "US-EAST-1"}},
    {"StringLike": {"s3:prefix": ["a/*", "b/*"]}},
    {"StringNotLike": {"s3:prefix": "a/*"}},
    {"StringLikeIfExists": {"s3:prefix": "b/*"}},
    {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/rep*"}},
    {"ArnEquals": {"aws:PrincipalArn": ROLE}},
    {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/rep*"}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::east"}},
    {"Null": {"s3:prefix": "true"}},
    {"Null": {"s3:prefix": "false"}},
    {"NumericLessThanEquals": {"s3:max-keys": "100"}},
    {"NumericGreaterThan": {"s3:max-keys": "100"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
    {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
    {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]}},
    {"NotIpAddress": {"aws:SourceIp": "127.0.0.1/32"}},
)


def statement(chance: random.Random, *, of_resource: bool, owner: str) -> dict[str, Any]:
    """Return a random statement. A resource's policy names the principal too."""
    resources = [each.format(owner) for each in chance.sample(RESOURCES, chance.randint(1, 3))]
    found: dict[str, Any] = {
        "Effect": chance.choices(("Allow", "Deny"), (4, 1))[0],
        chance.choices(("Action", "NotAction"), (6, 1))[0]: chance.sample(ACTIONS, chance.randint(1, 4)),
        chance.choices(("Resource", "NotResource"), (6, 1))[0]: resources,
    }
    if of_resource:
        found["Principal"] = chance.choice(PRINCIPALS)
    if chance.random() < 0.5:
        found["Condition"] = {}
        for each in chance.sample(CONDITIONS, chance.randint(1, 2)):
            found["Condition"] |= each
    return found


def document(chance: random.Random, *, of_resource: bool, owner: str) -> dict[str, Any]:
    statements = [statement(chance, of_resource=of_resource, owner=owner) for _ in range(chance.randint(1, 3))]
    return {"Version": "2012-10-17", "Statement": statements}


def case(seed: int) -> dict[str, Any]:
    """Return a random simulation, as the other evaluator takes it."""
    chance = random.Random(seed)  # noqa: S311 - a case can be seen again by its number
    kind, owner = chance.choice(sorted(REQUESTS)), chance.choices((ACCOUNT, OTHER), (3, 1))[0]
    actions, resource, more = REQUESTS[kind]
    has_policy = kind == "key" or chance.random() < 0.5
    return {
        "request": {
            "principal": SESSION,
            "action": chance.choice(actions),
            "resource": {"resource": resource.format(owner), "accountId": owner},
            "contextVariables": CONTEXT | more,
        },
        "identityPolicies": [{"name": "inline", "policy": document(chance, of_resource=False, owner=owner)}],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        **({"resourcePolicy": document(chance, of_resource=True, owner=owner)} if has_policy else {}),
    }


def ours(simulation: dict[str, Any]) -> str:
    request = simulation["request"]
    context = RequestContext(
        Identity(frozenset({ROLE, SESSION}), ACCOUNT),
        request["action"],
        request["resource"]["resource"],
        request["contextVariables"],
        request["resource"]["accountId"],
    )
    of_resource = simulation.get("resourcePolicy")
    decision = evaluate(
        context,
        [policy(simulation["identityPolicies"][0]["policy"])],
        policy(of_resource) if of_resource else None,
        of_key=request["action"].startswith("kms:"),
    )
    return "Allowed" if decision.allowed else "ExplicitlyDenied" if decision.is_explicit_deny else "ImplicitlyDenied"


def policy(content: dict[str, Any]) -> Policy:
    return read(json.dumps(content))


@cache
def theirs() -> list[Any]:
    """Ask the other evaluator about all cases."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "@cloud-copilot" / "iam-simulate").is_dir():
        lacking(f"needs Node and @cloud-copilot/iam-simulate: {INSTALL}")
    script = FOLDER / "compare.mjs"
    script.write_text(SCRIPT)
    cases = json.dumps([case(seed) for seed in range(CASES)])
    ran = subprocess.run([node, script], input=cases, capture_output=True, text=True, check=True, cwd=FOLDER)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_both_evaluators_decide_alike() -> None:
    found = theirs()
    different = [
        {"seed": seed, "ours": ours(case(seed)), "theirs": answer, "case": case(seed)}
        for seed, answer in enumerate(found)
        if ours(case(seed)) != answer
    ]
    assert different[:3] == []
    assert len(found) == CASES


def test_the_cases_have_every_result() -> None:
    results = ("Allowed", "ExplicitlyDenied", "ImplicitlyDenied")
    assert min(theirs().count(result) for result in results) > CASES / 10
