"""`newsletter sandbox`: what its options come to, and what a slip in them is answered with."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

import newsletter.sandbox
from newsletter.cli.sandbox import sandbox_command
from newsletter.sandbox import Faults, Sandbox, parse_rule


def started(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[dict[str, Any], str]:
    """How the sandbox is made, and what is printed; it isn't left running."""
    made: dict[str, Any] = {}

    def instead(_port: int, folder: Any, **options: Any) -> Sandbox:
        made.update(options)
        return Sandbox(0, folder, **options)

    def serve(sandbox: Sandbox, ready: Any) -> None:
        with sandbox:
            ready(sandbox)
        raise KeyboardInterrupt

    monkeypatch.setattr(newsletter.sandbox, "Sandbox", instead)
    monkeypatch.setattr(newsletter.sandbox, "serve", serve)
    result = CliRunner().invoke(sandbox_command, arguments)
    assert result.exit_code == 0, result.output
    return made, result.output


def test_without_options_it_behaves(monkeypatch: pytest.MonkeyPatch) -> None:
    made, printed = started(monkeypatch)
    assert made["faults"] == Faults()
    assert "SENDGRID_HOST=http://127.0.0.1:" in printed


def test_all_that_was_asked_for_is_in_force_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made, printed = started(
        monkeypatch, "--fault", "accepted-then-reset=5%", "--fault", "429@3", "--latency", "100ms", "--seed", "7",
        "--refuse", "*@bad.example.org", "--credits", "5000", "--late-cancel", "fails", "--bounce", "b@*",
        "--complain", "c@*", "--events-chaos", "--events", "http://127.0.0.1:9/events", "--keep", "counts",
    )  # fmt: skip
    assert made["faults"] == Faults(
        rules=(parse_rule("accepted-then-reset=5%"), parse_rule("429@3")), latency=(0.1, 0.1),
        refuse=("*@bad.example.org",), credits=5000, late_cancel="fails", bounce=("b@*",), complain=("c@*",),
        events_chaos=True, seed=7,
    )  # fmt: skip
    assert (made["keep"], made["events_url"]) == ("counts", "http://127.0.0.1:9/events")
    assert "accepted-then-reset=5%: accepted, and reset instead of an answer" in printed
    assert "Events are verified by the key M" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "teapot=5%"], "'--fault': there is no fault 'teapot'; there are 429,"),
        (["--fault", "429"], "e.g. accepted-then-reset=5% or 429@3"),
        (["--latency", "soon"], "e.g. 100ms"),
        (["--fault", "500=60%", "--fault", "502=60%"], "more than 100%"),
        (["--events", "http://example.org/"], "isn't on this machine; e.g. http://127.0.0.1"),
    ],
)
def test_a_slip_is_a_usage_error_with_an_example(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(sandbox_command, arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_the_sandbox_starts_without_the_rest_of_the_package() -> None:
    program = (
        "import sys\n"
        "from newsletter.sandbox import Sandbox\n"
        "with Sandbox(): pass\n"
        "others = {name for name in sys.modules if name.startswith('newsletter.')}\n"
        "print({name for name in others if not name.startswith('newsletter.sandbox')}, 'cryptography' in sys.modules)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "set() False\n", ended.stderr
