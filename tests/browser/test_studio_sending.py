"""The Send page and the report: from the plan to everybody's mail, and whatever can go wrong on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from controls import choose, enter
from playwright.sync_api import Page, expect
from running_studio import RunningStudio, until

from newsletter.delivery import DispatchState, Tally
from newsletter.dispatch.plan import freeze
from newsletter.outbox import order_of
from newsletter.sandbox import Faults, Sandbox, parse_rule
from newsletter.store import Store
from newsletter.store.deliveries import dispatch_tally
from newsletter.store.dispatches import Dispatch, dispatches_of
from newsletter.store.subscribers import add_subscribers, join_list, make_list
from newsletter.subscriber import Subscriber
from newsletter.workspace import Workspace

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent.parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
ISSUE = """\
subject: Spring tides for {{ subscriber.first_name or "friend" }}
preheader: High water at noon
slug: spring-tides
blocks:
  - type: text
    body: Dear {{ subscriber.first_name or "friend" }}, the water is high.
  - type: text
    when: subscriber.region == "north"
    body: Only the north reads this.
"""
SETTINGS = """
batch_size: 10
segments:
  northerners: subscriber.region == "north"
"""


@dataclass(frozen=True)
class Held(Faults):
    """Mails are taken, but after the first eight calls no answer is given before `go`: a sending that is under way."""

    go: threading.Event = field(default_factory=threading.Event)

    def latency_of(self, number: int) -> float:
        """Blocks, since the wait has no end that is known before."""
        if number > 8:
            self.go.wait(60)
        return 0.0


class Office:
    """A workspace with an issue, a sandbox, a Studio and its page."""

    def __init__(self, studio: RunningStudio, page: Page, sandbox: Sandbox) -> None:
        self.studio, self.page, self.sandbox = studio, page, sandbox
        root = studio.root
        self.issue = root / "issues" / "2026-03-31-spring-tides.yaml"
        self.issue.write_text(ISSUE, "utf-8")
        settings = (root / "newsletter.yaml").read_text("utf-8")
        (root / "newsletter.yaml").write_text(settings + SETTINGS, "utf-8")
        (root / ".env").write_text(f"SENDGRID_API_KEY=SG.a-key-for-tests\nSENDGRID_HOST={sandbox.url}\n", "utf-8")
        self.store: Store = Workspace.open(root).open_store()

    def people(self, count: int, first: int = 0, list_name: str = "members", **attributes: str) -> None:
        now = datetime.now(UTC)
        with self.store.write() as connection:
            make_list(connection, list_name, now=now)
            people = [
                Subscriber(
                    0, f"p{number:03}@example.org", f"Person{number} Example",
                    attributes or {"region": ("north", "south")[number % 2]},
                )
                for number in range(first, first + count)
            ]  # fmt: skip
            added = add_subscribers(connection, people, now=now)
            join_list(connection, list_name, [each.id for each in added], source="test", now=now)

    def open(self) -> None:
        """Open the Send page, and wait for its plan."""
        self.page.goto(self.studio.url(f"/issue/{self.issue.stem}/send"))
        self.page.get_by_role("heading", name="The plan").wait_for()

    def plan_has(self, count: int) -> None:
        expect(self.page.locator(".sending-count")).to_contain_text(re.compile(rf"^{count:,}\s*recipient"))
        expect(self.page.locator(".sending-stale")).to_have_count(0)

    @property
    def send_button(self) -> Any:
        return self.page.get_by_role("button", name=re.compile("^(send )?(Send|Schedule|Rehearse)$"))

    def send(self, count: int) -> None:
        """Confirm the plan, and come to the page of the sending."""
        self.plan_has(count)
        enter(self.page.get_by_label("Type the number of recipients"), str(count))
        expect(self.send_button).to_be_enabled()
        self.send_button.click()
        self.page.wait_for_url("**/dispatch/*")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=re.compile(rf"\b{name}$")).last.click()

    @property
    def sheet(self) -> Any:
        return self.page.locator(".sheet")

    def phase(self, words: str) -> None:
        expect(self.page.locator(".sending-live .chip").first).to_have_text(words, timeout=40_000)

    def is_under_way(self) -> None:
        until(lambda: self.sandbox.requests > 9, 60)

    def state_is(self, state: DispatchState) -> None:
        until(lambda: self.dispatch().state is state, 60)

    def sums(self, words: str) -> None:
        expect(self.page.locator(".sending-live")).to_contain_text(f"{words} in the audience")

    def dispatch(self) -> Dispatch:
        with self.store.read() as connection:
            return dispatches_of(connection)[-1]

    def tally(self) -> Tally:
        with self.store.read() as connection:
            return dispatch_tally(connection, dispatches_of(connection)[-1].id)

    def nobody_twice(self) -> None:
        assert [address for address, count in self.sandbox.accepted.items() if count > 1] == []

    def is_accessible(self) -> None:
        """axe finds nothing serious on the page as it is, where axe is installed."""
        if AXE.exists():
            self.page.evaluate(AXE.read_text("utf-8"))
            found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []

    def called_off(self) -> list[str]:
        """What the sandbox knows of the batches that it was told to hold back."""
        key = {"Authorization": "Bearer SG.a-key-for-tests"}
        asked = urllib.request.Request(f"{self.sandbox.url}/v3/user/scheduled_sends", headers=key)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return [each["status"] for each in json.load(answer)]

    def terminal(self, *words: str) -> subprocess.Popen[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("SENDGRID", "NEWSLETTER"))
        }
        return subprocess.Popen(
            [sys.executable, "-m", "newsletter", *words],
            cwd=self.studio.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


@pytest.fixture
def office(studio: RunningStudio, studio_page: Page) -> Iterator[Callable[..., Office]]:
    """Makes an Office whose sandbox misbehaves as it is told."""
    opened: list[Office] = []
    holding: list[Held] = []

    def make(*rules: str, held: Held | None = None, **faults: Any) -> Office:
        holding.extend(filter(None, (held,)))
        sandbox = Sandbox(faults=held or Faults(rules=tuple(map(parse_rule, rules)), **faults)).__enter__()
        opened.append(Office(studio, studio_page, sandbox))
        return opened[-1]

    yield make
    for held in holding:
        held.go.set()
    studio_page.goto("about:blank")
    studio.stop()
    for each in opened:
        each.store.close()
        each.sandbox.__exit__(None, None, None)


def test_a_list_gets_it_when_its_number_is_typed(office: Callable[..., Office]) -> None:
    desk = office()
    desk.people(1200)
    desk.open()
    page = desk.page
    desk.plan_has(1200)
    plan = page.locator(".sending-plan")
    for words in (
        'subscriber.region == "north"', "no condition", "Sandbox on this machine", "news@example.org",
        'Spring tides for {{ subscriber.first_name or "friend" }}', "High water at noon", "of 100 KB",
    ):  # fmt: skip
        expect(plan).to_contain_text(words)
    typed = page.get_by_label("Type the number of recipients")
    for wrong in ("", "1,199", "12", "all"):
        enter(typed, wrong)
        expect(desk.send_button).to_be_disabled()
        typed.press("Enter")
    assert desk.sandbox.requests == 0
    enter(typed, "1,200")
    expect(desk.send_button).to_be_enabled()
    typed.press("Enter")
    page.wait_for_url("**/dispatch/*")
    desk.phase("complete")
    desk.sums("1,200 accepted = 1,200")
    assert len(desk.sandbox.accepted) == 1200
    desk.nobody_twice()
    people = page.locator("section", has_text="Everybody it was for")
    expect(people).to_contain_text("1 to 50 of 1,200")
    desk.press("Later")
    expect(people).to_contain_text("51 to 100 of 1,200")
    somebody = page.locator(".sending-address").first
    number = int(somebody.inner_text()[1:].partition("@")[0])
    somebody.click()
    story = desk.sheet
    expect(story).to_contain_text("which accepted it (as ")
    expect(story).to_contain_text(f"Person{number}")
    page.keyboard.press("Escape")
    expect(page.locator("section", has_text="How it went")).to_contain_text("120 calls: 120 accepted")
    expect(page.locator(".sending-chart")).to_have_attribute("aria-label", re.compile("1,200 of 1,200 accepted"))

    desk.open()
    expect(page.locator(".sending-plan")).to_contain_text("Everybody on it has had this issue")
    expect(page.locator(".sending-earlier")).to_contain_text("1,200 accepted")


def test_the_plan_follows_what_is_chosen(office: Callable[..., Office]) -> None:
    desk = office()
    desk.people(20)
    desk.people(6, first=30, list_name="staff", region="north")
    with desk.store.write() as connection:
        now = datetime.now(UTC)
        both = add_subscribers(connection, [Subscriber(0, "both@example.org", "B", {"region": "north"})], now=now)
        for name in ("members", "staff"):
            join_list(connection, name, [both[0].id], source="test", now=now)
    desk.open()
    desk.plan_has(21)
    page = desk.page

    choose(page, "Of the list", "northerners", exact=False)
    desk.plan_has(11)
    choose(page, "Of the list", "Only those for whom", exact=False)
    expression = page.get_by_label("Those for whom this holds")
    enter(expression, 'subscriber.region = "south"')
    fault = page.locator(".sending-fault")
    expect(fault.locator("mark")).to_have_text("=")
    expect(fault).to_contain_text("==")
    expect(desk.send_button).to_be_disabled()
    enter(expression, 'subscriber.region == "south"')
    desk.plan_has(10)
    expect(fault).to_be_empty()
    choose(page, "Of the list", "Everybody on it", exact=False)
    page.get_by_text("More", exact=True).click()
    page.get_by_role("combobox", name="Not those on these lists").click()
    page.get_by_role("option", name="staff").click()
    page.keyboard.press("Escape")
    desk.plan_has(20)
    enter(page.get_by_label("At most so many people"), "7")
    desk.plan_has(7)
    enter(page.get_by_label("Rate"), "quick")
    expect(page.get_by_text("is not a rate")).to_be_visible()
    enter(page.get_by_label("Rate"), "6000/min")
    desk.send(7)
    desk.phase("complete")
    assert len(desk.sandbox.accepted) == 7
    assert "both@example.org" not in desk.sandbox.accepted


def test_a_list_that_changes_while_it_is_looked_at_asks_again(office: Callable[..., Office]) -> None:
    desk = office()
    desk.people(20)
    desk.open()
    desk.plan_has(20)
    desk.people(3, first=50)
    enter(desk.page.get_by_label("Type the number of recipients"), "20")
    desk.send_button.click()
    expect(desk.page.get_by_role("alert").filter(has_text="The list changed")).to_contain_text("23 recipients now")
    desk.plan_has(23)
    expect(desk.page.get_by_label("Type the number of recipients")).to_have_value("")
    with desk.store.read() as connection:
        assert dispatches_of(connection) == []
    desk.send(23)
    desk.phase("complete")
    assert len(desk.sandbox.accepted) == 23


def test_a_plan_that_was_never_started_is_in_nobodys_way(office: Callable[..., Office]) -> None:
    desk = office()
    desk.people(20)
    freeze(
        desk.store,
        order_of(Workspace.open(desk.studio.root).load(desk.issue), list_name="members"),
        now=datetime.now(UTC),
    )
    desk.open()
    desk.phase("planned")
    desk.plan_has(0)
    desk.press("Discard the plan")
    expect(desk.page.locator(".sending-live")).to_have_count(0)
    desk.send(20)
    desk.phase("complete")
    assert len(desk.sandbox.accepted) == 20


def test_an_issue_with_errors_or_somebody_without_a_value_holds_it_back(office: Callable[..., Office]) -> None:
    desk = office()
    desk.people(5)
    desk.people(1, first=900, city="Exampletown")  # no region
    living = ISSUE.replace("the water", "in the {{ subscriber.region }} the water")
    desk.issue.write_text(living, "utf-8")
    desk.open()
    page = desk.page
    expect(page.locator(".sending-plan")).to_contain_text("p900@example.org")
    expect(page.locator(".sending-plan")).to_contain_text("can't be filled for 1 person")
    enter(page.get_by_label("Type the number of recipients"), "5")
    expect(desk.send_button).to_be_disabled()
    desk.issue.write_text(living.replace("subscriber.region }}", 'subscriber.region or "south" }}'), "utf-8")
    desk.plan_has(6)
    desk.issue.write_text(ISSUE.replace("type: text", "type: txt", 1), "utf-8")
    expect(page.locator(".sending-plan")).to_contain_text("The issue has errors")
    expect(page.get_by_role("link", name=re.compile("the page Checks"))).to_have_attribute(
        "href", f"/issue/{desk.issue.stem}/checks"
    )
    expect(desk.send_button).to_be_disabled()


def test_with_time_to_undo_it_the_provider_calls_it_off(office: Callable[..., Office]) -> None:
    desk = office()
    desk.people(40)
    desk.open()
    page = desk.page
    choose(page, "Time to undo it", "5 minutes", exact=False)
    expect(page.locator(".sending-form")).to_contain_text("In the first 5 it can be undone for sure")
    desk.send(40)
    desk.phase("held by the provider")
    expect(page.locator(".sending-countdown")).to_contain_text("It can be undone for 4:")
    assert desk.sandbox.scheduled == 40
    assert desk.sandbox.accepted == {}
    desk.press("Undo")
    expect(desk.sheet).to_contain_text("40 will not get it")
    desk.press("Undo it")
    desk.phase("cancelled")
    desk.sums("40 cancelled = 40")
    assert desk.called_off() == ["cancel"] * 4, "each of the four calls had a batch of its own"
    assert desk.sandbox.accepted == {}

    desk.open()  # those who didn't get it can be reached anew
    desk.send(40)
    desk.phase("complete")
    assert len(desk.sandbox.accepted) == 40


def test_pause_and_resume_and_no_tab_needed(office: Callable[..., Office]) -> None:
    held = Held()
    desk = office(held=held)
    desk.people(1000)
    desk.open()
    desk.send(1000)
    desk.is_under_way()
    desk.press("Pause")
    desk.state_is(DispatchState.PAUSED)
    held.go.set()
    desk.phase("paused")
    counted = desk.tally()
    assert 0 < counted.accepted < 1000
    assert counted.accepted + counted.planned == 1000
    desk.open()  # the Send page shows what isn't over
    held.go.clear()
    desk.press("Resume")
    desk.phase("sending")
    desk.page.goto("about:blank")  # the tab is closed: the Studio goes on
    held.go.set()
    desk.state_is(DispatchState.COMPLETE)
    assert len(desk.sandbox.accepted) == 1000
    desk.nobody_twice()


def test_cancelling_asks_first(office: Callable[..., Office]) -> None:
    held = Held()
    desk = office(held=held)
    desk.people(1500)
    desk.open()
    desk.send(1500)
    desk.is_under_way()
    desk.press("Cancel the rest")
    expect(desk.sheet).to_contain_text("will not get it")
    desk.press("Keep it")
    expect(desk.sheet).to_have_count(0)
    assert desk.dispatch().state is DispatchState.SENDING
    desk.press("Cancel the rest")
    desk.sheet.get_by_role("button", name="Cancel the rest").click()
    desk.state_is(DispatchState.CANCELLED)
    held.go.set()
    desk.phase("cancelled")
    until(lambda: desk.tally().sending == 0)
    counted = desk.tally()
    assert counted.accepted + counted.cancelled == 1500
    assert len(desk.sandbox.accepted) == counted.accepted


def test_a_killed_studio_leaves_it_to_be_resumed(office: Callable[..., Office]) -> None:
    held = Held()
    desk = office(held=held)
    desk.people(1000)
    desk.open()
    desk.send(1000)
    desk.is_under_way()
    address = desk.page.url
    desk.page.goto("about:blank")
    desk.studio.stop(signal.SIGKILL)
    held.go.set()
    desk.studio.start()
    desk.page.goto(address)
    desk.phase("interrupted")
    in_doubt = desk.tally().uncertain
    assert in_doubt > 0, "calls were under way"
    expect(desk.page.locator(".sending-uncertain")).to_contain_text(f"{in_doubt} uncertain")
    desk.press("Resume")
    desk.phase("complete")
    counted = desk.tally()
    assert (counted.accepted + counted.uncertain, counted.uncertain) == (1000, in_doubt)
    desk.nobody_twice()
    assert len(desk.sandbox.accepted) >= counted.accepted
    desk.press(f"Count all {in_doubt} as sent")
    expect(desk.sheet).to_contain_text("Some may never have got it")
    desk.press("Count as sent")
    desk.sums("1,000 accepted = 1,000")
    expect(desk.page.locator(".sending-uncertain")).to_be_hidden()


def test_ending_the_studio_lets_calls_end(office: Callable[..., Office]) -> None:
    held = Held()
    desk = office(held=held)
    desk.people(1000)
    desk.open()
    desk.send(1000)
    desk.is_under_way()
    threading.Timer(1, held.go.set).start()
    desk.studio.stop(signal.SIGINT)
    counted = desk.tally()
    assert counted.sending == counted.uncertain == 0
    assert 0 < counted.accepted < 1000
    desk.studio.start()
    desk.open()
    desk.phase("paused")
    expect(desk.page.locator(".sending-live")).to_contain_text("the Studio was closed")
    desk.press("Resume")
    desk.phase("complete")
    assert len(desk.sandbox.accepted) == 1000
    desk.nobody_twice()


def test_who_was_refused_and_who_is_uncertain(office: Callable[..., Office]) -> None:
    # Who is refused is in the last call, which no fault strikes.
    desk = office("accepted-then-reset@3", "reset@5", refuse=("p099@*",))
    desk.people(100)
    desk.open()
    desk.send(100)
    desk.phase("complete")
    page = desk.page
    expect(page.locator(".sending-tile.uncertain")).to_contain_text("20")
    page.get_by_role("button", name="Refused 1").click()
    row = page.get_by_role("row").filter(has_text="p099@example.org")
    expect(row).to_contain_text("refused")
    assert row.get_by_role("cell").nth(3).inner_text().strip()
    uncertain = page.locator(".sending-uncertain")
    boxes = uncertain.get_by_role("checkbox")
    expect(boxes).to_have_count(20)
    desk.is_accessible()
    once = set(desk.sandbox.accepted)
    lost = [name for name in _names(uncertain) if name not in once]
    got = [name for name in _names(uncertain) if name in once]
    assert (len(lost), len(got)) == (10, 10)
    for name in got:
        uncertain.get_by_role("checkbox", name=name).click()
    desk.press("Count the 10 chosen as sent")
    desk.press("Count as sent")
    expect(boxes).to_have_count(10)
    desk.press("Send all 10 once more")
    expect(desk.sheet).to_contain_text("Some may get it twice")
    desk.is_accessible()
    desk.press("Send once more")
    desk.phase("stopped")
    desk.press("Resume")
    desk.phase("complete")
    desk.sums("99 accepted + 1 refused = 100")
    desk.nobody_twice()
    assert len(desk.sandbox.accepted) == 99


def _names(uncertain: Any) -> list[str]:
    return [cell.get_attribute("aria-label") for cell in uncertain.get_by_role("checkbox").all()]


def test_a_terminals_sending_shows_here_and_can_be_paused(office: Callable[..., Office]) -> None:
    held = Held()
    desk = office(held=held)
    desk.people(1000)
    process = desk.terminal("send", "spring-tides", "--list", "members", "--yes", "1000", "--connections", "2")
    desk.is_under_way()
    desk.open()
    desk.phase("sending elsewhere")
    desk.press("Pause")
    desk.state_is(DispatchState.PAUSED)
    held.go.set()
    desk.phase("paused")
    process.communicate(timeout=30)
    assert process.returncode == 1
    desk.press("Resume")
    desk.state_is(DispatchState.COMPLETE)
    desk.nobody_twice()
    assert len(desk.sandbox.accepted) == 1000


def test_a_rehearsal_counts_as_nothing(office: Callable[..., Office]) -> None:
    desk = office()
    desk.people(30)
    desk.open()
    desk.page.get_by_text("More", exact=True).click()
    desk.page.get_by_role("switch", name="Rehearsal").click()
    expect(desk.page.locator(".sending-count")).to_contain_text("Rehearsal: nobody is mailed")
    desk.send_button.click()
    desk.page.wait_for_url("**/dispatch/*")
    expect(desk.page.locator(".sending-live")).to_contain_text("A rehearsal: nobody was mailed.")
    desk.sums("30 accepted = 30")
    with desk.store.read() as connection:
        assert dispatches_of(connection) == []
    desk.open()
    desk.plan_has(30)


def test_what_differs_from_last_time_and_a_report_without_its_file(office: Callable[..., Office]) -> None:
    desk = office()
    desk.people(50)
    desk.open()
    desk.send(50)
    desk.phase("complete")
    report = desk.page.url
    spring = desk.issue
    desk.issue = spring.with_name("2026-04-30-next.yaml")
    settings = desk.studio.root / "newsletter.yaml"
    settings.write_text(settings.read_text("utf-8").replace("news@example.org", "hello@example.org"), "utf-8")
    desk.issue.write_text(ISSUE.replace("slug: spring-tides", "slug: next"), "utf-8")
    desk.people(25, first=60)
    desk.open()
    desk.plan_has(75)
    notes = desk.page.locator("section", has_text="Against last time").last
    for words in ("25 more recipients than last time: 50 then", "Same subject", "now hello@example.org"):
        expect(notes).to_contain_text(words)
    spring.unlink()
    desk.page.goto(report)
    expect(desk.page.get_by_text("The issue's file is gone")).to_be_visible()
    desk.sums("50 accepted = 50")
    desk.page.goto(desk.studio.url("/dispatch/1"))
    expect(desk.page.get_by_text("There is no such sending")).to_be_visible()
