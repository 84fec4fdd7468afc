"""Whose eyes an issue is looked at with."""

from __future__ import annotations

from typing import Any

from newsletter.errors import WorkspaceError
from newsletter.subscriber import Subscriber

SAMPLE = Subscriber(0, "sam@example.org", "Sam Example", {"first_name": "Sam", "last_name": "Example"})


class _Anything(dict[str, str]):
    """Attributes of the sample reader: each has a value, its own name in brackets."""

    def __missing__(self, name: str) -> str:
        return f"[{name}]"


def reader(workspace: Any, email: str | None) -> Subscriber:
    """The subscriber with this address, or a sample one who has every attribute. Raises WorkspaceError."""
    if email is None:
        return Subscriber(0, SAMPLE.email, SAMPLE.name, _Anything(SAMPLE.attributes))
    from newsletter.cli.opened import opened_store
    from newsletter.store.subscribers import subscriber_by_address

    with opened_store(workspace) as store, store.read() as connection:
        person = subscriber_by_address(connection, email)
    if person is None:
        raise WorkspaceError(f"there is no subscriber {email}", hint="see `newsletter subscribers list`")
    return person
