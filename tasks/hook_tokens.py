"""What a task's hooks are known by, derived from the home's key and the task's id: every process of the home can make
them again, and nothing of them but a hash is written down."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable

from ..domain.hooks import HookKeys
from ..domain.job import Plan
from .ids import is_task_id

_ID_LENGTH = 26


def keys_of(home_key: bytes, task_id: str, provider: str) -> HookKeys:
    """Token and secret of a task at a provider: each 256 bits that nobody without the key can tell."""
    return HookKeys(
        token=token_of(home_key, task_id),
        secret=secret_of(home_key, task_id, provider),
    )


def token_of(home_key: bytes, task_id: str) -> str:
    """What is in the address of a task's hooks."""
    return task_id + _derived(home_key, "token", task_id)


def secret_of(home_key: bytes, task_id: str, provider: str) -> str:
    """With what a provider signs the hooks of a task, where it signs with what its submission names."""
    return _derived(home_key, "secret", task_id, provider)


def hook_of(home_key: bytes | None, task_id: str, plans: Iterable[Plan]) -> str | None:
    """What a new record holds of its token; `None` where no gateway of these plans will be asked to call."""
    if home_key is None or not any(plan.callback for plan in plans):
        return None
    return hash_of(token_of(home_key, task_id))


def hash_of(token: str) -> str:
    """What the record holds of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_right(token: str, hashed: str | None) -> bool:
    """Whether a token is the one that the hash is of, told in a time that says nothing."""
    return hashed is not None and hmac.compare_digest(hash_of(token), hashed)


def task_id_in(token: str) -> str | None:
    """The task that a token says it is of; `None` where it has another form."""
    task_id, rest = token[:_ID_LENGTH], token[_ID_LENGTH:]
    return task_id if len(rest) == 43 and token.isascii() and is_task_id(task_id) else None


def proof_of(home_key: bytes, nonce: str) -> str:
    """What shows that a hook that `rushes doctor` sends to itself came to a process of this home."""
    return _derived(home_key, "proof", nonce)


def _derived(home_key: bytes, *what: str) -> str:
    digest = hmac.new(home_key, "\0".join(what).encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")
