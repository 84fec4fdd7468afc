"""A SendGrid on this machine: it holds callers to the provider's contract and keeps what recipients would have got.

    with Sandbox() as sandbox:
        client = SendGridAPIClient("SG.any", host=sandbox.url)
        ...
        assert sandbox.accepted["ada@example.org"] == 1

It shares no code with the sender that it judges.
"""

from newsletter.sandbox.received import Received
from newsletter.sandbox.server import PortInUseError, Sandbox, serve

__all__ = ["PortInUseError", "Received", "Sandbox", "serve"]
