"""The delivery promise, line by line, with a real server that misbehaves, on SQLite and PostgreSQL.

Each test keeps the invariant: no address twice, none lost, none in doubt unreported.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.delivery import BatchState, DeliveryStatus, DispatchState, OutcomeKind
from newsletter.dispatch.control import cancel, pause, prepare_undo, undo
from newsletter.dispatch.plan import UNDO_MARGIN, UnrenderableError, survey
from newsletter.dispatch.ramp import Ramp
from newsletter.dispatch.resolve import Decision, resolve, uncertain
from newsletter.dispatch.send import Speed, start
from newsletter.errors import DispatchError
from newsletter.esp.sendgrid import SendGrid
from newsletter.events import take
from newsletter.store.audience import Selection
from newsletter.store.batches import batch_counts, claim_batch, record_outcome, settle_orphans
from newsletter.store.deliveries import attempts_of, deliveries_of, events_of
from newsletter.store.dispatches import dispatch_by_id, dispatches_of, renderings
from newsletter.store.forgotten import forget
from newsletter.store.subscribers import MembershipStatus, change_membership
from newsletter.store.suppressions import SuppressionReason, all_suppressions, suppress, suppressions_of

from .conftest import KEY, NOW, ORDER, Mailing, rendered

ONE = Speed(connections=1)
MANY = Speed(connections=6)


# 1. Plan


def test_a_plan_freezes_content_audience_and_batches(mailing: Mailing) -> None:
    mailing.people(25)
    plan = mailing.plan()
    assert (plan.recipients, plan.batches) == (25, 3)
    mailing.people(5, first=25)
    sandbox = mailing.sandbox()
    assert plan.dispatch is not None
    with mailing.store.read() as connection:
        frozen = renderings(connection, plan.dispatch)[""]
    assert (frozen, frozen.digest) == (rendered(""), rendered("").digest)
    assert mailing.send(plan.dispatch, sandbox.url).state is DispatchState.COMPLETE
    assert len(sandbox.accepted) == 25, "who came after the plan isn't in it"


def test_a_second_dispatch_reaches_only_those_who_have_not_had_it(mailing: Mailing) -> None:
    mailing.people(12)
    sandbox = mailing.sandbox()
    mailing.send(mailing.planned(), sandbox.url)
    mailing.people(3, first=12)
    second = mailing.plan()
    assert (second.recipients, second.had_it) == (3, 12)
    assert second.dispatch is not None
    mailing.send(second.dispatch, sandbox.url)
    assert len(sandbox.accepted) == 15
    assert set(sandbox.accepted.values()) == {1}
    with pytest.raises(DispatchError, match="everybody has had this issue"):
        mailing.plan()


def test_somebody_who_cannot_be_rendered_is_named_before_anything_is_sent(mailing: Mailing) -> None:
    mailing.people(3, region="north")
    mailing.people(2, first=3)

    def personal(variant: str) -> Any:
        from dataclasses import replace

        one = rendered(variant)
        return replace(one, slots=(replace(one.slots[0], expression="subscriber.region"), *one.slots[1:]))

    with pytest.raises(UnrenderableError) as failed:
        mailing.plan(render=personal)
    assert [email for email, _ in failed.value.plan.unrenderable] == ["p0003@example.org", "p0004@example.org"]
    assert "region" in failed.value.plan.unrenderable[0][1]
    with mailing.store.read() as connection:
        assert dispatches_of(connection) == []


def test_variants_group_the_recipients(mailing: Mailing) -> None:
    mailing.people(4, region="north")
    mailing.people(3, first=4, region="south")
    plan = mailing.plan(conditions=('subscriber.region == "north"',))
    assert plan.variants == {"1": 4, "0": 3}
    sandbox = mailing.sandbox()
    assert plan.dispatch is not None
    mailing.send(plan.dispatch, sandbox.url)
    mailing.holds(plan.dispatch, sandbox, 7)


def test_planning_is_free(mailing: Mailing) -> None:
    mailing.people(3)
    assert survey(mailing.store, ORDER).recipients == 3
    with mailing.store.read() as connection:
        assert dispatches_of(connection) == []


# 2. Claim


def test_a_claim_is_on_the_disk_before_the_first_byte(mailing: Mailing) -> None:
    """The server looks into the database when a call comes in."""
    mailing.people(3)
    dispatch = mailing.planned()
    seen: list[Any] = []

    class Looking(SendGrid):
        def send(self, message: Any, recipients: Any) -> Any:
            with mailing.store.read() as connection:
                seen.append(batch_counts(connection, dispatch.id))
            assert recipients[0].custom_args["nl_attempt"]
            return super().send(message, recipients)

    from newsletter.dispatch.send import send

    with Looking(KEY, mailing.sandbox().url) as provider:
        send(mailing.store, provider, start(mailing.store, dispatch.id, now=NOW), secret="x" * 32, speed=ONE)
    assert seen == [{BatchState.SENDING: 1}]


def test_suppressions_are_looked_at_again_when_a_batch_is_claimed(mailing: Mailing) -> None:
    first, second, third, *_ = mailing.people(5)
    dispatch = mailing.planned()
    with mailing.store.write() as connection:
        suppress(connection, first.email, SuppressionReason.COMPLAINT, source="test", since_at=NOW)
        left = MembershipStatus.UNSUBSCRIBED
        change_membership(connection, "members", second.id, left, source="link", now=NOW)
    sandbox = mailing.sandbox()
    done = mailing.send(dispatch, sandbox.url)
    assert (done.tally.suppressed, done.tally.accepted) == (2, 3)
    assert third.email in sandbox.accepted
    assert not {first.email, second.email} & set(sandbox.accepted)
    mailing.holds(dispatch, sandbox, 5)


def test_a_batch_whose_people_have_all_left_is_not_sent(mailing: Mailing) -> None:
    people = mailing.people(2)
    dispatch = mailing.planned()
    with mailing.store.write() as connection:
        for person in people:
            suppress(connection, person.email, SuppressionReason.MANUAL, source="test", since_at=NOW)
    sandbox = mailing.sandbox()
    done = mailing.send(dispatch, sandbox.url)
    assert (done.state, done.tally.suppressed, sandbox.requests) == (DispatchState.COMPLETE, 2, 0)


# 3. and 4. POST and record: the table of outcomes


def test_accepted(mailing: Mailing) -> None:
    mailing.people(23)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox()
    done = mailing.send(dispatch, sandbox.url, speed=MANY)
    assert (done.state, done.tally.accepted) == (DispatchState.COMPLETE, 23)
    assert set(sandbox.ids("nl_delivery").values()) == {1}
    mailing.holds(dispatch, sandbox, 23)


def test_no_connection_is_tried_again_and_given_up(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    mailing.people(3)
    dispatch = mailing.planned()
    monkeypatch.setattr("newsletter.dispatch.pace._FIRST_PAUSE", 0.001)
    done = mailing.send(dispatch, "http://127.0.0.1:9")
    assert (done.state, done.tally.planned) == (DispatchState.STOPPED, 3)
    sandbox = mailing.sandbox()
    assert mailing.send(dispatch, sandbox.url).tally.accepted == 3, "running it again goes on"


@pytest.mark.parametrize("kind", ["429", "429-bare"])
def test_429_is_tried_again(mailing: Mailing, kind: str) -> None:
    mailing.people(30)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(f"{kind}@1-2")
    done = mailing.send(dispatch, sandbox.url, speed=Speed(connections=3))
    assert (done.state, done.tally.accepted) == (DispatchState.COMPLETE, 30)
    assert sandbox.requests == 5
    mailing.holds(dispatch, sandbox, 30)


def test_a_refused_recipient_does_not_keep_the_others_from_theirs(mailing: Mailing) -> None:
    mailing.people(12)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(refuse=("p0003@*", "p0011@*"))
    done = mailing.send(dispatch, sandbox.url)
    assert (done.state, done.tally.accepted, done.tally.refused) == (DispatchState.COMPLETE, 10, 2)
    mailing.holds(dispatch, sandbox, 12)

    with mailing.store.read() as connection:
        refused = list(deliveries_of(connection, dispatch.id, [DeliveryStatus.REFUSED]))
    assert [each.email for each in refused] == ["p0003@example.org", "p0011@example.org"]
    assert all(each.reason for each in refused)


def test_no_call_outlives_a_listener_that_fails(mailing: Mailing) -> None:
    mailing.people(30)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(latency=(0.2, 0.2))

    def fail(_progress: object) -> None:
        raise OSError("the page is gone")

    with pytest.raises(OSError, match="the page is gone"):
        mailing.send(dispatch, sandbox.url, speed=Speed(connections=2), report=fail)
    seen = sandbox.requests
    with mailing.store.read() as connection:
        assert BatchState.SENDING not in batch_counts(connection, dispatch.id)
    mailing.send(dispatch, sandbox.url)
    assert sandbox.requests <= 3
    assert seen <= sandbox.requests
    mailing.holds(dispatch, sandbox, 30)


def test_a_refused_request_stops_and_says_why(mailing: Mailing) -> None:
    from dataclasses import replace

    mailing.people(25)
    dispatch = mailing.planned(envelope=replace(ORDER.envelope, categories=("ä",)))
    sandbox = mailing.sandbox()
    done = mailing.send(dispatch, sandbox.url)
    assert (done.state, done.tally.refused, done.tally.planned) == (DispatchState.STOPPED, 10, 15)
    with mailing.store.read() as connection:
        stopped = dispatch_by_id(connection, dispatch.id)
    assert stopped is not None
    assert "categor" in (stopped.stop_reason or "")
    with mailing.store.write() as connection:
        assert settle_orphans(connection, now=NOW) == 0
    cancel(mailing.store, dispatch, now=NOW)
    again = mailing.planned()
    assert mailing.send(again, sandbox.url).tally.accepted == 25, "whom it never reached can get the mended issue"
    mailing.holds(again, sandbox, 25)


def test_no_credit_stops_and_loses_nobody(mailing: Mailing) -> None:
    mailing.people(25)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(credits=10)
    done = mailing.send(dispatch, sandbox.url)
    assert (done.state, done.tally.accepted, done.tally.planned) == (DispatchState.STOPPED, 10, 15)
    with mailing.store.read() as connection:
        stopped = dispatch_by_id(connection, dispatch.id)
    assert stopped is not None
    assert "credits" in (stopped.stop_reason or "").lower()
    mailing.holds(dispatch, sandbox, 25)


@pytest.mark.parametrize(
    "fault",
    ["500", "502", "503", "reset", "reset-mid-upload", "silent", "accepted-then-502", "accepted-then-reset",
     "accepted-then-silent", "accepted-then-truncated", "accepted-then-cut"],
)  # fmt: skip
def test_no_clear_answer_is_uncertain_and_never_tried_again(mailing: Mailing, fault: str) -> None:
    mailing.people(30)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(f"{fault}@2")
    done = mailing.send(dispatch, sandbox.url, timeout=0.3)
    assert (done.state, done.tally.accepted, done.tally.uncertain) == (DispatchState.COMPLETE, 20, 10)
    assert sandbox.requests == 3
    mailing.holds(dispatch, sandbox, 30)


# 5. Resume


def test_what_a_sender_that_is_gone_had_claimed_is_uncertain_and_the_rest_goes_on(mailing: Mailing) -> None:
    mailing.people(30)
    dispatch = mailing.planned()
    start(mailing.store, dispatch.id, now=NOW)
    with mailing.store.write() as connection:
        claim = claim_batch(connection, dispatch.id, "a-sender-that-was-killed", now=NOW)
    assert claim is not None
    sandbox = mailing.sandbox()
    done = mailing.send(dispatch, sandbox.url)
    assert (done.state, done.tally.accepted, done.tally.uncertain) == (DispatchState.COMPLETE, 20, 10)
    mailing.holds(dispatch, sandbox, 30)


def test_what_a_living_sender_has_claimed_is_left_alone(mailing: Mailing) -> None:
    mailing.people(20)
    dispatch = mailing.planned()
    start(mailing.store, dispatch.id, now=NOW)
    with mailing.store.presence("another"):
        with mailing.store.write() as connection:
            claim = claim_batch(connection, dispatch.id, "another", now=NOW)
            assert claim is not None
        sandbox = mailing.sandbox()
        done = mailing.send(dispatch, sandbox.url)
        assert (done.state, done.tally.accepted, done.tally.sending) == (DispatchState.SENDING, 10, 10)
        with mailing.store.write() as connection:
            record_outcome(connection, claim, OutcomeKind.THROTTLED, now=NOW, detail="429")
        assert mailing.tally(dispatch).planned == 10


def test_an_answer_that_comes_late_corrects_the_doubt(mailing: Mailing) -> None:
    mailing.people(5)
    dispatch = mailing.planned()
    start(mailing.store, dispatch.id, now=NOW)
    with mailing.store.write() as connection:
        claim = claim_batch(connection, dispatch.id, "slow", now=NOW)
        assert claim is not None
    with mailing.store.write() as connection:
        assert settle_orphans(connection, now=NOW) == 1
    assert mailing.tally(dispatch).uncertain == 5
    with mailing.store.write() as connection:
        record_outcome(connection, claim, OutcomeKind.ACCEPTED, now=NOW)
    assert mailing.tally(dispatch).accepted == 5


def test_a_late_word_that_nothing_was_sent_lets_a_complete_sending_go_on(mailing: Mailing) -> None:
    mailing.people(5)
    dispatch = mailing.planned()
    start(mailing.store, dispatch.id, now=NOW)
    with mailing.store.write() as connection:
        claim = claim_batch(connection, dispatch.id, "taken-for-dead", now=NOW)
        assert claim is not None
    sandbox = mailing.sandbox()
    assert mailing.send(dispatch, sandbox.url).state is DispatchState.COMPLETE
    with mailing.store.write() as connection:
        record_outcome(connection, claim, OutcomeKind.THROTTLED, now=NOW, detail="429")
    done = mailing.send(dispatch, sandbox.url)
    assert (done.state, done.tally.accepted) == (DispatchState.COMPLETE, 5)
    mailing.holds(dispatch, sandbox, 5)


def test_two_senders_at_once_send_nothing_twice(mailing: Mailing, in_thread: Any) -> None:
    mailing.people(200)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(latency=(0.005, 0.01))
    for _ in range(2):
        in_thread(lambda: mailing.send(dispatch, sandbox.url, speed=MANY))
    _until(lambda: mailing.tally(dispatch).accepted == 200)
    mailing.holds(dispatch, sandbox, 200)


def _until(condition: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't come to pass"
        time.sleep(0.02)


# Holding and calling off


def test_pause_ends_the_calls_under_way_and_begins_no_other(mailing: Mailing, in_thread: Any) -> None:
    mailing.people(100)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(latency=(0.05, 0.05))
    in_thread(lambda: mailing.send(dispatch, sandbox.url, speed=Speed(connections=2)))
    _until(lambda: sandbox.requests >= 1)
    pause(mailing.store, dispatch)
    _until(lambda: mailing.tally(dispatch).sending == 0)
    held = mailing.tally(dispatch)
    assert held.planned > 0
    assert held.accepted + held.planned == 100
    assert mailing.send(dispatch, sandbox.url).state is DispatchState.COMPLETE
    mailing.holds(dispatch, sandbox, 100)


def test_ctrl_c_finishes_the_calls_under_way(mailing: Mailing, in_thread: Any) -> None:
    mailing.people(100)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(latency=(0.05, 0.05))
    stopped = threading.Event()
    thread = in_thread(lambda: mailing.send(dispatch, sandbox.url, speed=Speed(connections=2), stopped=stopped))
    _until(lambda: sandbox.requests >= 1)
    stopped.set()
    thread.join(10)
    tally = mailing.tally(dispatch)
    assert tally.sending == tally.uncertain == 0
    assert tally.planned > 0
    mailing.holds(dispatch, sandbox, 100)


def test_cancel_calls_off_what_nobody_has_claimed(mailing: Mailing) -> None:
    mailing.people(30)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(credits=10)
    mailing.send(dispatch, sandbox.url)
    assert cancel(mailing.store, dispatch, now=NOW) == 20
    assert mailing.tally(dispatch).cancelled == 20
    with pytest.raises(DispatchError, match="cancelled"):
        start(mailing.store, dispatch.id, now=NOW)
    assert mailing.plan().recipients == 20, "who was called off can be reached by another sending"
    mailing.holds(dispatch, sandbox, 30)


# 6. Resolve


def test_the_uncertain_are_named_and_settled_by_a_decision_only(mailing: Mailing) -> None:
    mailing.people(30)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox("accepted-then-reset@1", "reset@2")
    mailing.send(dispatch, sandbox.url)
    doubtful = uncertain(mailing.store, dispatch, now=NOW)
    assert [each.email for each in doubtful] == [f"p{number:04}@example.org" for number in range(20)]

    assert resolve(mailing.store, dispatch, Decision.ASSUME_SENT, who="ada", now=NOW, emails=["P0000@example.org"]) == 1
    assert mailing.tally(dispatch).uncertain == 19
    lost = [f"p{number:04}@example.org" for number in range(10, 20)]
    assert resolve(mailing.store, dispatch, Decision.RESEND, who="ada", now=NOW, emails=lost) == 10
    assert (mailing.tally(dispatch).planned, mailing.tally(dispatch).audience) == (10, 30)
    done = mailing.send(dispatch, sandbox.url)
    assert (done.tally.accepted, done.tally.uncertain) == (21, 9)
    assert all(sandbox.accepted[email] == 1 for email in lost)
    with pytest.raises(DispatchError, match="not uncertain"):
        resolve(mailing.store, dispatch, Decision.RESEND, who="ada", now=NOW, emails=lost)
    assert resolve(mailing.store, dispatch, Decision.ASSUME_SENT, who="ada", now=NOW) == 9
    mailing.holds(dispatch, sandbox, 30)


def test_an_event_proves_acceptance(mailing: Mailing) -> None:

    mailing.people(10)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox("accepted-then-reset@1")
    mailing.send(dispatch, sandbox.url)
    with mailing.store.read() as connection:
        first, second, *_ = deliveries_of(connection, dispatch.id)
        [attempt] = attempts_of(connection, first.batch_id)
    report = {
        "event": "processed", "nl_delivery": str(first.id), "nl_attempt": attempt.id, "timestamp": 1774947600,
        "sg_event_id": "a",
    }  # fmt: skip
    bounce = {
        **report,
        "nl_delivery": str(second.id),
        "event": "bounce",
        "type": "bounce",
        "reason": "550 no such user",
    }
    for reports in ([bounce, report], [report, {**report, "sg_event_id": "b"}, bounce]):
        take(mailing.store, reports, now=NOW)
        statuses = mailing.statuses(dispatch)
        assert (statuses[first.email], statuses[second.email]) == ("accepted", "bounced")
        assert mailing.tally(dispatch).uncertain == 8
    with mailing.store.read() as connection:
        assert [each.reason for each in suppressions_of(connection, second.email)] == [SuppressionReason.BOUNCE]


# 7. Undo


def test_undo_calls_off_what_the_provider_still_holds(mailing: Mailing) -> None:
    now = datetime.now(UTC)
    mailing.people(95)
    dispatch = mailing.planned(now=now, send_at=now + timedelta(minutes=20))
    sandbox = mailing.sandbox()
    with SendGrid(KEY, sandbox.url) as provider:
        prepare_undo(mailing.store, provider, dispatch)
    done = mailing.send(dispatch, sandbox.url)
    assert done.tally.accepted == 95
    assert sandbox.accepted == {}, "the provider holds it"
    with SendGrid(KEY, sandbox.url) as provider:
        undone = undo(mailing.store, provider, dispatch, now=now, margin=UNDO_MARGIN)
    assert (undone.cancelled, undone.uncertain, undone.failures) == (95, 0, ())
    assert mailing.tally(dispatch).cancelled == 95
    assert mailing.plan().recipients == 95


def test_undo_waits_for_calls_under_way_and_calls_them_off_too(mailing: Mailing) -> None:
    """What is accepted after the provider was told to cancel would count as sent, and might never go out."""
    now = datetime.now(UTC)
    mailing.people(5)
    dispatch = mailing.planned(now=now, send_at=now + timedelta(minutes=20))
    with SendGrid(KEY, mailing.sandbox().url) as provider, mailing.store.presence("another"):
        prepare_undo(mailing.store, provider, dispatch)
        start(mailing.store, dispatch.id, now=now)
        with mailing.store.write() as connection:
            claim = claim_batch(connection, dispatch.id, "another", now=now)
            assert claim is not None

        def answered(_: float) -> None:
            with mailing.store.write() as connection:
                record_outcome(connection, claim, OutcomeKind.ACCEPTED, now=now)

        undone = undo(mailing.store, provider, dispatch, now=now, margin=UNDO_MARGIN, sleep=answered)
    assert (undone.cancelled, mailing.tally(dispatch).cancelled) == (5, 5)


def test_undo_says_so_when_calls_under_way_do_not_end(mailing: Mailing) -> None:
    now = datetime.now(UTC)
    mailing.people(5)
    dispatch = mailing.planned(now=now, send_at=now + timedelta(minutes=20))
    with SendGrid(KEY, mailing.sandbox().url) as provider, mailing.store.presence("another"):
        prepare_undo(mailing.store, provider, dispatch)
        start(mailing.store, dispatch.id, now=now)
        with mailing.store.write() as connection:
            assert claim_batch(connection, dispatch.id, "another", now=now) is not None
        with pytest.raises(DispatchError, match="under way"):
            undo(mailing.store, provider, dispatch, now=now, margin=UNDO_MARGIN, sleep=lambda _: None)


def test_undo_in_the_last_ten_minutes_promises_nothing(mailing: Mailing) -> None:
    now = datetime.now(UTC)
    mailing.people(15)
    dispatch = mailing.planned(now=now, send_at=now + timedelta(minutes=9))
    sandbox = mailing.sandbox()
    with SendGrid(KEY, sandbox.url) as provider:
        prepare_undo(mailing.store, provider, dispatch)
        mailing.send(dispatch, sandbox.url)
        undone = undo(mailing.store, provider, dispatch, now=now, margin=UNDO_MARGIN)
    assert (undone.cancelled, undone.uncertain) == (0, 15)
    assert mailing.tally(dispatch).uncertain == 15


def test_what_cannot_be_scheduled_is_refused(mailing: Mailing) -> None:
    mailing.people(1)
    with pytest.raises(DispatchError, match="72 hours"):
        mailing.plan(send_at=NOW + timedelta(hours=73))
    with pytest.raises(DispatchError, match="passed"):
        mailing.plan(send_at=NOW)


# Audiences, ramps, rehearsals


def test_a_limit_leaves_the_others_for_later(mailing: Mailing) -> None:
    mailing.people(25)
    sandbox = mailing.sandbox()
    mailing.send(mailing.planned(selection=Selection(limit=7)), sandbox.url)
    assert len(sandbox.accepted) == 7
    rest = mailing.plan()
    assert (rest.recipients, rest.had_it) == (18, 7)


def test_a_ramp_stops_when_too_much_goes_wrong(mailing: Mailing) -> None:
    mailing.people(200)
    dispatch = mailing.planned(ramp=True)
    sandbox = mailing.sandbox(refuse=("p0000@*",))
    done = mailing.send(dispatch, sandbox.url, ramp=Ramp(threshold=0.05), speed=MANY)
    assert (done.state, done.tally.accepted, done.tally.refused) == (DispatchState.STOPPED, 1, 1)
    done = mailing.send(dispatch, sandbox.url, ramp=Ramp(threshold=0.6), speed=MANY)
    assert (done.state, done.tally.accepted) == (DispatchState.COMPLETE, 199)
    mailing.holds(dispatch, sandbox, 200)


def test_a_ramp_goes_on_after_a_stage_in_which_everybody_was_refused(mailing: Mailing) -> None:
    mailing.people(100)
    dispatch = mailing.planned(ramp=True)
    sandbox = mailing.sandbox(refuse=("p0000@*",))  # the whole first stage
    stopped = threading.Event()
    too_late = threading.Timer(30, stopped.set)
    too_late.start()
    done = mailing.send(dispatch, sandbox.url, ramp=Ramp(threshold=1.0), stopped=stopped)
    too_late.cancel()
    assert (done.state, done.tally.accepted, done.tally.refused) == (DispatchState.COMPLETE, 99, 1)
    mailing.holds(dispatch, sandbox, 100)


def test_a_ramp_sends_a_hundredth_then_a_tenth_then_the_rest(mailing: Mailing) -> None:
    mailing.people(300)
    dispatch = mailing.planned(ramp=True, batch_size=1000)
    sandbox = mailing.sandbox()
    mailing.send(dispatch, sandbox.url, ramp=Ramp())
    import json

    sizes = [len(json.loads(line)["messages"]) for line in (mailing.folder / "sandbox.jsonl").read_text().splitlines()]
    assert sizes == [3, 27, 270]


def test_a_rehearsal_counts_as_nothing(mailing: Mailing) -> None:
    mailing.people(12)
    sandbox = mailing.sandbox()
    rehearsal = mailing.planned(rehearsal=True)
    assert mailing.send(rehearsal, sandbox.url).tally.accepted == 12
    with mailing.store.read() as connection:
        assert dispatches_of(connection) == []
    assert mailing.plan().recipients == 12


def test_nobody_can_be_mailed_who_could_not_leave(mailing: Mailing) -> None:
    from dataclasses import replace

    mailing.people(1)
    with pytest.raises(DispatchError, match="unsubscribe"):
        mailing.plan(envelope=replace(ORDER.envelope, public_url=None))


def test_a_report_of_somebody_who_was_erased_brings_nothing_back(mailing: Mailing) -> None:
    [person] = mailing.people(1)
    dispatch = mailing.planned()
    mailing.send(dispatch, mailing.sandbox().url)
    with mailing.store.read() as connection:
        [delivery] = deliveries_of(connection, dispatch.id)
    with mailing.store.write() as connection:
        forget(connection, person.email, now=NOW)
    report = {"event": "bounce", "nl_delivery": str(delivery.id), "timestamp": 1, "reason": f"550 {person.email}"}
    take(mailing.store, [report], now=NOW)
    with mailing.store.read() as connection:
        [delivery] = deliveries_of(connection, dispatch.id)
        assert [each.detail for each in events_of(connection, delivery.id)] == [None]
        assert not list(all_suppressions(connection))
    assert person.email not in str(delivery)
