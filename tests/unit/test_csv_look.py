"""What the columns of a file seem to mean, what they can be made to mean, and its first rows as they would be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.store import open_store
from newsletter.store.csv_columns import CsvColumn, Meaning, columns_of
from newsletter.store.csv_look import CsvLook, look_at_csv, read_rows
from newsletter.store.import_csv import import_csv
from newsletter.store.subscribers import members

NOW = datetime(2026, 3, 31, tzinfo=UTC)
EMAIL, NAME, NOTHING = CsvColumn(Meaning.EMAIL, "email"), CsvColumn(Meaning.NAME, "name"), CsvColumn(Meaning.NOTHING)


def attribute(name: str) -> CsvColumn:
    return CsvColumn(Meaning.ATTRIBUTE, name)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a file of that content."""

    def write(content: str) -> Path:
        path = tmp_path / "people.csv"
        path.write_text(content, "utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("header", "meanings"),
    [
        ("Email,Name,Region", ["email", "name", "attribute"]),
        ("Full Name,E-Mail,Name", ["attribute", "email", "name"]),
        ("mail,email", ["attribute", "email"]),
        ("email,tags,labels,,attributes", ["email", "tags", "tags", "nothing", "json"]),
        ("email,status,opted_in,email_disabled", ["email", "status", "subscribed", "stopped"]),
        ("email,unsub_time,cleaned_at", ["email", "left at", "bounced at"]),
        ("Vorname,Nachname", ["attribute", "attribute"]),
    ],
)
def test_columns_are_known_by_what_other_systems_call_them(header: str, meanings: list[str]) -> None:
    assert [column.meaning.value for column in columns_of(header.split(","))] == meanings


def test_an_attribute_is_called_as_expressions_can_ask_for_it() -> None:
    names = [column.name for column in columns_of(["Vorname", "Member since", "first name", "E-Mail"])]
    assert names == ["first_name", "member_since", "first_name", "e_mail"]


@pytest.mark.parametrize(
    ("content", "header", "named", "separator", "columns"),
    [
        (
            "Kontakt;Wer\nada@example.org;Ada\n",
            ("Kontakt", "Wer"), True, ";", (CsvColumn(Meaning.EMAIL, "kontakt"), attribute("wer")),
        ),
        (
            "Old,New\nnobody,ada@example.org\nx@,ben@example.org\n",
            ("Old", "New"), True, ",", (attribute("old"), CsvColumn(Meaning.EMAIL, "new")),
        ),
        ("ada@example.org\nben@example.org\n", ("Column 1",), False, ",", (CsvColumn(Meaning.EMAIL, "column_1"),)),
        (
            "Ada Example\tada@example.org\nBen\tben@example.org\n",
            ("Column 1", "Column 2"), False, "\t", (NAME, CsvColumn(Meaning.EMAIL, "column_2")),
        ),
        (
            "ada@example.org|Ada|north\n",
            ("Column 1", "Column 2", "Column 3"), False, "|",
            (CsvColumn(Meaning.EMAIL, "column_1"), attribute("column_2"), attribute("column_3")),
        ),
        ("One,Two\n1,2\n", ("One", "Two"), True, ",", (attribute("one"), attribute("two"))),
    ],
    ids=["by what it holds", "the column with more", "only addresses", "names and addresses", "bars", "none is there"],
)  # fmt: skip
def test_without_a_name_that_says_it_the_address_is_the_column_that_holds_addresses(
    file: Callable[[str], Path], *, content: str, header: tuple[str, ...], named: bool, separator: str, columns: object
) -> None:
    look = look_at_csv(file(content))
    assert (look.header, look.names_columns, look.separator, look.columns) == (header, named, separator, columns)


def test_whoever_looks_knows_better_whether_the_first_line_names_the_columns(file: Callable[[str], Path]) -> None:
    path = file("Ada,ada@example.org\nBen,ben@example.org\n")
    look = look_at_csv(path, names_columns=True)
    assert (look.header, [row.line for row in look.rows]) == (("Ada", "ada@example.org"), [2])
    path = file("name,email\n")
    assert [row.line for row in look_at_csv(path, names_columns=False).rows] == [1]


