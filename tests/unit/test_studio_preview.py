"""What the preview works out before anything is shown: what changed, what is the matter, how large, who gets what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.check import GMAIL_CLIPS_AT
from newsletter.errors import Location, Problem, Severity
from newsletter.store import open_store
from newsletter.store.subscribers import MembershipStatus, add_subscribers, join_list, make_list
from newsletter.studio.preview.pane import Fault, fault_of
from newsletter.studio.preview.patched import changed_middle
from newsletter.studio.preview.side_by_side import _about
from newsletter.studio.preview.size_meter import Size, size_of
from newsletter.studio.preview.variants import Variants, all_variants, variants_of
from newsletter.studio.rendering import Rendering
from newsletter.subscriber import Subscriber


def patched(old: str, new: str) -> str:
    """What the browser makes of it: JavaScript counts UTF-16 units."""
    start, end, middle = changed_middle(old, new)
    units = old.encode("utf-16-le")
    assert 2 * (start + end) <= len(units)
    return (units[: 2 * start] + middle.encode("utf-16-le") + units[len(units) - 2 * end :]).decode("utf-16-le")


texts = st.text(alphabet="ab\n🌊é", max_size=12)


@given(texts, texts, texts, texts)
def test_the_browser_gets_the_new_text(before: str, after: str, old: str, new: str) -> None:
    assert patched(before + old + after, before + new + after) == before + new + after


@pytest.mark.parametrize(
    ("old", "new", "middle"),
    [
        ("<p>one</p>", "<p>once</p>", "c"),
        ("aaa", "aaaa", "a"),
        ("same", "same", ""),
        ("", "all", "all"),
        ("🌊a", "🌊b", "b"),
    ],
)
def test_only_what_changed_is_sent(old: str, new: str, middle: str) -> None:
    assert changed_middle(old, new)[2] == middle


FILE = "issues/one.yaml"
PLACED = Problem("missing", "`headline` is missing", Location(FILE, 12, 5))
ELSEWHERE = Problem("mjml", "there is no tag `<mj-txet>`", Location("templates/digest/story.mjml", 3, 1))
WARNING = Problem("long-subject", "the subject is long", Location(FILE, 1, 1), severity=Severity.WARNING)


@pytest.mark.parametrize(
    ("done", "fault"),
    [
        (Rendering(html="<p>", problems=(WARNING,)), None),
        (Rendering(problems=(WARNING, PLACED)), Fault("line 12: `headline` is missing", 12, 5)),
        (Rendering(problems=(ELSEWHERE,)), Fault("templates/digest/story.mjml:3:1: there is no tag `<mj-txet>`")),
        (Rendering(problems=(ELSEWHERE, PLACED)), Fault("line 12: `headline` is missing", 12, 5)),
        (Rendering(failure="rendering ended its process"), Fault("rendering ended its process")),
    ],
)
def test_a_fault_says_where_it_is(done: Rendering, fault: Fault | None) -> None:
    assert fault_of(done, FILE) == fault


@pytest.mark.parametrize(
    ("size", "tone", "words"),
    [
        (Size(61_200, 61_200), "good", "60 KB of 100 KB"),
        (Size(61_200, 95_000), "warn", "93 KB of 100 KB"),
        (Size(GMAIL_CLIPS_AT, GMAIL_CLIPS_AT), "warn", "100 KB of 100 KB"),
        (Size(GMAIL_CLIPS_AT + 1, GMAIL_CLIPS_AT + 1), "bad", "100 KB of 100 KB"),
    ],
)
def test_the_meter_warns_near_the_limit_and_beyond(size: Size, tone: str, words: str) -> None:
    assert (size.tone, size.words) == (tone, words)
    assert size.is_cut == (tone == "bad")
    assert 0 < size.share <= 1


def test_the_size_is_in_bytes_and_links_grow_when_clicks_are_counted() -> None:
    source = '<a href="x">é</a>' * 10
    assert size_of(source, counts_clicks=False) == Size(180, 180)
    counted = size_of(source, counts_clicks=True)
    assert counted.grown > counted.bytes == 180
    assert "0 KB of HTML, about 2 KB once its links are rewritten to count clicks." in counted.explained


NORTH = 'subscriber.region == "north"'
DONOR = '"donor" in subscriber.tags'


def test_the_variants_are_those_that_subscribers_get_and_how_many_of_them(tmp_path: Path) -> None:
    now = datetime(2026, 4, 1, tzinfo=UTC)
    with open_store(f"sqlite:///{tmp_path / 'newsletter.db'}") as store:
        assert variants_of(store, (NORTH, DONOR)) == all_variants((NORTH, DONOR))
        assert variants_of(store, ()).readers == {"": None}
        with store.write() as connection:
            people = add_subscribers(
                connection,
                [
                    Subscriber(0, "ana@example.org", attributes={"region": "north"}),
                    Subscriber(0, "ben@example.org", attributes={"region": "north"}),
                    Subscriber(0, "cleo@example.org", tags=("donor",)),
                    Subscriber(0, "gone@example.org"),
                ],
                now=now,
            )
            for name in ("one", "two"):
                make_list(connection, name, now=now)
                for person in people:
                    gone = person.email.startswith("gone")
                    status = MembershipStatus.UNSUBSCRIBED if gone else MembershipStatus.ACTIVE
                    join_list(connection, name, [person.id], status=status, source="test", now=now)
        found = variants_of(store, (NORTH, DONOR))
    assert list(found.readers.items()) == [("10", 2), ("01", 1)]
    assert found.are_all


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Variants({"1": 3}), "Your subscribers get 1 variant, with so many readers each."),
        (Variants({"1": 3, "0": 1}, are_all=False), "The first 20,000 subscribers were looked at."),
        (Variants({f"{number:04b}": 20 - number for number in range(11)}), "there are 3 more."),
        (all_variants(("a", "b", "c", "d")), "Nobody is on a list yet"),
        (all_variants(("a", "b", "c", "d")), "there are 8 more."),
    ],
)
def test_it_is_said_how_many_variants_there_are(found: Variants, words: str) -> None:
    assert words in _about(found)


def test_very_many_conditions_make_no_endless_list() -> None:
    assert all_variants(("a", "b")).readers == {"00": None, "01": None, "10": None, "11": None}
    many = all_variants(tuple(f"subscriber.a{number}" for number in range(40)))
    assert len(many.readers) == 64
    assert not many.are_all
