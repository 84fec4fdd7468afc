"""A SendGrid on this machine: it holds callers to the provider's contract and keeps what recipients would have got.

    with Sandbox() as sandbox:
        client = SendGridAPIClient("SG.any", host=sandbox.url)
        ...
        assert sandbox.accepted["ada@example.org"] == 1

It shares no code with the sender that it judges. Told to, it misbehaves (see `faults`).
"""

from newsletter.sandbox.faults import FAULTS, Fault, Faults, Rule, parse_latency, parse_rule
from newsletter.sandbox.received import Received
from newsletter.sandbox.server import PortInUseError, Sandbox, serve

__all__ = [
    "FAULTS", "Fault", "Faults", "PortInUseError", "Received", "Rule", "Sandbox", "parse_latency", "parse_rule",
    "serve",
]  # fmt: skip
