"""What several commands open: the store, the provider, an issue that is fit to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from newsletter.esp.sendgrid import SendGrid
    from newsletter.store import Store
    from newsletter.store.dispatches import Dispatch
    from newsletter.workspace import Edition, Workspace


def opened_store(workspace: Workspace | None = None) -> Store:
    """The database of a workspace, of the one that the current folder is in when None."""
    from newsletter.store import open_store
    from newsletter.workspace import Workspace

    return open_store((workspace or Workspace.open()).database_url)


def opened_provider(workspace: Workspace) -> SendGrid:
    """SendGrid, or whoever stands in for it at SENDGRID_HOST. Raises ProviderError."""
    from newsletter.esp.sendgrid import SendGrid

    environment = workspace.environment
    key = environment.sendgrid_api_key.get_secret_value() if environment.sendgrid_api_key else None
    return SendGrid(key, environment.sendgrid_host)


def secret_of(workspace: Workspace) -> str | None:
    """What signs unsubscribe links."""
    secret = workspace.environment.newsletter_secret
    return secret.get_secret_value() if secret else None


def sendable(workspace: Workspace, name: str | None) -> Edition:
    """The issue called `name`, checked with its rendering. Raises ProblemsFound when it has errors."""
    from newsletter.errors import ProblemsFound, errors_in

    edition = workspace.load(name)
    problems = edition.check()
    if errors_in(problems):
        raise ProblemsFound(problems)
    return edition


def dispatches_named(store: Store, workspace: Workspace, name: str | None, list_name: str | None) -> list[Dispatch]:
    """The dispatches of the issue called `name`, newest first; of the issue that was sent last when None.

    The issue's file may be gone: then `name` is its slug. Raises NewsletterError when there is no such dispatch.
    """
    from newsletter.errors import WorkspaceError
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
