"""Segments: what they may say and where a fault in one is, whom they choose, and who is left out besides."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from newsletter.delivery import BatchState, DeliveryStatus
from newsletter.errors import ProblemsFound, StoreError
from newsletter.expression import ExpressionError, parse_expression, problem_of
from newsletter.segment import choose_segment, parse_segment
from newsletter.store import Store
from newsletter.store.audience import Selection, candidates, check_selection, is_selected
from newsletter.store.subscribers import MembershipStatus, add_subscribers, change_membership, join_list, make_list
from newsletter.store.suppressions import SuppressionReason, suppress
from newsletter.store.tables import batches, deliveries, dispatches, rendered_issues
from newsletter.subscriber import Subscriber
from newsletter.workspace import Workspace

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "marked",
    [
        # The part in ⟦ ⟧ is what the error points at.
        '⟦region⟧ == "north"',
        'subscriber.region ⟦=⟧ "north"',
        "subscriber.age > ⟦30⟧",
        '"x" in subscriber.tags and\n  subscriber.age < ⟦30⟧',
        '⟦subscriber.tags⟧ == "donor"',
        "⟦3⟧ in subscriber.tags",
        "subscriber.region in [⟦1⟧]",
        "subscriber.region == ⟦none⟧",
        'subscriber.region | ⟦lower⟧ == "north"',
        "subscriber.region | ⟦uper⟧",
        "subscriber.region is not ⟦string⟧",
        'not ⟦recieved⟧("spring")',
        "⟦received⟧(subscriber.issue)",
        '⟦received⟧("Not A Slug")',
        '⟦received⟧("spring#rehearsal-1")',
        "subscriber.region.⟦town⟧",
        "⟦subscriber⟧",
        "⟦unsubscribe_url⟧",
        '⟦"a"⟧ + "b" == "ab"',
        '⟦"a"⟧ ~ "b"',
        '⟦"\\ud800"⟧ == subscriber.name',
        "⟦9999999999⟧ < 1",
        'subscriber⟦[⟧"a\\"b"] is defined',
        "subscriber.⟦__class__⟧ == 1",
        'subscriber.region == ⟦"⟧north',
        "(subscriber.region⟦⟧",
        "subscriber.region ==⟦⟧",
        "subscriber.region ⟦}}⟧ == 1",
    ],
)
def test_an_error_points_at_the_word_that_is_wrong(marked: str) -> None:
    source = marked.replace("⟦", "").replace("⟧", "")
    with pytest.raises(ExpressionError) as caught:
        parse_segment(source)
    assert caught.value.offset == marked.index("⟦")
    words = marked[marked.index("⟦") + 1 : marked.index("⟧")]
    assert caught.value.length == max(1, len(words))
    assert caught.value.hint


@pytest.mark.parametrize(
    "source",
    [
        "(" * 3000,
        "not " * 300 + "true",
        "true == (" * 30 + "true" + ") == true" * 30,
        " or ".join(["subscriber.a"] * 300),
    ],
)
def test_what_is_nested_too_deeply_is_refused_rather_than_crashing_the_database(source: str) -> None:
    with pytest.raises(ExpressionError):
        parse_segment(source)


def test_only_a_segment_asks_for_what_was_received() -> None:
    with pytest.raises(ExpressionError, match="only a segment"):
        parse_expression('received("spring")')


def test_a_segment_is_named_or_written_out() -> None:
    named = {"north-donors": 'subscriber.region == "north"'}
    assert choose_segment("north-donors", named) == 'subscriber.region == "north"'
    assert choose_segment('"donor" in subscriber.tags', named) == '"donor" in subscriber.tags'
    with pytest.raises(ExpressionError) as caught:
        choose_segment("north-doners", named)
    assert caught.value.hint == "did you mean `north-donors`?"
    problem = problem_of(caught.value, "--segment")
    assert str(problem.location) == "--segment:1:1"
    assert problem.location is not None
    assert problem.location.length == len("north-doners")


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("'subscriber.region == \"north\" and subscriber.age > 30'", "newsletter.yaml:2:63"),
        ("subscriber.age > 30", "newsletter.yaml:2:29"),
        ('"subscriber.name == \\"x\\" and subscriber.age > 30"', "newsletter.yaml:2:12"),
    ],
    ids=["quoted", "plain", "escaped: the whole"],
)
def test_a_fault_of_a_named_segment_is_told_with_its_column(workspace_folder: Path, written: str, place: str) -> None:
    file = workspace_folder / "newsletter.yaml"
    file.write_text(f"segments:\n  donors:  {written}\n" + file.read_text("utf-8"), "utf-8")
    with pytest.raises(ProblemsFound) as caught:
        Workspace.open(workspace_folder)
    [problem] = caught.value.problems
    assert (problem.code, str(problem.location)) == ("bad-expression", place)


def test_named_segments_are_settings(workspace_folder: Path) -> None:
    file = workspace_folder / "newsletter.yaml"
    file.write_text("segments: {donors: '\"donor\" in subscriber.tags'}\n" + file.read_text("utf-8"), "utf-8")
    assert Workspace.open(workspace_folder).settings.segments == {"donors": '"donor" in subscriber.tags'}


def test_a_selection_comes_back_from_its_record() -> None:
    selection = Selection("subscriber.a", ("press",), ("spring", "autumn"), 10)
    assert Selection.from_json(selection.as_json()) == selection
    assert Selection().as_json() == {}
    assert Selection.from_json({"ramp": True}) == Selection()


PEOPLE = [
    Subscriber(0, "ada@example.org", "Ada Example", {"region": "north"}, ("donor",)),
    Subscriber(0, "ben@example.org", "Ben", {"region": "North", "joined_at": "2019-05-01"}),
    Subscriber(0, "cleo@example.org", "", {}, ("donor", "press")),
    Subscriber(0, "dora@example.org", "Dora", {"region": "south"}),
]


def chosen(connection: Connection, selection: Selection, *, issue: str = "summer") -> list[str]:
    return [
        candidate.subscriber.email.partition("@")[0]
        for candidate in candidates(connection, "members", issue, selection)
        if candidate.suppression is None and not candidate.had_it
    ]


@pytest.fixture
def filled(store: Store) -> Store:
    """Four people on `members`, of whom cleo and dora are on `press` too, and dora has left that."""
    with store.write() as connection:
        make_list(connection, "members", now=NOW)
        make_list(connection, "press", now=NOW)
        known = [
            *add_subscribers(connection, PEOPLE[:2], now=NOW),
            *add_subscribers(connection, PEOPLE[2:], now=NOW - timedelta(days=100)),
        ]
        join_list(connection, "members", [person.id for person in known], source="test", now=NOW)
        join_list(connection, "press", [person.id for person in known[2:]], source="test", now=NOW)
        change_membership(connection, "press", known[3].id, MembershipStatus.UNSUBSCRIBED, source="test", now=NOW)
    return store


def sent(connection: Connection, slug: str, stands: Iterable[tuple[str, BatchState, DeliveryStatus | None]]) -> None:
    """A dispatch of `slug`, with the people's deliveries in batches of one."""
    content = {"digest": "", "subject": "", "preheader": "", "html": "", "text": "", "conditions": [], "slots": []}
    connection.execute(
        insert(dispatches).values(
            id=1, issue_slug=slug, list_name="members", rehearsal=False, audience={}, envelope={}, state="sending",
            planned_at=NOW,
        )
    )  # fmt: skip
    connection.execute(insert(rendered_issues).values(dispatch_id=1, variant="", images=b"", **content))
    for number, (who, state, status) in enumerate(stands):
        email = f"{who}@example.org"
        connection.execute(
            insert(batches).values(id=number, dispatch_id=1, variant="", size=1, stage=0, state=state.value)
        )
        connection.execute(
            insert(deliveries).values(
                id=number, dispatch_id=1, batch_id=number, subscriber_id=number, issue_slug=slug, address_key=email,
                email=email, name="", status=status and status.value,
            )
        )  # fmt: skip


