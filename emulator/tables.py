"""DynamoDB's writes, one at a time.

moto checks a condition and then writes, without a lock: of two conditional writes at the same moment both may succeed.
What the journal promises rests on exactly that not happening.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.dynamodb.responses import DynamoHandler

from emulator.manners.patching import patch

_lock = threading.RLock()


@patch(DynamoHandler, "call_action")
def one_at_a_time(original: Callable[[DynamoHandler], Any], handler: DynamoHandler) -> Any:
    """Answer a request of DynamoDB, its serialisation included, while no other one runs."""
    with _lock:
        return original(handler)
