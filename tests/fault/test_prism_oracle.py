"""Our calls before an independent judge: Prism, with the provider's public OpenAPI description.

It runs where a copy of the description is at hand: NEWSLETTER_SENDGRID_OPENAPI names `tsg_mail_v3.json`, and `make prism`
has installed Prism. Prism answers 202 to what the description allows, else 400 with its reasons in `sl-violations`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.esp import Accepted, BatchId, Recipient, RequestRefused
from newsletter.esp.sendgrid import SendGrid
from newsletter.issue import InlineImage

from .conftest import KEY, ORDER, Mailing, rendered

PRISM = Path(__file__).parents[1] / "prism" / "node_modules" / ".bin" / "prism"
DESCRIPTION = os.environ.get("NEWSLETTER_SENDGRID_OPENAPI")


@pytest.fixture(scope="module")
def prism() -> Iterator[str]:
    if not DESCRIPTION:
        pytest.skip("NEWSLETTER_SENDGRID_OPENAPI doesn't name a copy of the provider's description")
    if not PRISM.exists() or shutil.which("node") is None:
        pytest.skip("Prism isn't installed: make prism")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PRISM, "mock", "-h", "127.0.0.1", "-p", str(port), "--errors", DESCRIPTION]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def test_prism_takes_a_whole_sending(prism: str, mailing: Mailing) -> None:
    mailing.people(1000)
    dispatch = mailing.planned(batch_size=1000)
    done = mailing.send(dispatch, prism, timeout=30.0)
    assert (done.tally.accepted, done.tally.refused) == (1000, 0)


def test_prism_takes_every_field_that_we_can_write(prism: str) -> None:
    envelope = replace(
        ORDER.envelope, public_url=None, unsubscribe_group=7, reply_to="answers@example.org", categories=("a", "b")
    )
    image = InlineImage("lamp-1", "lamp-1.png", "image/png", b"\x89PNG")
    with SendGrid(KEY, prism) as provider:
        batch = provider.new_batch_id()
        assert isinstance(batch, BatchId)
        message = envelope.message(
            replace(rendered(""), images=(image,)), send_at=datetime.now(UTC) + timedelta(hours=1), batch_id=batch.value
        )
        person = Recipient(
            "ada@example.org", "Ada; Example", {"zqabcde0000h": "Ada"}, {"X-One": "1"}, {"nl_delivery": "1"}
        )
        assert isinstance(provider.send(message, [person]), Accepted)


def test_prism_refuses_what_it_should(prism: str) -> None:
    """So that a Prism that lets everything through is noticed."""
    with SendGrid(KEY, prism) as provider:
        message = replace(ORDER.envelope, categories=tuple(map(str, range(11)))).message(rendered(""))
        assert isinstance(provider.send(message, [Recipient("ada@example.org")]), RequestRefused)
