"""What the Send page finds out around a plan: the issue as it can be sent, its file by its slug, git, the sandbox."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from newsletter.dispatch.plan import Plan
from newsletter.issue import RenderedIssue
from newsletter.outbox import order_of
from newsletter.sandbox import Sandbox
from newsletter.store import Store
from newsletter.studio.sending.planning import git_words, sandbox_is_off, stoppers_of
from newsletter.studio.sending.sendable import Failure, Shape, file_of, look_at, render_variant, shape_of
from newsletter.workspace import Edition, Workspace

ISSUE = """\
subject: Tides
preheader: High water at noon
blocks:
  - type: text
    body: Hello
  - type: text
    when: subscriber.region == "north"
    body: The north
"""


@pytest.fixture
def root(workspace_folder: Path) -> Path:
    (workspace_folder / "issues" / "2026-03-31-tides.yaml").write_text(ISSUE, "utf-8")
    return workspace_folder


def test_a_look_tells_whether_it_can_be_sent(root: Path) -> None:
    path = root / "issues" / "2026-03-31-tides.yaml"
    fine = look_at(root, path)
    assert (fine.slug, fine.title, fine.text, fine.blocks, fine.errors) == ("2026-03-31-tides", "Tides", ISSUE, 2, [])
    assert fine.digest is not None
    path.write_text(ISSUE + "\n# a note\n", "utf-8")
    assert look_at(root, path).digest == fine.digest, "a comment changes nothing that is sent"
    path.write_text(ISSUE.replace("Hello", "Hello all"), "utf-8")
    assert look_at(root, path).digest not in (None, fine.digest)
    path.write_text(ISSUE.replace("type: text", "type: txt"), "utf-8")
    broken = look_at(root, path)
    assert broken.digest is None
    assert broken.errors


def test_a_variant_is_rendered_from_the_text_that_was_shown(root: Path) -> None:
    path = root / "issues" / "2026-03-31-tides.yaml"
    path.write_text("something else by now", "utf-8")
    north, others = (render_variant(root, path, ISSUE, variant) for variant in ("1", "0"))
    assert isinstance(north, RenderedIssue)
    assert isinstance(others, RenderedIssue)
    assert "The north" in north.html
    assert "The north" not in others.html
    assert isinstance(render_variant(root, path, "blocks: []", ""), Failure)


def test_an_issue_is_found_by_its_slug_whatever_its_file_is_called(root: Path) -> None:
    tides = root / "issues" / "2026-03-31-tides.yaml"
    assert file_of(root, "2026-03-31-tides") == tides
    other = root / "issues" / "other.yaml"
    other.write_text(ISSUE.replace("blocks:", "slug: spring\nblocks:"), "utf-8")
    assert file_of(root, "spring") == other
    assert file_of(root, "other") is None, "it has a slug of its own"
    assert shape_of(root, "spring") == Shape("digest", 2)
    assert file_of(root, "gone") is None
    assert shape_of(root, "gone") is None


@pytest.mark.skipif(shutil.which("git") is None, reason="git isn't there")
def test_what_git_says_of_a_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "issues" / "2026-03-31-tides.yaml"
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(root.parent))
    assert git_words(path) is None, "no repository, nothing to say"

    def git(*words: str) -> None:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)

    git("init")
    assert git_words(path) == "isn't in git yet"
    git("add", ".")
    assert git_words(path) == "has changes that aren't committed"
    git("commit", "-m", "first")
    assert git_words(path) is None
    path.write_text(ISSUE + "\n", "utf-8")
    assert git_words(path) == "has changes that aren't committed"


def test_a_sandbox_that_does_not_run_is_noticed(root: Path) -> None:
    workspace = Workspace.open(root)
    with Sandbox() as sandbox:
        local = workspace.with_environment(sendgrid_host=sandbox.url)
        assert not sandbox_is_off(local)
    assert sandbox_is_off(local)
    assert not sandbox_is_off(workspace.with_environment(sendgrid_host="https://api.example.org"))


PLAN = Plan(recipients=3, batches=1, variants={"": 3}, suppressed={}, had_it=0, renderings={})


@pytest.mark.parametrize(
    ("plan", "key", "words"),
    [
        (PLAN, "SG.key", []),
        (PLAN, None, ["no key"]),
        (replace(PLAN, recipients=0), "SG.key", ["Nobody would get it"]),
        (replace(PLAN, recipients=0, had_it=3), "SG.key", ["has had this issue"]),
        (replace(PLAN, unrenderable_count=2), "SG.key", ["for 2 people"]),
    ],
)
def test_what_stands_in_the_way(
    edition: Callable[..., Edition], store: Store, plan: Plan, key: str | None, words: list[str]
) -> None:
    issue = edition("blocks:\n  - type: text\n    body: Hello\n")
    workspace = issue.workspace.with_environment(sendgrid_api_key=SecretStr(key) if key else None)
    found = stoppers_of(workspace, store, order_of(issue, list_name="members"), plan)
    assert len(found) == len(words)
    assert all(wanted in told for wanted, told in zip(words, found, strict=True))


def test_a_rehearsal_needs_no_key_when_it_brings_its_sandbox(edition: Callable[..., Edition], store: Store) -> None:
    issue = edition("blocks:\n  - type: text\n    body: Hello\n")
    workspace = issue.workspace.with_environment(sendgrid_api_key=None)
    order = replace(order_of(issue, list_name="members"), rehearsal=True)
    assert stoppers_of(workspace, store, order, PLAN) == []
