"""The language that faults are written in, and whom they strike."""

from collections import Counter
from collections.abc import Callable

import pytest

from newsletter.sandbox.faults import FAULTS, Faults, Rule, matches, parse_latency, parse_rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accepted-then-reset=5%", Rule(FAULTS["accepted-then-reset"], rate=0.05)),
        ("reset=0.05", Rule(FAULTS["reset"], rate=0.05)),
        (" 429@3 ", Rule(FAULTS["429"], numbers=((3, 3),))),
        ("429-bare@3,7-9", Rule(FAULTS["429-bare"], numbers=((3, 3), (7, 9)))),
        ("503=100%", Rule(FAULTS["503"], rate=1.0)),
    ],
)
def test_a_rule_is_read_and_written_alike(text: str, expected: Rule) -> None:
    assert parse_rule(text) == expected
    assert parse_rule(str(expected)) == expected


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_rule, "418=5%", "no fault '418'; there are 429, 429-bare"),
        (parse_rule, "429", "neither NAME=RATE nor NAME@NUMBERS"),
        (parse_rule, "", "neither"),
        (parse_rule, "429=5%@3", "neither"),
        (parse_rule, "429=101%", "isn't a rate"),
        (parse_rule, "429=-1", "isn't a rate"),
        (parse_rule, "429=nan", "isn't a rate"),
        (parse_rule, "429=often", "isn't a rate"),
        (parse_rule, "429@0", "counted from 1"),
        (parse_rule, "429@9-7", "counted from 1"),
        (parse_rule, "429@3,", "counted from 1"),
        (parse_latency, "100", "isn't a time"),
        (parse_latency, "9-5s", "ends before it begins"),
    ],
)
def test_what_is_wrong_is_said_with_an_example(parse: Callable[[str], object], text: str, said: str) -> None:
    with pytest.raises(ValueError, match="e\\.g\\. ") as error:
        parse(text)
    assert said in str(error.value)


def test_latencies() -> None:
    assert parse_latency("100ms") == (0.1, 0.1)
    assert parse_latency("0.5-2s") == (0.5, 2.0)
    faults = Faults(latency=(0.5, 2.0))
    waits = [faults.latency_of(number) for number in range(1, 200)]
    assert 0.5 <= min(waits) < 0.7
    assert 1.8 < max(waits) <= 2.0


def struck(faults: Faults, calls: int = 2000) -> list[str]:
    """The name of what strikes each call, in order."""
    return [fault.name if (fault := faults.fault_of(number)) else "" for number in range(1, calls + 1)]


def test_rates_are_kept_and_share_the_calls_between_them() -> None:
    counted = Counter(struck(Faults((parse_rule("500=10%"), parse_rule("reset=20%")))))
    assert 150 < counted["500"] < 250
    assert 330 < counted["reset"] < 470
    assert Counter(struck(Faults((parse_rule("503=100%"),)))) == {"503": 2000}


def test_a_seed_repeats_a_run_and_another_one_doesnt() -> None:
    rules = (parse_rule("500=10%"),)
    assert struck(Faults(rules, seed=7)) == struck(Faults(rules, seed=7))
    assert struck(Faults(rules, seed=7)) != struck(Faults(rules, seed=8))


def test_a_number_goes_before_a_rate() -> None:
    faults = Faults((parse_rule("500=100%"), parse_rule("429@2,4-5")))
    assert struck(faults, 6) == ["500", "429", "500", "429", "429", "500"]


def test_more_than_every_call_cant_be_struck() -> None:
    with pytest.raises(ValueError, match="100%"):
        Faults((parse_rule("500=60%"), parse_rule("502=41%")))
    Faults(tuple(parse_rule(f"{name}=0.1") for name in list(FAULTS)[:10]))


def test_globs_know_no_case() -> None:
    assert matches("Ada@BAD.example.org", ("*@bad.example.org",))
    assert matches("x@a.example.org", ("*@b.*", "*@a.*"))
    assert not matches("ada@example.org", ("*@bad.example.org",))


def test_all_that_is_switched_on_is_told_in_words() -> None:
    faults = Faults(
        rules=(parse_rule("429@3"),), latency=(0.05, 0.25), refuse=("*@bad.example.org",), credits=5000,
        late_cancel="fails", bounce=("b@*",), complain=("c@*",), events_chaos=True,
    )  # fmt: skip
    assert [name for name, _ in faults.in_words()] == [
        "429@3", "latency 50-250ms", "refuse *@bad.example.org", "credits 5,000", "late-cancel fails", "bounce b@*",
        "complain c@*", "events-chaos",
    ]  # fmt: skip
    assert list(Faults().in_words()) == []
