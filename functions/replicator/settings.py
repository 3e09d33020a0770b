"""Environment -> settings, once per container.

The only module that takes settings from environment variables. Separate from the runtime, which makes adapters of them,
because operators' commands have the same settings from a stack's parameters.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from replicator import __version__
from replicator.aws.log import make_logger
from replicator.core.deciding.accounts import Accounts, DestinationRoles
from replicator.core.parts.cost import CostModel

WRITING = ("replicate", "copy-parts", "batch")
"""The functions that start uploads, as template.yaml ends their names."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What template.yaml sets for the functions.

    threshold_ms: for rules that name none. releases: parked changes that are sent for in a minute, for each destination
    at most. task_wait: seconds that a batch task waits for the parts of its object. status_tags: source versions are
    tagged with their status. own_principals, own_roles: the principal ids and role names of replicator functions.
    default_rule: (source, destination). accounts: whose the buckets are, and as whom destinations are reached.
    fair_after_ms: how long a bucket may keep others waiting; 0 for ever. created_source: the source bucket that the
    stack created, if any. verify_pace: requests a second of verification on a schedule.
    """

    control_bucket: str
    journal_table: str
    metrics_namespace: str
    change_queue_url: str = ""
    backfill_queue_url: str = ""
    part_queue_url: str = ""
    dead_letter_queue_url: str = ""
    release_queue_url: str = ""
    stack_name: str = ""
    threshold_ms: int = 15 * 60_000
    releases: int = 60_000
    fair_after_ms: int = 0
    task_wait: int = 0
    status_tags: bool = False
    cost: CostModel = field(default_factory=CostModel)
    own_principals: frozenset[str] = frozenset()
    own_roles: frozenset[str] = frozenset()
    default_rule: tuple[str, str] | None = None
    accounts: Accounts = field(default_factory=Accounts)
    created_source: str = ""
    verify_pace: int = 100

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment, and log the version: handlers do so once, at their cold start.

        KeyError names a variable that template.yaml does not set.
        """
        make_logger().info("cold start", version=__version__)
        get = environment.get
        source, destination = get("DEFAULT_SOURCE_BUCKET", ""), get("DEFAULT_DESTINATION_BUCKET", "")
        principals = get("REPLICATOR_PRINCIPALS", "").split(",")
        return cls(
            control_bucket=environment["CONTROL_BUCKET"],
            journal_table=environment["JOURNAL_TABLE"],
            change_queue_url=get("CHANGE_QUEUE_URL", ""),
            backfill_queue_url=get("BACKFILL_QUEUE_URL", ""),
            part_queue_url=get("PART_QUEUE_URL", ""),
            dead_letter_queue_url=get("DEAD_LETTER_QUEUE_URL", ""),
            release_queue_url=get("RELEASE_QUEUE_URL", ""),
            stack_name=get("STACK_NAME", ""),
            threshold_ms=round(float(get("THRESHOLD_MINUTES") or 15) * 60_000),
            releases=int(get("RELEASES_PER_SECOND") or 1000) * 60,
            fair_after_ms=int(get("FAIR_AFTER_SECONDS") or 0) * 1000,
            task_wait=int(get("BATCH_WAIT_SECONDS") or 0),
            status_tags=get("SOURCE_STATUS_TAG", "") == "true",
            metrics_namespace=get("POWERTOOLS_METRICS_NAMESPACE") or "S3Replicator",
            cost=read_cost_model(environment),
            own_principals=frozenset(f"AWS:{name.strip()}" for name in principals if name.strip()),
            own_roles=frozenset(name.strip() for name in get("REPLICATOR_ROLES", "").split(",") if name.strip()),
            # The first of SourceBuckets may be a pattern, which is no bucket.
            default_rule=(source, destination) if source and "*" not in source and destination else None,
            accounts=read_accounts(get("AWS_LAMBDA_FUNCTION_NAME", ""), environment),
            created_source=get("CREATED_SOURCE_BUCKET", ""),
            verify_pace=int(get("VERIFY_REQUESTS_PER_SECOND") or 100),
        )

    def is_ours(self, initiator: str) -> bool:
        """Return whether this stack started an upload, by `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.

        Other stacks may assume the role of a destination, too; the session has the function's name.
        """
        kind, _slash, named = initiator.partition("/")
        role, _slash, session = named.partition("/")
        if not kind.endswith(":assumed-role"):
            return False
        own_session = session in {f"{self.stack_name}-{name}" for name in WRITING}
        return role in self.own_roles or (own_session and role in self.accounts.roles.names)


def read_accounts(session_name: str, given: Mapping[str, str]) -> Accounts:
    """Read whose the buckets are. session_name: that of roles' sessions, which is a function's name."""
    roles = DestinationRoles.read(given.get("DESTINATION_ROLES", ""))
    external_id = given.get("DESTINATION_EXTERNAL_ID", "")
    return Accounts(given.get("SOURCE_ACCOUNT", ""), roles, session_name or "s3-replicator", external_id)


COST_VARIABLES = {
    "SINGLE_COPY_LIMIT_BYTES": "single_copy",
    "MULTIPART_THRESHOLD_BYTES": "multipart_from",
    "SPREAD_THRESHOLD_BYTES": "spread_from",
    "PART_SIZE_BYTES": "part_size",
    "COPY_BYTES_PER_SECOND": "bytes_per_second",
    "COPY_REQUEST_SECONDS": "request_seconds",
    "ONE_COPY_SECONDS": "one_copy_seconds",
    "PARTS_SIDE_BY_SIDE": "side_by_side",
    "MAXIMUM_CONCURRENCY": "functions",
    "FUNCTION_START_SECONDS": "start_seconds",
    "REQUEST_WORTH_SECONDS": "request_worth",
}


def read_cost_model(environment: Mapping[str, str]) -> CostModel:
    """Read the constants that template.yaml sets; all others have the model's defaults."""
    usual = CostModel()
    given = {
        constant: type(getattr(usual, constant))(environment[name])
        for name, constant in COST_VARIABLES.items()
        if environment.get(name)
    }
    return replace(usual, **given)
