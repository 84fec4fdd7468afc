"""The row in the inbox: what of sender, subject and preheader is seen, and what stands in for what isn't there."""

from __future__ import annotations

import pytest

from newsletter.studio.preview.inbox import CLIENTS, SNIPPET, cut, notes_on, rows_of, snippet_of, width
from newsletter.studio.rendering import Rendering

FILLER = "\N{COMBINING GRAPHEME JOINER}\N{ZERO WIDTH SPACE} " * 60
"""What the built-in layout puts after a preheader, so that no other words follow it."""


def rendering(subject: str = "Spring", preheader: str = "", body: str = "<p>Dear Sam, it is here.</p>") -> Rendering:
    hidden = f'<div style="display:none">{preheader}{FILLER}</div>' if preheader else ""
    html = f"<!DOCTYPE html><html><head><title>{subject}</title><style>p {{}}</style></head><body>{hidden}{body}</body></html>"
    return Rendering(html=html, subject=subject, preheader=preheader, sender=("The Letter", "news@example.org"))


def test_a_short_row_is_shown_whole_in_every_client() -> None:
    done = rendering("Spring", "Terns are back")
    rows = rows_of(done)
    assert [row.client for row in rows] == list(CLIENTS)
    for row in rows:
        assert (row.sender, row.subject, row.preheader, row.rest, row.seen) == (
            "The Letter", "Spring", "Terns are back", "", None,
        )  # fmt: skip
    assert notes_on(done, rows) == []


def test_a_long_subject_is_cut_on_phones_first_and_the_author_is_told() -> None:
    subject = "The wall is open, the terns stayed, and the county wants its clay back by June"
    done = rendering(subject, "Forty-one nests")
    rows = {row.client.key: row for row in rows_of(done)}
    assert rows["gmail"].seen is None
    for key in ("gmail-phone", "apple"):
        row = rows[key]
        assert row.seen is not None
        assert 25 < row.seen < 50  # what is said about phones everywhere
        assert row.subject == subject[: row.seen] + "…"
    [note] = notes_on(done, list(rows.values()))
    assert f"about {rows['gmail-phone'].seen} of its {len(subject)} characters" in note


def test_without_a_preheader_the_words_of_the_email_stand_there() -> None:
    done = rendering()
    for row in rows_of(done):
        assert (row.preheader, row.rest) == ("", "Dear Sam, it is here.")
    [note] = notes_on(done, rows_of(done))
    assert "no preheader" in note


def test_a_theme_that_puts_nothing_after_a_short_preheader_lets_the_words_of_the_email_follow() -> None:
    done = rendering("Spring", "Terns", "x")
    assert done.html is not None
    bare = Rendering(
        html=done.html.replace(FILLER, ""), subject="Spring", preheader="Terns", sender=("L", "l@example.org")
    )
    row = rows_of(bare)[0]
    assert (row.preheader, row.rest) == ("Terns", " x")


def test_a_theme_that_shows_something_else_first_is_told_of() -> None:
    done = Rendering(
        html="<body><p>View in browser</p></body>", subject="S", preheader="Terns", sender=("", "l@example.org")
    )
    rows = rows_of(done)
    assert rows[0].sender == "l@example.org"
    assert rows[0].rest == "View in browser"
    assert ["theme" in note for note in notes_on(done, rows)] == [True]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<body><style>p{}</style><p>a</p><p>b</p></body>", "a b"),
        ("<body><p>a<b>b</b>c &amp; d</p></body>", "abc & d"),
        ('<body><img src="x" alt="The logo"><p>a</p></body>', "The logo a"),
        ("<head><title>no</title></head><body>\n\n a \n b </body>", "a b"),
        ("<body><!--[if mso]><p>no</p><![endif]--><p>a</p></body>", "a"),
        ("", ""),
    ],
)
def test_the_first_words_of_an_email(html: str, words: str) -> None:
    assert snippet_of(html) == words


def test_no_more_of_an_email_is_read_than_clients_take() -> None:
    assert len(snippet_of("<body>" + "<p>word</p>" * 50_000 + "</body>")) == SNIPPET


@pytest.mark.parametrize(
    "text",
    ["Spring tides and terns", "Գարնանային մակընթացություն", "春の潮が満ちてくる", "مدّ الربيع يعود", "🌊🌊🌊🌊🌊🌊"],
)
def test_what_is_cut_fits_the_room_and_leaves_no_more_out_than_it_must(text: str) -> None:
    room = width(text, 14) * 0.7
    shown, seen = cut(text, room, 14)
    assert seen is not None
    assert shown.endswith("…")
    assert text.startswith(shown[:-1])
    assert width(shown, 14) <= room
    assert width(text[: seen + 3], 14) + width("…", 14) > room
    assert cut(text, width(text, 14) + 1, 14) == (text, None)


def test_marks_on_letters_take_no_room() -> None:
    assert width("é", 10) == width("e\N{COMBINING ACUTE ACCENT}", 10) == width("e", 10)