CHOSEN = [
    (Selection(), ["ada", "ben", "cleo", "dora"]),
    (Selection('subscriber.region == "north"'), ["ada"]),
    (Selection('subscriber.region != "north"'), ["ben", "cleo", "dora"]),
    (Selection('not subscriber.region == "north" and subscriber.region is defined'), ["ben", "dora"]),
    (Selection('subscriber.region < "a"'), ["ben"]),
    (Selection('"donor" in subscriber.tags'), ["ada", "cleo"]),
    (Selection('subscriber.first_name in ["Ada", "Dora"]'), ["ada", "dora"]),
    (Selection('subscriber.joined_at >= "2026-01-01"'), ["ada"]),
    (Selection('subscriber.joined_at < "2020"'), ["ben"]),
    (Selection("subscriber.name | length == 0"), ["cleo"]),
    (Selection('"\'; DROP TABLE subscribers; --" == subscriber.name'), []),
    # Long ones stay quick, and within what databases take.
    (
        Selection("(" + " or ".join(f"subscriber.a{n}" for n in range(70)) + ' or subscriber.region) == "north"'),
        ["ada"],
    ),
    (Selection("subscriber.region in [" + '"x", ' * 2000 + '"north"]'), ["ada"]),
    (Selection(exclude_lists=("press",)), ["ada", "ben", "dora"]),
    (Selection('"donor" in subscriber.tags', exclude_lists=("press",)), ["ada"]),
    (Selection(limit=2), ["ada", "ben"]),
    (Selection(limit=0), []),
]


