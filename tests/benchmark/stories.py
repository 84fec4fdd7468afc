"""Issues of any length, for measuring: the same words for the same arguments, all about an organisation that isn't."""

from __future__ import annotations

import random

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
    headline: {headline}
    url: https://tidewater.example.org/stories/{number}
    image:
      src: https://images.example.org/stories/{number}.jpg
      alt: {alt}
    body: |
      {before} [{link}](https://tidewater.example.org/notes/{number}) {after}.
    label: {label}
"""


def make_issue(stories: int, *, edition: int = 0, revision: int = 0) -> str:
    """The YAML of an issue of `stories` stories, a section before each tenth.

    A story has a headline of 8 words, a body of 35 with a link, a picture with alt text, and a read-more link. Another
    `edition` has other words everywhere; another `revision` of an edition differs in the body of one story only.
    """
    parts = [HEAD.format(slug=f"stories-{stories}")]
    for number in range(1, stories + 1):
        if number % 10 == 1:
            parts.append(SECTION.format(title=_words(f"section {edition} {number}", 3).capitalize()))
        seed = f"{edition} {number}"
        changed = f"{seed} revision {revision}" if revision and number == (stories + 1) // 2 else seed
        parts.append(
            STORY.format(
                number=number,
                headline=_words(f"headline {seed}", 8).capitalize(),
                alt=_words(f"alt {seed}", 5).capitalize(),
                before=_words(f"before {changed}", 15).capitalize(),
                link=_words(f"link {seed}", 3),
                after=_words(f"after {seed}", 17),
                label=f"Read about the {_words(f'label {seed}', 2)}",
            )
        )
    return "".join(parts)


def _words(seed: str, count: int) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=count))
