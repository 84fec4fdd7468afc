"""Signed unsubscribe tokens: a link that names a subscriber and a list, and that nobody else can make up."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from hashlib import blake2b

_PURPOSE = b"unsubscribe 1"
"""Goes into the signature, so that one made for something else with the same secret is not a token."""
_MAC_LENGTH = 16
"""Bytes of the keyed BLAKE2b (RFC 7693 §2.9): nobody guesses 128 bits, and links stay short."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Signer:
    """Makes tokens for the subscribers of one list."""

    def __init__(self, secret: str, list_name: str) -> None:
        self._keyed = _keyed(secret)
        self._list = f"\0{list_name}".encode()

    def token(self, subscriber_id: int) -> str:
        """A token in unpadded base64url (RFC 4648 §5) that lets its bearer leave the list, and nothing else."""
        claim = b"%d" % subscriber_id + self._list
        mac = self._keyed.copy()
        mac.update(claim)
        return b2a_base64(mac.digest() + claim, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def verify(secret: str, token: str) -> tuple[int, str]:
    """The subscriber and the list that `token` was made for. Raises ValueError when no Signer made it."""
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
    mac = _keyed(secret)
    mac.update(claim)
    return mac.digest()


def _keyed(secret: str) -> blake2b:
    if not secret:
        raise ValueError("the secret that signs unsubscribe links is empty")
    return blake2b(digest_size=_MAC_LENGTH, key=blake2b(secret.encode()).digest(), person=_PURPOSE)
