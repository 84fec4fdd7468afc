"""Most addresses are taken by a quick look. It may never take, or change, what the long look would not."""

from __future__ import annotations

from collections.abc import Callable

from email_validator import validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.subscriber import _PLAIN, address_key, normalise_address

# Letters that tempt: of both cases, of other alphabets, and such that become ASCII when case is ignored.
_PARTS = st.text("abzABZ019.-_+@ \n'\"%ſKéöı．。xn", max_size=12)
_DOMAINS = st.sampled_from(
    ["example.org", "Example.ORG", "xn--bcher-kva.example", "a--b.org", "ab--c.org", "a.test", "test.org", "b.local",
     "localhost", "x.invalid", "arpa", "in-addr.arpa", "mytest", "1.2", "a.b2", "bücher.example", "-a.org", "a-.org", "a..b"]
)  # fmt: skip
_ADDRESSES = st.one_of(
    st.builds("{}@{}".format, _PARTS, _PARTS),
    st.builds("{}@{}".format, _PARTS, _DOMAINS),
    st.builds("{}@{}.{}".format, _PARTS, _PARTS, _DOMAINS),
    st.from_regex(_PLAIN, fullmatch=True),
    st.emails(),
    st.text(max_size=80),
)


@settings(max_examples=500)
@given(_ADDRESSES)
@example("a@test")
@example("a@a.test")
@example("a@ab--cd.org")
@example("ada@example.org\n")
@example("a" * 64 + "@example.org")
@example("a@" + "b" * 64 + ".org")
def test_an_address_is_taken_as_the_library_takes_it(text: str) -> None:
    assert _outcome(normalise_address, text) == _outcome(_by_the_library, text)


def _by_the_library(text: str) -> str:
    validated = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    return f"{validated.local_part}@{validated.ascii_domain}"


def _outcome(normalise: Callable[[str], str], text: str) -> tuple[str, str]:
    try:
        return "taken", normalise(text)
    except ValueError as error:
        return "refused", str(error)


@given(_ADDRESSES)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    try:
        email = normalise_address(text)
    except ValueError:
        return
    assert normalise_address(email) == email
    assert email.isascii()
    assert address_key(normalise_address(email.upper())) == address_key(email)
