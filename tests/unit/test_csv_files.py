"""Lists as other systems export them; on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from newsletter.errors import StoreError
from newsletter.store import Store
from newsletter.store import import_csv as importing
from newsletter.store.export_csv import export_csv
from newsletter.store.forgotten import forget
from newsletter.store.import_csv import ImportProgress, ImportReport, import_csv
from newsletter.store.subscribers import (
    Member,
    MembershipStatus,
    change_membership,
    list_sizes,
    members,
    subscriber_by_address,
)
from newsletter.store.suppressions import suppressions_of
from newsletter.store.tables import memberships, subscribers

NOW = datetime(2026, 3, 31, tzinfo=UTC)

Import = Callable[..., ImportReport]


@pytest.fixture
def imported(store: Store, tmp_path: Path) -> Import:
    """Imports a file of that content."""

    def run(content: str | bytes, list_name: str = "members", **options: Any) -> ImportReport:
        path = tmp_path / "people.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_csv(store, path, list_name, now=NOW, **options)

    return run


def on_list(store: Store, list_name: str = "members") -> dict[str, Member]:
    with store.read() as connection:
        return {each.subscriber.email: each for each in members(connection, list_name)}


def refused(report: ImportReport) -> list[tuple[int, str]]:
    return [(each.line, each.reason) for each in report.examples]


def test_import_is_idempotent_and_one_bad_line_loses_no_other(store: Store, imported: Import) -> None:
    text = (
        "Email Address,Full Name,Region\n"
        "ada@Example.org,Ada Example,north\n"
        "nobody,,\n"
        '"ben@example.org","Ben\nExample",\n'
        "ADA@example.org,,south\n"
    )
    report = imported(text)
    assert (report.rows, report.people.added, report.people.repeated, report.refused) == (4, 2, 1, 1)
    assert [line for line, _ in refused(report)] == [3]
    again = imported(text).people
    assert (again.added, again.updated, again.unchanged, again.repeated) == (0, 0, 2, 1)
    people = on_list(store)
    ada = people["ada@example.org"].subscriber
    assert (ada.name, ada.attributes, ada.created_at) == ("Ada Example", {"region": "south"}, NOW)
    assert people["ben@example.org"].subscriber.name == "Ben Example"
    assert people["ben@example.org"].source == "import of people.csv"


@pytest.mark.parametrize(
    ("content", "encoding", "separator"),
    [
        ("\ufeffemail;name\nzoe@example.org;Zoë\n", "utf-8-sig", ";"),
        ("email;name\r\nzoe@example.org;Zoë\r\n".encode("cp1252"), "cp1252", ";"),
        ("E-Mail\tName\nzoe@example.org\tZoë\n", "utf-8", "\t"),
        ("Email Address\tName\r\nzoe@example.org\tZoë\r\n".encode("utf-16"), "utf-16", "\t"),
        ("email,name\nzoe@example.org,Zoë\n".encode("utf-16-be"), "utf-16-be", ","),
        ("sep=;\r\nName;Email\r\nZoë;zoe@example.org\r\n", "utf-8", ";"),
        ("sep=|\nName|Email\nZoë|zoe@example.org", "utf-8", "|"),
        ("email,name\rzoe@example.org,Zoë\r", "utf-8", ","),
        ('"Name, in full";"first;\nsecond";"Email"\n;;zoe@example.org\nZoë;;zoe@example.org\n', "utf-8", ";"),
    ],
    ids=[
        "Excel with a byte order mark", "Windows-1252", "tabs", "Excel's Unicode text", "UTF-16 without a mark", "sep=",
        "sep= with bars", "old Mac line ends", "separators within the headings",
    ],
)  # fmt: skip
def test_what_spreadsheets_write_is_read(
    store: Store, imported: Import, content: str | bytes, encoding: str, separator: str
) -> None:
    report = imported(content)
    assert (report.encoding, report.separator, report.people.added, report.refused) == (encoding, separator, 1, 0)
    attributes = on_list(store)["zoe@example.org"].subscriber
    assert "Zoë" in (attributes.name, attributes.attributes.get("name_in_full"))


MAILCHIMP = '''"Email Address","First Name","Last Name",Address,MEMBER_RATING,OPTIN_TIME,TAGS
zoe@example.org,Zoe,Example,"1 Test Street",2,"2024-05-01 10:00:00","""Donor"",""Press list"""
'''
MAILCHIMP_CLEANED = """"Email Address","First Name",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE
zoe@example.org,Zoe,"2024-05-01 10:00:00",May
"""
SUBSTACK = "Email,Stripe plan,Start date,email_disabled\nzoe@example.org,,2024-05-01,true\n"
GHOST = 'id,email,name,note,subscribed_to_emails,labels\n1,zoe@example.org,Zoe Example,,true,"donor,press"\n'
LISTMONK = """uuid,email,name,attributes,status,created_at
u1,zoe@example.org,Zoe,"{""city"": ""Northport"", ""age"": 41, ""none"": null}",enabled,2024-05-01
"""
GOOGLE = """Given Name,Family Name,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value
Zoe,Example,* myContacts ::: Work,Home,zoe@example.org,z@example.org
"""
OUTLOOK = """"First Name","Last Name","E-mail Address","E-mail 2 Address"
"Zoe","Example","zoe@example.org",""
"""


@pytest.mark.parametrize(
    ("content", "name", "attributes", "tags", "status"),
    [
        (
            MAILCHIMP, "Zoe Example",
            {"first_name": "Zoe", "last_name": "Example", "address": "1 Test Street", "member_rating": "2", "optin_time": "2024-05-01 10:00:00"},
            ("Donor", "Press list"), "active",
        ),
        (MAILCHIMP_CLEANED, "Zoe", {"first_name": "Zoe", "clean_campaign_title": "May"}, (), "unsubscribed"),
        (SUBSTACK, "", {"start_date": "2024-05-01"}, (), "unsubscribed"),
        (GHOST, "Zoe Example", {"id": "1"}, ("donor", "press"), "active"),
        (LISTMONK, "Zoe", {"uuid": "u1", "created_at": "2024-05-01", "city": "Northport", "age": "41"}, (), "active"),
        (
            GOOGLE, "Zoe Example",
            {"first_name": "Zoe", "last_name": "Example", "e_mail_1_label": "Home", "e_mail_2_value": "z@example.org"},
            ("myContacts", "Work"), "active",
        ),
        (OUTLOOK, "Zoe Example", {"first_name": "Zoe", "last_name": "Example"}, (), "active"),
    ],
    ids=["Mailchimp", "Mailchimp's cleaned", "Substack", "Ghost", "listmonk", "Google Contacts", "Outlook"],
)  # fmt: skip
def test_what_other_systems_export_is_understood(
    *,
    store: Store,
    imported: Import,
    content: str,
    name: str,
    attributes: dict[str, str],
    tags: tuple[str, ...],
    status: str,
) -> None:
    imported(content)
    member = on_list(store)["zoe@example.org"]
    person = member.subscriber
    assert (person.name, person.attributes, person.tags, member.status) == (name, attributes, tags, status)


@pytest.mark.parametrize(
    ("word", "status", "evidence"),
    [
        ("subscribed", "active", []),
        ("", "active", []),
        ("Pending", "pending", []),
        ("unsubscribed", "unsubscribed", []),
        ("non-subscribed", "unsubscribed", []),
        ("cleaned", "unsubscribed", ["bounce"]),
        ("complained", "unsubscribed", ["complaint"]),
        ("blocklisted", "unsubscribed", ["manual"]),
    ],
)
def test_who_was_not_mailed_there_is_not_mailed_here(
    store: Store, imported: Import, word: str, status: str, evidence: list[str]
) -> None:
    for _ in range(2):
        imported(f"email,status\nzoe@example.org,{word}\n")
    assert on_list(store)["zoe@example.org"].status == status
    with store.read() as connection:
        assert [each.reason for each in suppressions_of(connection, "zoe@example.org")] == evidence


def test_addresses_in_other_alphabets_are_one_person_with_their_ascii_form(store: Store, imported: Import) -> None:
    report = imported("email\nzoe@BÜCHER.example\nZOE@xn--bcher-kva.example\nzoë@example.org\n")
    assert (report.people.added, report.people.repeated) == (1, 1)
    assert [line for line, _ in refused(report)] == [4]
    assert list(on_list(store)) == ["zoe@xn--bcher-kva.example"]


def test_a_report_is_never_written_over_the_file(store: Store, imported: Import, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="over"):
        imported("email\nada@example.org\n", report_file=tmp_path / "people.csv")
    assert (tmp_path / "people.csv").read_text() == "email\nada@example.org\n"
    with pytest.raises(StoreError, match="No such file"):
        imported("email\nada@example.org\n", report_file=tmp_path / "nowhere" / "report.csv")


def test_a_status_that_nobody_knows_is_refused_rather_than_mailed(store: Store, imported: Import) -> None:
    report = imported("email,status\nada@example.org,gold\nben@example.org,active\n")
    assert refused(report)[0][0] == 2
    assert "gold" in refused(report)[0][1]
    assert list(on_list(store)) == ["ben@example.org"]


def test_an_import_brings_nobody_back_but_may_take_somebody_off(store: Store, imported: Import) -> None:
    imported("email\nada@example.org\nben@example.org\n")
    with store.write() as connection:
        ada = subscriber_by_address(connection, "ada@example.org")
        assert ada is not None
        change_membership(connection, "members", ada.id, MembershipStatus.UNSUBSCRIBED, source="test", now=NOW)
    report = imported("email,status\nada@example.org,active\nben@example.org,unsubscribed\n")
    assert (report.people.left, report.people.updated, report.people.unchanged) == (2, 1, 1)
    assert {each.status for each in on_list(store).values()} == {MembershipStatus.UNSUBSCRIBED}
    imported("email,status\nben@example.org,active\n")
    assert on_list(store)["ben@example.org"].status is MembershipStatus.UNSUBSCRIBED


def test_who_asked_to_be_forgotten_is_refused(store: Store, imported: Import) -> None:
    imported("email\nada@example.org\nben@example.org\n")
    with store.write() as connection:
        forget(connection, "ada@example.org", now=NOW)
    report = imported("email\nada@example.org\nben@example.org\nADA@example.org\n")
    assert refused(report) == [(2, "they asked to be forgotten"), (4, "they asked to be forgotten")]
    assert list(on_list(store)) == ["ben@example.org"]


def test_known_people_join_another_list_and_lose_nothing(store: Store, imported: Import) -> None:
    imported("email,name,tags,region\nada@example.org,Ada,donor,north\n")
    report = imported("email,name,tags,town\nada@example.org,,press,Northport\n", "friends")
    assert (report.people.added, report.people.updated) == (1, 0)
    person = on_list(store, "friends")["ada@example.org"].subscriber
    assert (person.name, person.tags) == ("Ada", ("donor", "press"))
    assert person.attributes == {"region": "north", "town": "Northport"}


def test_every_refused_row_is_written_with_its_line_its_reason_and_as_it_was(
    store: Store, imported: Import, tmp_path: Path
) -> None:
    report = imported(
        "email,name\n"
        '"ada@example.org","Ada\n\nof two lines"\n'
        "\n"
        ",Nobody\n"
        '=1+1@,"=cmd"\n'
        'cleo@example.org,"never closed\n'
        "dan@example.org,Dan\n"
        "eva@example.org,Eva,one,too many\n"
        'finn@example.org,"Finn "the second" Example"\n'
        "gus@example.org\n"
        "hal@example.org,a zero\0byte\n"
    )
    assert report.refused_file == tmp_path / "people.csv.refused.csv"
    with report.refused_file.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["line", "reason", "row"]
    assert [(row[0], row[2]) for row in rows] == [
        ("6", ",Nobody"),
        ("7", '\'=1+1@,"=cmd"'),
        ("8", 'cleo@example.org,"never closed'),
        ("10", "eva@example.org,Eva,one,too many"),
        ("11", 'finn@example.org,"Finn "the second" Example"'),
        ("13", "hal@example.org,a zero\0byte"),
    ]
    assert "no address" in rows[0][1]
    assert "4 values for 2 columns" in rows[3][1]
    assert list(on_list(store)) == ["ada@example.org", "dan@example.org", "gus@example.org"]
    assert report.rows == report.people.added + report.refused == 9
    assert report.refused_file.stat().st_mode & 0o077 == 0
    # When nothing is refused any more, nothing says so.
    assert imported("email\nada@example.org\n").refused_file is None
    assert not (tmp_path / "people.csv.refused.csv").exists()


def test_a_line_in_another_encoding_costs_only_itself(store: Store, imported: Import) -> None:
    lines = ["email,name", "zoe@example.org,Zoë", "rene@example.org,René", "ada@example.org,Ada"]
    content = b"\n".join([line.encode() for line in lines] + ["eva@example.org,Éva".encode("cp1252")])
    report = imported(content)
    assert [line for line, _ in refused(report)] == [5]
    assert on_list(store)["rene@example.org"].subscriber.name == "René"


def test_a_dry_run_tells_the_same_and_changes_nothing(store: Store, imported: Import, tmp_path: Path) -> None:
    imported("email,name\nada@example.org,Ada\n")
    text = "email,name,status\nada@example.org,Ada E.,active\nnobody,,\nben@example.org,Ben,cleaned\n"
    dry = imported(text, "friends", dry_run=True)
    assert (dry.people.added, dry.people.left, dry.people.suppressed, dry.refused) == (2, 1, 1, 1)
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["people.csv"]
    with store.read() as connection:
        assert list(list_sizes(connection)) == ["members"]
        assert suppressions_of(connection, "ben@example.org") == []
    assert on_list(store)["ada@example.org"].subscriber.name == "Ada"
    report = tmp_path / "asked for.csv"
    assert imported(text, "friends", dry_run=True, report_file=report).refused_file == report
    assert "nobody" in report.read_text("utf-8-sig")
    assert imported(text, "friends").people == dry.people


def test_a_long_file_goes_in_by_chunks_and_somebody_in_two_of_them_is_one_person(
    store: Store, imported: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_CHUNK", 10)
    text = "email,n\n" + "".join(f"p{number % 25}@example.org,{number}\n" for number in range(60))
    seen: list[ImportProgress] = []
    report = imported(text, progress=seen.append)
    assert (report.rows, report.people.added, report.people.repeated) == (60, 25, 35)
    assert [each.rows for each in seen] == [10, 20, 30, 40, 50, 60]
    assert seen[-1].bytes_read == seen[-1].bytes_total == len(text)
    assert on_list(store)["p3@example.org"].subscriber.attributes == {"n": "53"}
    with store.read() as connection:
        assert list_sizes(connection)["members"][MembershipStatus.ACTIVE] == 25


def test_what_an_import_writes_is_what_the_rest_of_the_store_reads(store: Store, imported: Import) -> None:
    """The driver is given rows past SQLAlchemy: a time has to be the same in the database, by either way."""
    imported("email\nada@example.org\n")
    with store.write() as connection:
        ada = subscriber_by_address(connection, "ada@example.org")
        assert ada is not None
        change_membership(connection, "members", ada.id, MembershipStatus.ACTIVE, source="test", now=NOW)
        same = select(func.count()).where(memberships.c.changed_at == subscribers.c.created_at)
        assert connection.scalar(same) == 1


def test_an_export_is_safe_in_a_spreadsheet_and_comes_back_the_same(store: Store, imported: Import) -> None:
    imported(
        "email,name,tags,note,other,=odd\n"
        'ada@example.org,Ada,"donor;press","=HYPERLINK(""x"")",\'=quoted,1\n'
        "ben@example.org,+Ben,,-1,,\n"
    )
    file = io.StringIO()
    with store.read() as connection:
        assert export_csv(connection, "members", file) == 2
    for row in csv.reader(io.StringIO(file.getvalue())):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    before = on_list(store)
    again = imported(file.getvalue()).people
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    imported(file.getvalue(), "others")
    assert {email: each.subscriber for email, each in on_list(store, "others").items()} == {
        email: each.subscriber for email, each in before.items()
    }


def test_an_export_knows_every_attribute_of_the_list_and_none_of_another(store: Store, imported: Import) -> None:
    imported("email,town,plan\nada@example.org,Northport,\nben@example.org,,free\n")
    imported("email,secret\ncleo@example.org,x\n", "others")
    file = io.StringIO()
    with store.read() as connection:
        export_csv(connection, "members", file)
    assert file.getvalue().splitlines()[0] == "email,name,status,tags,plan,town"


@pytest.mark.parametrize("content", ["name,region\nAda,north\n", "", "\n", '"email\n', b"\xff\xfe"])
def test_a_file_without_addresses_is_refused_and_makes_no_list(
    store: Store, imported: Import, content: str | bytes
) -> None:
    with pytest.raises(StoreError, match="address"):
        imported(content)
    with store.read() as connection:
        assert list_sizes(connection) == {}
