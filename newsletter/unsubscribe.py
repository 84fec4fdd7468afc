"""Signed unsubscribe tokens: a link that names a subscriber and a list, and that nobody else can make up."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

_PURPOSE = b"newsletter unsubscribe 1\0"
"""Part of what is signed, so that a signature made for something else with the same secret is not a token."""
_MAC_LENGTH = 16
"""Bytes kept of the SHA-256 HMAC: half, the least that RFC 2104 §5 advises, so that links stay short."""


def sign(secret: str, subscriber_id: int, list_name: str) -> str:
    """A token, in the base64url alphabet without padding, that lets its bearer leave `list_name`, and nothing else."""
    claim = f"{subscriber_id}\0{list_name}".encode()
    return urlsafe_b64encode(_mac(secret, claim) + claim).rstrip(b"=").decode()


def verify(secret: str, token: str) -> tuple[int, str]:
    """The subscriber's id and the list's name that `token` was made for. Raises ValueError when it wasn't by `sign`."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        raise ValueError("this unsubscribe link is damaged") from None
    mac, claim = raw[:_MAC_LENGTH], raw[_MAC_LENGTH:]
    if not hmac.compare_digest(mac, _mac(secret, claim)):
        raise ValueError("this unsubscribe link is damaged, or was not made by us")
    subscriber_id, _, list_name = claim.decode().partition("\0")
    return int(subscriber_id), list_name


def _mac(secret: str, claim: bytes) -> bytes:
    if not secret:
        raise ValueError("the secret that signs unsubscribe links is empty")
    return hmac.digest(secret.encode(), _PURPOSE + claim, hashlib.sha256)[:_MAC_LENGTH]
