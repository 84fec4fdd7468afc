"""Issues of any length, for measuring: the same words for the same arguments, all about an organisation that isn't.

Each can be had as our YAML, and as MJML, written as its authors would: a section with two columns for each story.
"""

from __future__ import annotations

import random
from typing import NamedTuple

WORDS = """
harbour tide ferry lantern council bridge market orchard library signal meadow workshop garden river gallery
kitchen volunteers neighbours engineers teachers sailors bakers painters opened repaired measured planted
carried counted between after along under before without across early quietly together every second spring
winter morning
""".split()  # noqa: SIM905 - words read better without forty quotes

HEAD = """\
subject: The long issue
preheader: A measured number of stories from along the coast
date: 2026-03-31
slug: {slug}
blocks:
"""

SECTION = """\
  - type: section
    title: {title}
"""

STORY = """\
  - type: story
    headline: {story.headline}
    url: https://tidewater.example.org/stories/{story.number}
    image:
      src: https://images.example.org/stories/{story.number}.jpg
      alt: {story.alt}
    body: |
      {story.before} [{story.link}](https://tidewater.example.org/notes/{story.number}) {story.after}.
    label: {story.label}
"""

MJML = """\
<mjml lang="en">
<mj-head>
<mj-title>The long issue</mj-title>
<mj-preview>A measured number of stories from along the coast</mj-preview>
<mj-attributes>
<mj-all font-family="Helvetica, Arial, sans-serif" padding="0px" />
<mj-section background-color="#ffffff" />
<mj-text font-size="16px" line-height="1.5" color="#26323d" />
</mj-attributes>
<mj-style>
{css}
</mj-style>
</mj-head>
<mj-body background-color="#eef1f4" width="600px" css-class="page">
<mj-section padding="28px 24px 20px">
<mj-column><mj-text><h1><a href="{url}">The Tidewater Letter</a></h1></mj-text></mj-column>
</mj-section>
{body}\
<mj-section padding="24px">
<mj-column><mj-text font-size="13px" css-class="footer">
<p><a href="{url}">The Tidewater Letter</a><br />Tidewater Trust, 3 Harbour Lane, Saltmarsh</p>
<p><a href="&lt;%asm_group_unsubscribe_raw_url%&gt;">Unsubscribe</a></p>
</mj-text></mj-column>
</mj-section>
</mj-body>
</mjml>
"""

MJML_SECTION = """\
<mj-section padding="28px 24px 10px">
<mj-column><mj-text><h2 class="kicker">{title}</h2></mj-text></mj-column>
</mj-section>
"""

MJML_STORY = """\
<mj-section padding="12px 24px">
<mj-column width="28%">
<mj-image src="https://images.example.org/stories/{story.number}.jpg" alt="{story.alt}" \
href="https://tidewater.example.org/stories/{story.number}" width="144px" />
</mj-column>
<mj-column width="72%">
<mj-text padding-left="12px">
<h3 class="headline"><a href="https://tidewater.example.org/stories/{story.number}">{story.headline}</a></h3>
<p>{story.before} <a href="https://tidewater.example.org/notes/{story.number}">{story.link}</a> {story.after}.</p>
<p class="more"><a href="https://tidewater.example.org/stories/{story.number}">{story.label}</a></p>
</mj-text>
</mj-column>
</mj-section>
"""


class Story(NamedTuple):
    """A story's words."""

    number: int
    headline: str
    alt: str
    before: str
    link: str
    after: str
    label: str


def make_issue(stories: int, *, edition: int = 0, revision: int = 0) -> str:
    """The YAML of an issue of `stories` stories, a section before each tenth.

    Another `edition` has other words everywhere; another `revision` of an edition differs in the body of one story.
    """
    return HEAD.format(slug=f"stories-{stories}") + _filled(SECTION, STORY, stories, edition, revision)


def make_mjml(stories: int, css: str, *, edition: int = 0) -> str:
    """The same issue as MJML, with `css` as its style sheet."""
    body = _filled(MJML_SECTION, MJML_STORY, stories, edition, 0)
    return MJML.format(css=css, body=body, url="https://tidewater.example.org")


def _filled(section: str, story: str, stories: int, edition: int, revision: int) -> str:
    parts = []
    for number in range(1, stories + 1):
        if number % 10 == 1:
            parts.append(section.format(title=_words(f"section {edition} {number}", 3).capitalize()))
        changed = f" revision {revision}" if revision and number == (stories + 1) // 2 else ""
        parts.append(story.format(story=_story(number, f"{edition} {number}", changed)))
    return "".join(parts)


def _story(number: int, seed: str, changed: str) -> Story:
    """A headline of 8 words, a body of 35 with a link, a picture with alt text, and a read-more link."""
    return Story(
        number,
        headline=_words(f"headline {seed}", 8).capitalize(),
        alt=_words(f"alt {seed}", 5).capitalize(),
        before=_words(f"before {seed}{changed}", 15).capitalize(),
        link=_words(f"link {seed}", 3),
        after=_words(f"after {seed}", 17),
        label=f"Read about the {_words(f'label {seed}', 2)}",
    )


def _words(seed: str, count: int) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=count))
