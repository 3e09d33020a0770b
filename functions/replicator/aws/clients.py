"""boto3 clients: one per role, service, Region and purpose, made on first use and kept by the container.

Separate because the settings are decisions. botocore retries reads, but never writes: if the response to a write is
lost, the histories must be read to see what it did. A blind retry could copy the same version twice.
"""

import http.client
import threading
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from replicator import __version__
from replicator.aws import expires, header_text, listing, readable
from replicator.core.deciding.accounts import Accounts
from replicator.core.deciding.target import Target

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

    from replicator.aws.sessions import RoleCredentials, Sts

MOST_HEADERS = 2048
"""Headers that an answer may have. S3 allows 2 KB of user metadata, so fewer entries than that; Python reads 100."""
http.client._MAXHEADERS = MOST_HEADERS  # type: ignore[attr-defined] # noqa: SLF001 - decision 0025

CONNECTIONS = 32
USER_AGENT = f"s3-replicator/{__version__}"
# All of this saves CPU time, most of which is botocore's own. AWS checks parameters, too. Without a user agent of its
# own, botocore would put one together twice for every request.
LEAN = Config(
    parameter_validation=False,
    user_agent=USER_AGENT,
    account_id_endpoint_mode="disabled",
    disable_request_compression=True,
    max_pool_connections=CONNECTIONS,
)
READ = LEAN.merge(Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}))
# The connection of a copy stays open until its bytes are copied, up to 5 GB.
WRITE = LEAN.merge(Config(connect_timeout=3, read_timeout=110, retries={"mode": "standard", "total_max_attempts": 1}))
# A page of a whole bucket's listing may take long where much was deleted, and is asked for again when that fails.
LIST = LEAN.merge(Config(connect_timeout=3, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 6}))
# A destination that accepts connections and answers nothing must not hold a function for so long.
QUICK_WRITE = LEAN.merge(
    Config(connect_timeout=3, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 1})
)
# A part may have 5 GB, too, but must be copied in half of its function's timeout. Copying a part twice does no harm.
COPY_PART = LEAN.merge(
    Config(connect_timeout=3, read_timeout=150, retries={"mode": "standard", "total_max_attempts": 3})
)

# The monitor asks other Regions, which may be down, and must end within its minute: the next minute is the retry.
QUICK = LEAN.merge(Config(connect_timeout=3, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1}))
# STS answers in a few milliseconds, and may be asked again: who waits for a session waits for no copy.
ASSUME = LEAN.merge(Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}))


class Clients:
    """Makes clients on first use, one at a time. Thread-safe, as each client is."""

    def __init__(self, session: boto3.Session | None = None, accounts: Accounts | None = None) -> None:
        """Take whose the buckets are; by default nothing is checked, and no role is assumed."""
        self._core = None if session else botocore.session.get_session()
        self._session = session or boto3.Session(botocore_session=self._core)
        self._made: dict[tuple[str, str, Config], Any] = {}
        self._lock = threading.Lock()
        self.accounts = accounts or Accounts()
        self._through: dict[str, _RoleClients] = {}

    def toward(self, target: Target) -> "Clients":
        """Clients for requests to a destination: with a session of its role, if it has one."""
        role = self.accounts.roles.of(target)
        if not role:
            return self
        with self._lock:
            if role not in self._through:
                self._through[role] = self._assuming(role)
            return self._through[role]

    def _assuming(self, role: str) -> "_RoleClients":
        from replicator.aws.sessions import RoleCredentials, session_with  # noqa: PLC0415 - most stacks assume none

        credentials = RoleCredentials(self._sts, role, self.accounts)
        return _RoleClients(self, credentials, session_with(credentials, self._session.profile_name, self._core))

    def _sts(self) -> "Sts":
        """STS in the stack's own Region: botocore's endpoints are regional."""
        return self._get("sts", self.region, ASSUME)  # type: ignore[no-any-return]

    @property
    def region(self) -> str:
        """The Region of the function, or of the operator's command."""
        return self._session.region_name

    def reader(self, region: str) -> "S3Client":
        """S3 in a Region, for reading."""
        return self._get("s3", region)  # type: ignore[no-any-return]

    def lister(self, region: str) -> "S3Client":
        """S3 in a Region, for listing whole buckets: answers hold pages as bucket_listing.py reads them."""
        return self._get("s3", region, LIST)  # type: ignore[no-any-return]

    def writer(self, region: str) -> "S3Client":
        """S3 in a Region, for writing: never retries a request."""
        return self._get("s3", region, WRITE)  # type: ignore[no-any-return]

    def quick_writer(self, region: str) -> "S3Client":
        """S3 in a Region, for writes that take seconds: never retries a request, and soon stops waiting for it."""
        return self._get("s3", region, QUICK_WRITE)  # type: ignore[no-any-return]

    def copier(self, region: str) -> "S3Client":
        """S3 in a Region, for copying parts: waits longer for a response, and retries requests."""
        return self._get("s3", region, COPY_PART)  # type: ignore[no-any-return]

    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB in the stack's own Region."""
        return self._get("dynamodb", self.region)  # type: ignore[no-any-return]

    def sqs(self, region: str = "") -> "SQSClient":
        """SQS in a Region, by default the stack's own."""
        return self._get("sqs", region or self.region)  # type: ignore[no-any-return]

    def events(self) -> "EventBridgeClient":
        """EventBridge in the stack's own Region."""
        return self._get("events", self.region)  # type: ignore[no-any-return]

    def finder(self) -> "S3Client":
        """S3 in the stack's own Region, for finding buckets: gives up soon."""
        return self._get("s3", self.region, QUICK)  # type: ignore[no-any-return]

    def metrics(self, region: str) -> "CloudWatchClient":
        """CloudWatch in a Region: gives up soon."""
        return self._get("cloudwatch", region, QUICK)  # type: ignore[no-any-return]

    def _get(self, service: str, region: str, config: Config = READ) -> Any:
        made = (service, region, config)
        if made not in self._made:
            with self._lock:
                if made not in self._made:
                    self._made[made] = self._make(service, region, config)
        return self._made[made]

    def _make(self, service: str, region: str, config: Config, session: boto3.Session | None = None) -> Any:
        client: Any = (session or self._session).client(service, region_name=region, config=config)  # type: ignore[call-overload]
        if config is LIST:
            from replicator.aws import bucket_listing  # noqa: PLC0415 - one function lists whole buckets

            client.meta.events.register(bucket_listing.EVENT, bucket_listing.read_entries)
        elif service == "s3":
            client.meta.events.register(readable.EVENT, readable.make_readable)
            client.meta.events.register(header_text.EVENT, header_text.decode)
            client.meta.events.register(listing.EVENT, listing.keep_order)
            client.meta.events.register(f"before-parse.s3.{expires.READING}", expires.drop_blank)
            for operation in expires.WRITING:
                client.meta.events.register(f"provide-client-params.s3.{operation}", expires.take_out)
                client.meta.events.register(f"before-call.s3.{operation}", expires.put_in)
        return client


class _RoleClients(Clients):
    """Clients whose requests are signed with the session of a role. Connections are kept when it is renewed."""

    def __init__(self, parent: Clients, credentials: "RoleCredentials", session: boto3.Session) -> None:
        super().__init__(session)
        self._parent = parent
        self._credentials = credentials

    @property
    def region(self) -> str:
        return self._parent.region

    def _make(self, service: str, region: str, config: Config, session: boto3.Session | None = None) -> Any:
        client = self._parent._make(service, region, config, session or self._session)
        client.meta.events.register(f"needs-retry.{service}", self._credentials.ask_again)
        return client
