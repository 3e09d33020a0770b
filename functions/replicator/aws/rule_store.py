"""The rules of each source bucket, read from `rules/<source bucket>.json` in the control bucket.

Every change needs them, so they are cached. After TTL_SECONDS they are requested again, with their ETag. A document
that cannot be read or parsed is trouble, never "no rules": changes wait until it is repaired. Memory is bounded,
however many buckets have rules, and however many: `rule_shelf` says how. So are requests, by `rule_survey`.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replicator.aws.asking import expecting
from replicator.aws.errors import Side, code_of
from replicator.aws.printable import printable
from replicator.aws.rule_shape import shape_problems
from replicator.aws.rule_shelf import RuleShelf
from replicator.aws.rule_survey import RuleSurvey
from replicator.core.outcomes.outcome import Reason, Temporary, Trouble
from replicator.core.rules.document import RulesRefused, default_document, load, parse
from replicator.core.rules.matching import RuleSet

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import GetObjectRequestTypeDef

PREFIX = "rules/"
SUFFIX = ".json"
TTL_SECONDS = 30.0
TROUBLE_TTL_SECONDS = 5.0
# Absence is not cached: an object that is written right after a bucket's first rules must not be skipped.
ABSENT_TTL_SECONDS = 0.0

NOT_CHANGED = frozenset({"304", "NotModified"})
NO_DOCUMENT = frozenset({"NoSuchKey"})

logger = logging.getLogger(__name__)


def document_key(bucket: str) -> str:
    """Return the control bucket's key of a source bucket's rules."""
    return f"{PREFIX}{bucket}{SUFFIX}"


@dataclass(slots=True, eq=False)
class _Memory:
    """The cached document of one bucket.

    `lock`: one thread asks S3 while the others wait. `uses`: since it was packed.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    rules: RuleSet | None = None
    trouble: str = ""
    etag: str = ""
    asked_at: float = 0.0
    keep: float = 0.0
    uses: int = 0

    def forget(self) -> None:
        """Forget the document: it is read again when it is needed."""
        self.rules, self.etag, self.asked_at, self.keep = None, "", 0.0, 0.0


class RuleStore:
    """The rules of each source bucket, at most `TTL_SECONDS` old. Thread-safe."""

    def __init__(
        self,
        s3: "S3Client",
        control_bucket: str,
        *,
        defaults: tuple[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        shelf: RuleShelf | None = None,
    ) -> None:
        """Take the default rule as (source bucket, destination bucket), and a clock in seconds.

        The default rule applies while no document is stored for its source. The clock must be a wall clock: a monotonic
        one may stand still while a container is frozen.
        """
        self._s3 = s3
        self._control_bucket = control_bucket
        self._defaults = defaults
        self._clock = clock
        self._memories: dict[str, _Memory] = {}
        self._shelf = shelf or RuleShelf()
        self._survey = RuleSurvey(s3, control_bucket, PREFIX, TTL_SECONDS)

    def rules(self, bucket: str) -> RuleSet:
        """Return a bucket's rules; an empty set if it has none. Raises Temporary if they cannot be read or parsed."""
        memory = self._memories.setdefault(bucket, _Memory())
        arrived = self._clock()
        with memory.lock:
            now = self._clock()
            fresh = 0 <= now - memory.asked_at < memory.keep
            # If another thread has asked since this call began, its result is used.
            if not fresh and not arrived <= memory.asked_at <= now:
                self._refresh(bucket, memory)
            if memory.rules is None:
                raise Temporary(Reason.RULES_UNREADABLE, memory.trouble)
            self._shelf.use(memory)
            return memory.rules

    def _refresh(self, bucket: str, memory: _Memory) -> None:
        memory.asked_at = self._clock()
        try:
            if memory.etag and self._is_confirmed(bucket, memory):
                return
            memory.rules, memory.etag = self._read(bucket, memory)
        except (RulesRefused, Trouble) as error:
            memory.rules, memory.etag = None, ""
            memory.trouble = f"s3://{self._control_bucket}/{document_key(bucket)}: {_explain(error)}"
            trouble = printable(memory.trouble)
            logger.error("rules unreadable, changes of %s wait: %s", printable(bucket), trouble)  # noqa: TRY400 - no traceback
            memory.keep = TROUBLE_TTL_SECONDS
        else:
            memory.keep = TTL_SECONDS if memory.rules.rules else ABSENT_TTL_SECONDS

    def _is_confirmed(self, bucket: str, memory: _Memory) -> bool:
        """Return whether a list says that the document is unchanged, if it is time for one. It is good for all others.

        Raises Trouble.
        """
        etags = self._survey.etags(self._clock)
        if etags is None:
            return False
        for name, other in list(self._memories.items()):
            if other.lock.acquire(blocking=False):  # what a thread is reading is left to it, and so is `memory`
                if other.etag and other.etag == etags.get(document_key(name)):
                    other.asked_at = max(other.asked_at, memory.asked_at)
                other.lock.release()
        return etags.get(document_key(bucket)) == memory.etag

    def _read(self, bucket: str, memory: _Memory) -> tuple[RuleSet, str]:
        request: GetObjectRequestTypeDef = {"Bucket": self._control_bucket, "Key": document_key(bucket)}
        known = memory.rules if memory.etag else None
        if known is not None:
            request["IfNoneMatch"] = memory.etag
        with expecting("GetObject", Side.RULES, NO_DOCUMENT if known is None else NO_DOCUMENT | NOT_CHANGED) as asked:
            answer = self._s3.get_object(**request)
            text = answer["Body"].read()
        if not asked.code:
            with _without_collector():
                document = load(bucket, text)
                rules = parse(bucket, document, shape_problems(document, self._s3.meta.service_model))
            return rules, answer.get("ETag", "")
        if known is not None and asked.code in NOT_CHANGED:
            return known, memory.etag
        return self._without_document(bucket), ""

    def _without_document(self, bucket: str) -> RuleSet:
        if self._defaults is None or bucket != self._defaults[0]:
            return RuleSet(bucket)
        return parse(bucket, default_document(self._defaults[1]))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Let Python collect no cycles meanwhile: a large document makes none, but objects enough for many collections.

    Each of those looks at all that boto3 has loaded, which takes longer than reading the document.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _explain(error: RulesRefused | Trouble) -> str:
    """Return what is wrong, for people. For trouble, that is botocore's message, which names the endpoint or bucket.

    Without s3:ListBucket, S3 returns 403 for a key that does not exist, so "no rules" looks like "denied".
    """
    cause = error.__cause__ if isinstance(error, Trouble) else error
    advice = "; s3:GetObject and s3:ListBucket are needed" if code_of(cause) in {"AccessDenied", "403"} else ""
    return f"{cause}{advice}"
