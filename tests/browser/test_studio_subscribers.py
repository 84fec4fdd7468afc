"""The Subscribers pages, in a real browser: looked for, added, unsubscribed, forgotten, imported, exported."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from controls import choose, enter, settle
from playwright.sync_api import Page, expect
from running_studio import RunningStudio

from newsletter.store import Store
from newsletter.store.export_csv import export_csv
from newsletter.store.forgotten import forgotten_since
from newsletter.store.subscribers import (
    MembershipStatus,
    add_subscribers,
    join_list,
    lists_of,
    make_list,
    members,
    subscriber_by_address,
)
from newsletter.store.suppressions import SuppressionReason, suppress, suppressions_of
from newsletter.subscriber import Subscriber
from newsletter.workspace import Workspace

pytestmark = pytest.mark.browser

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
MANY = 120

People = Callable[[str], Page]


def store_of(studio: RunningStudio) -> Store:
    return Workspace.open(studio.root).open_store()


@pytest.fixture
def people(studio: RunningStudio, studio_page: Page) -> People:
    """Opens a page of a Studio that knows some people: 120 on `members`, and ada and ben besides."""
    with store_of(studio) as store, store.write() as connection:
        for name in ("members", "press"):
            make_list(connection, name, now=NOW)
        many = [Subscriber(0, f"p{number:03}@example.org", f"Person {number}") for number in range(MANY)]
        ada = Subscriber(0, "ada@example.org", "Ada <b>Example</b>", {"region": "north"}, ("donor",))
        ben = Subscriber(0, "ben@mail.example.org", "Ben Sample", {"region": "south"})
        stored = add_subscribers(connection, [*many, ada, ben], now=NOW)
        join_list(connection, "members", [person.id for person in stored], source="import of a.csv", now=NOW)
        left = MembershipStatus.UNSUBSCRIBED
        join_list(connection, "press", [stored[-1].id], source="form", now=NOW, status=left)
        suppress(connection, ben.email, SuppressionReason.BOUNCE, source="sendgrid event", since_at=NOW, detail="550")
    settings = studio.root / "newsletter.yaml"
    settings.write_text(settings.read_text("utf-8") + "segments:\n  donors: '\"donor\" in subscriber.tags'\n", "utf-8")

    def open_page(path: str) -> Page:
        studio_page.goto(studio.url(path))
        settle(studio_page)
        return studio_page

    return open_page


def addresses(page: Page) -> list[str]:
    return page.locator(".subscribers-address").all_inner_texts()


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def standings(studio: RunningStudio, email: str) -> dict[str, str]:
    with store_of(studio) as store, store.read() as connection:
        person = subscriber_by_address(connection, email)
        return {name: status.value for name, status in lists_of(connection, person.id).items()} if person else {}


def test_people_are_shown_with_their_lists_and_whether_they_are_mailed(people: People) -> None:
    page = people("/subscribers")
    expect(page.get_by_role("heading", name=f"{MANY + 2} people")).to_be_visible()
    tile = page.get_by_role("link", name="members")
    expect(tile.first).to_contain_text(f"{MANY + 2}")
    rows = page.locator(".subscribers-table tbody tr")
    expect(rows.nth(0)).to_contain_text("Ada <b>Example</b>")
    expect(rows.nth(1)).to_contain_text("press: unsubscribed")
    expect(rows.nth(1)).to_contain_text("bounced")


def test_looking_for_somebody_leaves_those_who_fit_and_stands_in_the_address(people: People) -> None:
    page = people("/subscribers")
    enter(page.get_by_label("Search"), "sample MAIL.")
    expect(page.locator(".subscribers-address")).to_have_text(["ben@mail.example.org"])
    expect(page.get_by_role("heading", name="1 person")).to_be_visible()
    choose(page, "List", "press")
    choose(page, "Status", "Unsubscribed")
    page.wait_for_url("**status=unsubscribed**")
    assert query(page) == {"q": ["sample MAIL."], "list": ["press"], "status": ["unsubscribed"]}
    choose(page, "Status", "Active")
    expect(page.get_by_role("heading", name="Nobody is found")).to_be_visible()
    page.go_back()
    expect(page.locator(".subscribers-address")).to_have_text(["ben@mail.example.org"])
    expect(page.get_by_role("combobox", name="Status")).to_have_value("Unsubscribed")
    page.reload()
    expect(page.locator(".subscribers-address")).to_have_text(["ben@mail.example.org"])
    expect(page.get_by_label("Search")).to_have_value("sample MAIL.")


def test_a_segment_is_chosen_by_its_name_or_written(people: People) -> None:
    page = people("/subscribers")
    choose(page, "Segment", "donors")
    expect(page.locator(".subscribers-address")).to_have_text(["ada@example.org"])
    choose(page, "Segment", "An expression …")
    enter(page.get_by_label("Expression"), 'subscriber.region == "south"')
    expect(page.locator(".subscribers-address")).to_have_text(["ben@mail.example.org"])
    enter(page.get_by_label("Expression"), "subscriber.region ==")
    expect(page.get_by_text("it ends too early")).to_be_visible()
    assert addresses(page) == ["ben@mail.example.org"]


def test_pages_are_turned_forwards_and_backwards_and_by_the_browser(people: People) -> None:
    page = people("/subscribers?list=members")
    seen = addresses(page)
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    for first in ("p048@example.org", "p098@example.org"):
        page.get_by_role("button", name="Next").click()
        expect(page.locator(".subscribers-address").first).to_have_text(first)
        seen += addresses(page)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    assert len(seen) == len(set(seen)) == MANY + 2
    page.get_by_role("button", name="Previous").click()
    expect(page.locator(".subscribers-address").first).to_have_text("p048@example.org")
    page.go_back()
    expect(page.locator(".subscribers-address").first).to_have_text("p098@example.org")
    page.reload()
    expect(page.locator(".subscribers-address").first).to_have_text("p098@example.org")


def test_somebody_is_added_to_a_new_list_with_an_attribute(studio: RunningStudio, people: People) -> None:
    page = people("/subscribers")
    page.get_by_role("button", name="Add somebody").click()
    sheet = page.get_by_role("dialog").last
    enter(sheet.get_by_label("Address"), "zoe")
    sheet.get_by_role("button", name="Add", exact=True).click()
    expect(sheet.get_by_text("@-sign")).to_be_visible()
    enter(sheet.get_by_label("Address"), "zoe@example.org")
    enter(sheet.get_by_label("Name", exact=True), "Zoë Example")
    sheet.get_by_role("button", name="Add", exact=True).click()
    expect(sheet.get_by_text("Choose a list.")).to_be_visible()
    choose(page, "List", "A new list …")
    enter(sheet.get_by_label("Name of the new list"), "friends")
    sheet.get_by_role("button", name="Add an attribute").click()
    expect(sheet.get_by_label("Name", exact=True).last).to_be_focused()
    enter(sheet.get_by_label("Value"), "2019")
    enter(sheet.get_by_label("Name", exact=True).last, "Member since")
    sheet.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("zoe@example.org is on friends")).to_be_visible()
    expect(page.get_by_role("link", name="friends").first).to_contain_text("1")
    with store_of(studio) as store, store.read() as connection:
        [zoe] = members(connection, "friends")
    assert (zoe.subscriber.name, zoe.subscriber.attributes) == ("Zoë Example", {"member_since": "2019"})


def test_who_left_is_put_back_only_when_they_asked(studio: RunningStudio, people: People) -> None:
    page = people("/subscribers")
    page.get_by_role("button", name="Add somebody").click()
    sheet = page.get_by_role("dialog").last
    enter(sheet.get_by_label("Address"), "ben@mail.example.org")
    choose(page, "List", "press")
    sheet.get_by_role("button", name="Add", exact=True).click()
    expect(sheet.get_by_text("ben@mail.example.org left press")).to_be_visible()
    sheet.get_by_role("button", name="Add", exact=True).click()
    assert standings(studio, "ben@mail.example.org")["press"] == "unsubscribed"
    sheet.get_by_text("They asked to come back themselves").click()
    sheet.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("is not mailed: bounced")).to_be_visible()
    assert standings(studio, "ben@mail.example.org")["press"] == "active"


def test_a_list_is_made_once(people: People) -> None:
    page = people("/subscribers")
    page.get_by_role("button", name="New list").click()
    sheet = page.get_by_role("dialog").last
    enter(sheet.get_by_label("Name"), "members")
    sheet.get_by_role("button", name="Make it").click()
    expect(sheet.get_by_text("There is a list members already")).to_be_visible()
    enter(sheet.get_by_label("Name"), "friends & family")
    sheet.get_by_role("button", name="Make it").click()
    page.get_by_role("link", name="friends & family").click()
    page.wait_for_url("**list=friends+%26+family")
    expect(page.get_by_role("heading", name="Nobody is found")).to_be_visible()


def test_somebody_is_unsubscribed_and_gone_from_the_active_ones_and_comes_back(
    studio: RunningStudio, people: People
) -> None:
    page = people("/subscribers?list=members&status=active&q=ada")
    page.get_by_role("link", name="ada@example.org").click()
    page.get_by_role("button", name="Unsubscribe from members").click()
    expect(page.get_by_text("Unsubscribed from members.")).to_be_visible()
    assert standings(studio, "ada@example.org") == {"members": "unsubscribed"}
    page.go_back()
    expect(page.get_by_role("heading", name="Nobody is found")).to_be_visible()
    choose(page, "Status", "Unsubscribed")
    page.get_by_role("link", name="ada@example.org").click()
    page.get_by_role("button", name="Subscribe again to members").click()
    sheet = page.get_by_role("dialog").last
    again = sheet.get_by_role("button", name="Subscribe again")
    expect(again).to_be_disabled()
    sheet.get_by_text("They asked to come back themselves").click()
    again.click()
    expect(page.get_by_text("Subscribed to members again.")).to_be_visible()
    assert standings(studio, "ada@example.org") == {"members": "active"}


def test_a_person_is_edited_and_attributes_are_escaped(studio: RunningStudio, people: People) -> None:
    page = people("/subscribers?q=ada")
    page.get_by_role("link", name="ada@example.org").click()
    expect(page.get_by_role("heading", name="Ada <b>Example</b>")).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    sheet = page.get_by_role("dialog").last
    enter(sheet.get_by_label("Name", exact=True).first, "Ada E.")
    enter(sheet.get_by_label("Value"), "<i>south</i>")
    enter(sheet.get_by_label("Tags"), "donor, press ,")
    sheet.get_by_role("button", name="Save").click()
    expect(page.get_by_text("<i>south</i>")).to_be_visible()
    with store_of(studio) as store, store.read() as connection:
        ada = subscriber_by_address(connection, "ada@example.org")
    assert ada is not None
    assert (ada.name, ada.attributes, ada.tags) == ("Ada E.", {"region": "<i>south</i>"}, ("donor", "press"))


def test_an_address_is_never_mailed_again_with_a_reason(studio: RunningStudio, people: People) -> None:
    page = people("/subscribers?q=ada")
    page.get_by_role("link", name="ada@example.org").click()
    page.get_by_role("button", name="Never mail").click()
    sheet = page.get_by_role("dialog").last
    choose(page, "Reason", "Complained: They reported a mail as spam.")
    enter(sheet.get_by_label("Note"), "by phone")
    sheet.get_by_role("button", name="Never mail").click()
    expect(page.get_by_role("heading", name="Not mailed")).to_be_visible()
    expect(page.get_by_text("by studio: by phone")).to_be_visible()
    with store_of(studio) as store, store.read() as connection:
        assert [each.reason for each in suppressions_of(connection, "ada@example.org")] == ["complaint"]


def test_somebody_is_forgotten_after_it_was_asked_and_said_what_stays(studio: RunningStudio, people: People) -> None:
    page = people("/subscribers?q=ada")
    page.get_by_role("link", name="ada@example.org").click()
    address = page.url
    page.get_by_role("button", name="Forget").click()
    sheet = page.get_by_role("dialog").last
    expect(sheet.get_by_text("A salted hash of the address")).to_be_visible()
    sheet.get_by_role("button", name="Cancel").click()
    assert standings(studio, "ada@example.org") == {"members": "active"}
    page.get_by_role("button", name="Forget").click()
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="ada@example.org is forgotten")).to_be_visible()
    with store_of(studio) as store, store.read() as connection:
        assert subscriber_by_address(connection, "ada@example.org") is None
        assert forgotten_since(connection, "ada@example.org") is not None
    page.goto(address)
    expect(page.get_by_role("heading", name="There is no such subscriber")).to_be_visible()


CSV = """\
Kontakt;Wer;Stadt;Status
ada@example.org;Ada E.;Northport;
nora@letters.example.org;Nora Example;Southport;subscribed
otto;Otto;;
olga@post.example.org;Olga;Westport;unsubscribed
pia@post.example.org;"Pia;;
quin@post.example.org;Quin;;gold
"""


def dropped(page: Page, tmp_path: Path, content: str, name: str = "people.csv") -> None:
    (tmp_path / name).write_text(content, "utf-8")
    page.locator("input[type=file]").set_input_files(tmp_path / name)
    expect(page.get_by_role("heading", name="What each column is")).to_be_visible()


def test_a_file_is_imported_with_a_column_matched_anew_and_faults_told_with_their_lines(
    studio: RunningStudio, people: People, tmp_path: Path
) -> None:
    page = people("/subscribers/import?list=members")
    dropped(page, tmp_path, CSV)
    expect(page.get_by_role("combobox", name="What Kontakt becomes")).to_have_value("Address")
    expect(page.get_by_role("combobox", name="What Wer becomes")).to_have_value("An attribute")
    first = page.get_by_role("region", name="The first rows").locator("tbody tr").first
    expect(first).to_contain_text("wer: Ada E.")
    choose(page, "What Wer becomes", "Name")
    enter(page.get_by_label("Name of the attribute that Stadt becomes"), "Home town")
    expect(first).to_contain_text("home_town: Northport")
    expect(first).not_to_contain_text("wer")

    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Nothing was changed yet")).to_be_visible()
    refused = page.get_by_role("region", name="Refused rows").locator("tbody tr")
    expect(refused).to_have_count(3)
    expect(refused.nth(0)).to_contain_text("4")
    expect(refused.nth(0)).to_contain_text("@-sign")
    expect(refused.nth(1)).to_contain_text("6")
    expect(refused.nth(1)).to_contain_text("quotation mark")
    expect(refused.nth(2)).to_contain_text("`gold`")
    assert standings(studio, "nora@letters.example.org") == {}

    page.get_by_role("button", name="Import into members").click()
    expect(page.get_by_text("people.csv is imported")).to_be_visible()
    expect(page.locator(".subscribers-figure").nth(0)).to_contain_text("2")
    expect(page.locator(".subscribers-figure").nth(1)).to_contain_text("1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Refused rows as CSV").click()
    assert download.value.suggested_filename == "people.refused.csv"
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert [(row[0], row[2]) for row in rows[1:]] == [
        ("4", "otto;Otto;;"), ("6", 'pia@post.example.org;"Pia;;'), ("7", "quin@post.example.org;Quin;;gold"),
    ]  # fmt: skip

    with store_of(studio) as store, store.read() as connection:
        nora = subscriber_by_address(connection, "nora@letters.example.org")
        ada = subscriber_by_address(connection, "ada@example.org")
    assert nora is not None
    assert ada is not None
    assert (nora.name, nora.attributes) == ("Nora Example", {"home_town": "Southport"})
    assert (ada.name, ada.attributes) == ("Ada E.", {"region": "north", "home_town": "Northport"})
    assert standings(studio, "olga@post.example.org") == {"members": "unsubscribed"}
    page.get_by_role("button", name="See members").click()
    expect(page.get_by_role("heading", name=f"{MANY + 4} people")).to_be_visible()


def test_without_an_address_nothing_can_be_tried_and_a_reload_keeps_the_file(people: People, tmp_path: Path) -> None:
    page = people("/subscribers/import")
    dropped(page, tmp_path, "email,name\nzoe@example.org,Zoë\n", "Zoë's list.csv")
    choose(page, "What email becomes", "Don't import")
    expect(page.get_by_text("No column of the file is the address")).to_be_visible()
    expect(page.get_by_role("button", name="Try it")).to_be_disabled()
    page.reload()
    expect(page.get_by_role("heading", name="Zoë's list.csv")).to_be_visible()
    expect(page.get_by_role("button", name="Try it")).to_be_enabled()


def test_a_file_without_names_of_columns_goes_to_a_new_list(
    studio: RunningStudio, studio_page: Page, tmp_path: Path
) -> None:
    page = studio_page
    page.goto(studio.url("/subscribers"))
    page.get_by_role("button", name="Import a CSV file").click()
    page.wait_for_url("**/subscribers/import")
    settle(page)
    dropped(page, tmp_path, "zoe@example.org\nada@example.org\n")
    expect(page.get_by_role("checkbox", name="The first line names the columns")).not_to_be_checked()
    enter(page.get_by_label("Name of the new list"), "friends")
    page.get_by_role("button", name="Try it").click()
    page.get_by_role("button", name="Back to the columns").click()
    expect(page.get_by_label("Name of the new list")).to_have_value("friends")
    page.get_by_role("button", name="Try it").click()
    page.get_by_role("button", name="Import into friends").click()
    expect(page.get_by_text("people.csv is imported")).to_be_visible()
    assert standings(studio, "zoe@example.org") == {"friends": "active"}


@pytest.mark.parametrize(
    ("name", "message"), [("people.xlsx", "save it as CSV first"), ("people.csv", "the file is empty")]
)
def test_a_file_that_cannot_be_read_is_told(people: People, tmp_path: Path, name: str, message: str) -> None:
    page = people("/subscribers/import")
    (tmp_path / name).write_text("\n", "utf-8")
    page.locator("input[type=file]").set_input_files(tmp_path / name)
    expect(page.get_by_text(message)).to_be_visible()


def test_an_export_is_the_list_as_the_command_writes_it(studio: RunningStudio, people: People) -> None:
    page = people("/subscribers?list=members")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export members as CSV").click()
    assert download.value.suggested_filename == "members.csv"
    whole = io.StringIO(newline="")
    with store_of(studio) as store, store.read() as connection:
        assert export_csv(connection, "members", whole) == MANY + 2
    assert Path(download.value.path()).read_bytes() == whole.getvalue().encode()


def test_a_list_that_is_not_there_has_no_export(studio: RunningStudio, people: People) -> None:
    page = people("/subscribers")
    answer = page.request.get(studio.url("/subscribers/lists/nobody.csv"))
    assert (answer.status, answer.text()) == (404, "there is no list `nobody`\n")


def test_the_search_is_a_key_away_and_all_of_the_page_can_be_reached_by_keys(people: People) -> None:
    page = people("/subscribers")
    page.keyboard.press("/")
    page.keyboard.type("ben@")
    expect(page.locator(".subscribers-address")).to_have_text(["ben@mail.example.org"])
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "ben@mail.example.org":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/subscribers/\d+$"))
    expect(page.get_by_role("heading", name="Ben Sample")).to_be_visible()
