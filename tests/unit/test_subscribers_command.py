"""`newsletter subscribers …`, as somebody types it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from newsletter.cli import main


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(workspace_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a `subscribers` command in a workspace of its own."""
    monkeypatch.chdir(workspace_folder)

    def command(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(["subscribers", *arguments])
        said = capsys.readouterr()
        return Ended(int(str(ended.value.code)), said.out, said.err)

    return command


@pytest.fixture
def people(workspace_folder: Path) -> Path:
    path = workspace_folder / "people.csv"
    path.write_text(
        "email,name,status,town\nada@example.org,Ada [x] Example,,Northport\nnobody,,,\nben@example.org,Ben,cleaned,\n",
        "utf-8",
    )
    return path


def test_an_import_says_what_became_of_the_rows(run: Run, people: Path) -> None:
    ended = run("import", "people.csv", "--list", "members")
    assert ended.code == 1
    assert "2 added, 0 updated, 0 unchanged, 1 refused" in ended.out
    assert "1 of them unsubscribed from members" in ended.out
    assert "1 of them suppressed from now on" in ended.out
    assert "people.csv:3: An email address must have an @-sign." in ended.err
    assert "people.csv.refused.csv" in ended.err
    assert Path("people.csv.refused.csv").exists()


def test_a_dry_run_leaves_no_trace(run: Run, people: Path) -> None:
    ended = run("import", "people.csv", "--list", "members", "--dry-run")
    assert (ended.code, "Nothing was changed" in ended.out, "2 added" in ended.out) == (1, True, True)
    assert run("list").out == ""
    assert not Path("people.csv.refused.csv").exists()


def test_an_import_as_json(run: Run, people: Path) -> None:
    ended = run("import", "people.csv", "--list", "members", "--report", "refused.csv", "--json")
    assert json.loads(ended.out) == {
        "dry_run": False, "encoding": "utf-8", "separator": ",", "rows": 3, "added": 2, "updated": 0, "unchanged": 0,
        "repeated": 0, "left": 1, "suppressed": 1, "refused": 1,
        "examples": [{"line": 3, "reason": "An email address must have an @-sign."}], "refused_file": "refused.csv",
    }  # fmt: skip
    assert ended.err == ""
    assert Path("refused.csv").read_text("utf-8-sig").splitlines()[1].startswith("3,")


def test_lists_are_shown_by_status_and_as_json(run: Run, people: Path) -> None:
    run("import", "people.csv", "--list", "members")
    assert run("list").out == "members  1 active, 1 unsubscribed\n"
    assert run("list", "--list", "members").out.splitlines() == [
        "ada@example.org\tactive\tAda [x] Example",
        "ben@example.org\tunsubscribed\tBen",
    ]
    [ada] = json.loads(run("list", "--list", "members", "--status", "active", "--json").out)
    assert ada == {
        "email": "ada@example.org", "name": "Ada [x] Example", "status": "active",
        "attributes": {"town": "Northport"}, "tags": [],
    }  # fmt: skip
    assert len(json.loads(run("list", "--list", "members", "--json").out)) == 2
    assert json.loads(run("list", "--list", "members", "--status", "pending", "--json").out) == []
    assert run("list", "--list", "nobody").code == 1
    assert run("list", "--status", "active").code == 2


def test_an_export_is_what_an_import_takes(run: Run, people: Path) -> None:
    run("import", "people.csv", "--list", "members")
    exported = run("export", "--list", "members").out
    assert [row[0] for row in csv.reader(io.StringIO(exported))] == ["email", "ada@example.org", "ben@example.org"]
    Path("again.csv").write_text(exported, "utf-8", newline="")
    assert "0 added, 0 updated, 2 unchanged" in run("import", "again.csv", "--list", "members").out


def test_somebody_is_added_leaves_and_comes_back(run: Run) -> None:
    assert run("add", " Ada@Example.ORG ", "--list", "members", "--tag", "donor", "--attribute", "a=b").code == 0
    assert run("remove", "ada@example.org", "--list", "members").code == 0
    assert "1 unsubscribed" in run("list").out
    assert run("add", "ada@example.org", "--list", "members").code == 0
    assert "1 active" in run("list").out
    shown = json.loads(run("show", "ada@example.org", "--json").out)
    assert shown == {
        "email": "Ada@example.org", "name": "", "attributes": {"a": "b"}, "tags": ["donor"],
        "lists": {"members": "active"}, "suppressions": [],
    }  # fmt: skip
    assert run("remove", "ben@example.org", "--list", "members").code == 1
    assert run("add", "nonsense", "--list", "members").code == 1


def test_an_address_is_suppressed_and_stays_so(run: Run) -> None:
    assert run("suppress", "ada@example.org", "--note", "by phone").code == 0
    assert run("suppress", "ada@example.org", "--reason", "complaint").code == 0
    shown = run("show", "ADA@example.org").out
    assert "not mailed: manual, by cli" in shown
    assert "by phone" in shown
    assert "not mailed: complaint" in shown
    added = run("add", "ada@example.org", "--list", "members")
    assert (added.code, "manual, complaint" in added.err) == (0, True)


def test_who_is_forgotten_comes_back_only_by_their_own_wish(run: Run, people: Path) -> None:
    run("import", "people.csv", "--list", "members")
    assert run("forget", "ADA@example.org", "--yes").code == 0
    assert "asked to be forgotten" in run("show", "ada@example.org").err
    assert "people.csv:2: they asked to be forgotten" in run("import", "people.csv", "--list", "members").err
    refused = run("add", "ada@example.org", "--list", "members")
    assert (refused.code, "--again" in refused.err) == (1, True)
    assert run("suppress", "ada@example.org").code == 1
    assert run("add", "ada@example.org", "--list", "members", "--again").code == 0
    assert run("add", "ada@example.org", "--list", "members").code == 0
    assert "0 added, 1 updated, 1 unchanged" in run("import", "people.csv", "--list", "members").out


def test_forgetting_asks_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("add", "ada@example.org", "--list", "members")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("forget", "ada@example.org").code == 1
    assert run("show", "ada@example.org").code == 0


@pytest.mark.parametrize("command", ["import", "export", "add", "remove", "suppress", "forget", "list", "show"])
def test_every_command_has_an_example_of_itself(run: Run, command: str) -> None:
    assert f"newsletter subscribers {command} " in run(command, "--help").out