@pytest.mark.parametrize("content", ["", "\n", ",,\n", " ;\n"])
def test_an_empty_file_is_told(file: Callable[[str], Path], content: str) -> None:
    with pytest.raises(StoreError, match="empty"):
        look_at_csv(file(content))


def read(look: CsvLook, *columns: CsvColumn) -> list[tuple[int, str, str | None]]:
    rows = read_rows(look.rows, columns or look.columns)
    return [(row.line, row.person.email if row.person else "", row.fault) for row in rows]


def test_rows_are_shown_as_they_would_be_read_with_the_lines_of_those_that_would_not(
    file: Callable[[str], Path],
) -> None:
    look = look_at_csv(
        file(
            'email,name,status\nada@Example.org,Ada,\nnobody,,\n,,\nben@example.org,Ben,gold\ncleo@example.org,"open\n'
        )
    )
    (ada, first, no_fault), (_, _, at_sign), empty, (_, _, gold), (line, _, quote) = read(look)
    assert (ada, first, no_fault) == (2, "ada@example.org", None)
    assert "@-sign" in str(at_sign)
    assert empty == (4, "", None)
    assert "gold" in str(gold)
    assert (line, quote) == (6, "a quotation mark is never closed")
    # The word means something else: then it is an attribute, and nobody is refused for it.
    assert [fault for _, _, fault in read(look, EMAIL, NAME, attribute("status"))][3] is None


def test_only_the_first_rows_are_shown(file: Callable[[str], Path]) -> None:
    look = look_at_csv(file("email\n" + "ada@example.org\n" * 50))
    assert [row.line for row in look.rows] == list(range(2, 12))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((NAME, NOTHING), "no column of the file is the address"),
        ((EMAIL, EMAIL), "2 columns of the file are the address"),
        ((EMAIL, NAME, NAME), "2 columns of the file are the name"),
    ],
)
def test_one_column_is_the_address_and_at_most_one_the_name(columns: tuple[CsvColumn, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_rows([], columns)


@pytest.mark.parametrize(
    ("content", "columns", "named", "person"),
    [
        ("a,b,c\nx,Ada,ada@example.org\n", (NOTHING, NAME, EMAIL), True, ("Ada", {}, ())),
        ("email,name\nada@example.org,Ada\n", (EMAIL, attribute("nick")), True, ("", {"nick": "Ada"}, ())),
        ("email,status\nada@example.org,gold\n", (EMAIL, attribute("status")), True, ("", {"status": "gold"}, ())),
        ("email,full_name,name\nada@example.org,Ada E.,A\n", (EMAIL, NAME, NOTHING), True, ("Ada E.", {}, ())),
        ("ada@example.org;donor\n", (EMAIL, CsvColumn(Meaning.TAGS)), False, ("", {}, ("donor",))),
        (
            "email,x,y\nada@example.org,Ada,Example\n",
            (EMAIL, attribute("first_name"), attribute("Last Name")), True,
            ("Ada Example", {"first_name": "Ada", "last_name": "Example"}, ()),
        ),
        ("email,a,b\nada@example.org,1,2\n", (EMAIL, attribute("n"), attribute("n")), True, ("", {"n": "1", "n_2": "2"}, ())),
        ("email,a\nada@example.org,1\n", (EMAIL, attribute("")), True, ("", {}, ())),
    ],
    ids=["matched by hand", "a name as an attribute", "a status as an attribute", "another name", "no first line",
         "first and last name", "one name for two", "an attribute without a name"],
)  # fmt: skip
def test_an_import_reads_the_columns_as_it_is_told(
    tmp_path: Path,
    file: Callable[[str], Path],
    *,
    content: str,
    columns: tuple[CsvColumn, ...],
    named: bool,
    person: object,
) -> None:
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        report = import_csv(store, file(content), "members", now=NOW, columns=columns, names_columns=named)
        assert (report.rows, report.people.added, report.refused) == (1, 1, 0)
        with store.read() as connection:
            [ada] = (each.subscriber for each in members(connection, "members"))
    assert ada.email == "ada@example.org"
    assert (ada.name, ada.attributes, ada.tags) == person
