"""KMS keys as other services name them: by id, ARN or alias; and a key with an id that somebody chose.

Some of moto's operations look for a key by its id alone; the patches below let an ARN name it too.
https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from moto.kms.models import Key, KmsBackend, kms_backends

from emulator.patching import patch

T = TypeVar("T")
_making_managed_key = threading.Lock()  # moto creates it on first use


class KeyArn(NamedTuple):
    """The ARN of a key or of an alias. `resource` is such as key/0d990263-... or alias/mine."""

    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:aws:kms:{self.region}:{self.account}:{self.resource}"


def parse(arn: str) -> KeyArn | None:
    """Return what an ARN names; None if it is not the ARN of a key or an alias."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "kms" or not parts[5].startswith(("key/", "alias/")):
        return None
    return KeyArn(*parts[3:])


def find(named: KeyArn) -> Key | None:
    """Return the key that an ARN names; None if the emulator's KMS has none."""
    backend = kms_backends[named.account][named.region]
    with _making_managed_key:
        try:
            return backend.describe_key(named.resource.removeprefix("key/"))
        except (AttributeError, KeyError):  # moto fails with the first on an alias that does not exist
            return None


def create(named: KeyArn) -> None:
    """Create the key of an ARN, unless it exists. AWS chooses the id itself."""
    backend = kms_backends[named.account][named.region]
    if find(named) is None:
        key = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "Named by the world", None)
        del backend.keys[key.id]
        key.id, key.arn = named.resource.removeprefix("key/"), str(named)
        backend.keys[key.id] = key


@patch(KmsBackend, "cancel_key_deletion")
@patch(KmsBackend, "disable_key")
@patch(KmsBackend, "enable_key")
@patch(KmsBackend, "schedule_key_deletion")
def _by_arn(original: Callable[..., T], backend: KmsBackend, key_id: str, *others: Any, **named: Any) -> T:
    return original(backend, backend.get_key_id(key_id), *others, **named)
