"""Which dispatch a command is about: by the name of its issue, and its list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.errors import NewsletterError, WorkspaceError

if TYPE_CHECKING:
    from newsletter.store import Store
    from newsletter.store.dispatches import Dispatch
    from newsletter.workspace import Workspace


def dispatches_named(store: Store, workspace: Workspace, name: str | None, list_name: str | None) -> list[Dispatch]:
    """The dispatches of the issue called `name`, newest first; of the issue that was sent last when None.

    The issue's file may be gone: then `name` is its slug. Raises NewsletterError when there is no such dispatch.
    """
    from newsletter.store.dispatches import dispatches_of

    with store.read() as connection:
        everything = dispatches_of(connection)
    if not everything:
        raise NewsletterError("nothing has been sent yet", hint="`newsletter send ISSUE --list NAME` sends an issue")
    slug = name
    if name is None:
        slug = everything[-1].issue_slug
    elif name not in {each.issue_slug for each in everything}:
        try:
            slug = workspace.load(name).slug
        except WorkspaceError:
            slug = name
    found = [each for each in everything if each.issue_slug == slug and list_name in (None, each.list_name)]
    if not found:
        known = ", ".join(dict.fromkeys(each.issue_slug for each in reversed(everything)))
        raise NewsletterError(f"`{slug}` has not been sent", hint=f"sent were {known}")
    return found[::-1]


def one_dispatch(store: Store, workspace: Workspace, name: str | None, list_name: str | None) -> Dispatch:
    """The newest dispatch of an issue. Raises NewsletterError when it went to several lists and none is named."""
    found = dispatches_named(store, workspace, name, list_name)
    lists = list(dict.fromkeys(each.list_name for each in found))
    if len(lists) > 1:
        raise NewsletterError(f"`{found[0].issue_slug}` went to several lists", hint=f"add --list: {', '.join(lists)}")
    return found[0]