def test_who_is_chosen(filled: Store) -> None:
    with filled.read() as connection:
        for selection, expected in CHOSEN:
            assert chosen(connection, selection) == expected, selection


def test_a_limit_counts_those_who_may_be_mailed(filled: Store) -> None:
    with filled.write() as connection:
        suppress(connection, "ada@example.org", SuppressionReason.BOUNCE, source="test", since_at=NOW)
        sent(connection, "summer", [("ben", BatchState.ACCEPTED, None)])
        assert chosen(connection, Selection(limit=1)) == ["cleo"]


STANDS = [
    # the batch, the delivery's own status: has received it, may have had it
    (BatchState.ACCEPTED, None, True, True),
    (BatchState.ACCEPTED, DeliveryStatus.DELIVERED, True, True),
    (BatchState.ACCEPTED, DeliveryStatus.BOUNCED, True, True),
    (BatchState.UNCERTAIN, DeliveryStatus.ACCEPTED, True, True),
    (BatchState.UNCERTAIN, None, False, True),
    (BatchState.SENDING, None, False, True),
    (BatchState.PLANNED, None, False, True),
    (BatchState.ACCEPTED, DeliveryStatus.REFUSED, False, False),
    (BatchState.ACCEPTED, DeliveryStatus.SUPPRESSED, False, False),
    (BatchState.CANCELLED, DeliveryStatus.CANCELLED, False, False),
]


def test_who_has_received_an_issue_and_who_may_have(filled: Store) -> None:
    for state, status, received, may_have in STANDS:
        with filled.write() as connection:
            undone = connection.begin_nested()
            # Dora's, who has it, must not speak for Ada.
            sent(
                connection, "spring", [("ada", state, status), ("dora", BatchState.ACCEPTED, DeliveryStatus.DELIVERED)]
            )
            having = chosen(connection, Selection('received("spring")'))
            assert having == (["ada", "dora"] if received else ["dora"]), (state, status)
            without = chosen(connection, Selection(exclude_received=("spring",)))
            assert without == (["ben", "cleo"] if may_have else ["ada", "ben", "cleo"]), (state, status)
            again = chosen(connection, Selection(), issue="spring")
            assert again == without, "and so nobody gets it twice"
            undone.rollback()


def test_a_name_that_is_not_known_is_told(filled: Store) -> None:
    with filled.write() as connection:
        sent(connection, "spring", [])
        known = Selection('received("spring")', ("press",), ("spring",))
        check_selection(connection, known)
        for wrong, meant in (
            (Selection(exclude_lists=("pres",)), "press"),
            (Selection(exclude_received=("sprig",)), "spring"),
            (Selection('not received("sprung")'), "spring"),
        ):
            with pytest.raises(StoreError) as caught:
                check_selection(connection, wrong)
            assert caught.value.hint == f"did you mean `{meant}`?"


def test_whether_one_person_is_meant(filled: Store) -> None:
    with filled.read() as connection:
        [ada, *_] = [each.subscriber for each in candidates(connection, "members", "summer")]
        assert is_selected(connection, Selection('"donor" in subscriber.tags'), ada.id)
        assert not is_selected(connection, Selection('"press" in subscriber.tags'), ada.id)


def test_pages_follow_each_other(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.store.audience._PAGE", 1)
    with filled.read() as connection:
        assert chosen(connection, Selection('subscriber.region != "south"')) == ["ada", "ben", "cleo"]
