"""The states of deliveries under any sequence of steps: the sum holds, and nothing that went out is planned again."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from newsletter.delivery import DeliveryStatus, EventKind, OutcomeKind, fold
from newsletter.dispatch.control import cancel, pause
from newsletter.dispatch.envelope import Envelope
from newsletter.dispatch.plan import Order, freeze
from newsletter.dispatch.resolve import Decision, resolve
from newsletter.dispatch.send import start
from newsletter.errors import DispatchError
from newsletter.events import take
from newsletter.issue import RenderedIssue
from newsletter.store import open_store
from newsletter.store.batches import Claim, claim_batch, look_again, record_outcome, settle_orphans, take_out
from newsletter.store.deliveries import deliveries_of, dispatch_tally
from newsletter.store.dispatches import dispatch_by_id
from newsletter.store.subscribers import add_subscribers, join_list, make_list
from newsletter.store.suppressions import SuppressionReason, suppress
from newsletter.subscriber import Subscriber

NOW = datetime(2026, 3, 31, tzinfo=UTC)
PEOPLE = 12
STATUSES = st.sampled_from(list(DeliveryStatus))
EVENTS = st.lists(st.sampled_from(list(EventKind)), max_size=8)


@given(STATUSES, EVENTS, st.randoms(use_true_random=False))
def test_events_fold_to_the_same_in_any_order_and_number(
    status: DeliveryStatus, events: list[EventKind], rng: object
) -> None:
    folded = fold(status, events)
    shuffled = [*events, *events]
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(status, shuffled) is folded
    assert fold(folded, events) is folded
    halfway = fold(status, shuffled[: len(shuffled) // 2])
    assert fold(halfway, shuffled) is folded


def rendered(variant: str) -> RenderedIssue:
    return RenderedIssue("states", "Hello", "", "<p>Hello</p>", "Hello", variant=variant)


class Deliveries(RuleBasedStateMachine):
    """Senders claim, answers come or don't, senders die, an operator decides; what really went out is kept beside."""

    @initialize()
    def plan(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:///{Path(self.folder.name) / 'states.db'}")
        with self.store.write() as connection:
            make_list(connection, "members", now=NOW)
            self.people = add_subscribers(
                connection, [Subscriber(0, f"p{n}@example.org") for n in range(PEOPLE)], now=NOW
            )
            join_list(connection, "members", [each.id for each in self.people], source="test", now=NOW)
        order = Order(
            "states", (), rendered, Envelope("a@example.org", "A", unsubscribe_group=1), "members", batch_size=4
        )
        dispatch = freeze(self.store, order, now=NOW).dispatch
        assert dispatch is not None
        self.dispatch = start(self.store, dispatch.id, now=NOW)
        self.claims: list[tuple[Claim, list[int]]] = []
        self.went_out: dict[int, int] = {}
        self.decided: set[int] = set()

    @rule()
    def claim(self) -> None:
        with self.store.write() as connection:
            claim = claim_batch(connection, self.dispatch.id, "a-sender-without-a-lock", now=NOW)
        if claim is None:
            return
        with self.store.write() as connection:
            people, gone = look_again(connection, claim)
            take_out(connection, claim, gone, left=len(people))
        if people:
            self.claims.append((claim, [each.id for each in people]))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), kind=st.sampled_from(list(OutcomeKind)), reached=st.booleans())
    def answer(self, data: st.DataObject, kind: OutcomeKind, reached: bool) -> None:
        number = data.draw(st.integers(0, len(self.claims) - 1))
        claim, ids = self.claims.pop(number)
        if kind is OutcomeKind.ACCEPTED or (kind is OutcomeKind.UNCERTAIN and reached):
            self._went_out(ids)
        refused = {ids[0]: "no such mailbox"} if kind is OutcomeKind.RECIPIENTS_REFUSED else None
        with self.store.write() as connection:
            record_outcome(connection, claim, kind, now=NOW, detail="told", refused=refused)

    @precondition(lambda self: self.claims)
    @rule(reached=st.booleans())
    def die(self, reached: bool) -> None:
        """The sender of the oldest claim is killed, before or after its call was accepted."""
        _, ids = self.claims.pop(0)
        if reached:
            self._went_out(ids)

    @rule()
    def settle(self) -> None:
        with self.store.write() as connection:
            settle_orphans(connection, self.dispatch.id, now=NOW)

    @rule(number=st.integers(0, PEOPLE - 1))
    def complain(self, number: int) -> None:
        with self.store.write() as connection:
            suppress(connection, self.people[number].email, SuppressionReason.COMPLAINT, source="test", since_at=NOW)

    @rule()
    def events(self) -> None:
        take(
            self.store, [{"event": "processed", "nl_delivery": str(n), "timestamp": 1} for n in self.went_out], now=NOW
        )

    @rule(decision=st.sampled_from(list(Decision)))
    def decide(self, decision: Decision) -> None:
        with self.store.read() as connection:
            uncertain = {
                each.id
                for each in deliveries_of(connection, self.dispatch.id)
                if each.status in (DeliveryStatus.UNCERTAIN, DeliveryStatus.SENDING)
            }
        try:
            resolve(self.store, self.dispatch, decision, who="test", now=NOW)
        except DispatchError:
            return
        self.claims.clear()  # nobody holds a lock here: what was under way was uncertain too
        if decision is Decision.RESEND:
            self.decided |= uncertain

    @rule(what=st.sampled_from(["pause", "cancel", "start"]))
    def control(self, what: str) -> None:
        try:
            if what == "pause":
                pause(self.store, self.dispatch)
            elif what == "start":
                start(self.store, self.dispatch.id, now=NOW)
            else:
                cancel(self.store, self.dispatch, now=NOW)
        except DispatchError:
            pass

    def _went_out(self, ids: list[int]) -> None:
        for number in ids:
            self.went_out[number] = self.went_out.get(number, 0) + 1

    @invariant()
    def the_sum_is_the_audience(self) -> None:
        if not hasattr(self, "dispatch"):
            return
        with self.store.read() as connection:
            tally = dispatch_tally(connection, self.dispatch.id)
            people = list(deliveries_of(connection, self.dispatch.id))
        assert tally.audience == len(people) == PEOPLE
        assert min(tally.planned, tally.sending, tally.accepted, tally.refused, tally.uncertain, tally.cancelled) >= 0

    @invariant()
    def nobody_gets_it_twice_unless_somebody_decided_so(self) -> None:
        for number, times in getattr(self, "went_out", {}).items():
            assert times == 1 or number in self.decided

    @invariant()
    def whoever_got_it_is_never_counted_as_not_mailed(self) -> None:
        if not hasattr(self, "dispatch"):
            return
        with self.store.read() as connection:
            for each in deliveries_of(connection, self.dispatch.id):
                if each.id in self.went_out and each.id not in self.decided:
                    assert each.status in (DeliveryStatus.ACCEPTED, DeliveryStatus.UNCERTAIN, DeliveryStatus.SENDING)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            with self.store.read() as connection:
                assert dispatch_by_id(connection, self.dispatch.id) is not None
            self.store.close()
            self.folder.cleanup()


Deliveries.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestDeliveries = Deliveries.TestCase
