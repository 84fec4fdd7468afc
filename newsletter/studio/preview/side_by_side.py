"""The variants of an issue side by side, each rendered while it is looked at."""

from __future__ import annotations

import asyncio

from nicegui import ui

from newsletter.errors import NewsletterError
from newsletter.outbox import variant_words
from newsletter.studio.compose.draft import Draft
from newsletter.studio.preview.frame import PreviewFrame
from newsletter.studio.preview.variants import LOOKED_AT, Variants, all_variants, variants_of
from newsletter.studio.rendering import Rendering, Request
from newsletter.studio.widgets import empty, words

SHOWN = 8
"""Variants that are shown at most."""
REST = 0.4
"""Seconds without a key after which they are rendered again."""


class SideBySide:
    """The variants that subscribers get. What isn't on screen isn't rendered: `hide` says that it isn't."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._client = ui.context.client
        self._conditions: tuple[str, ...] | None = None
        self._frames: dict[str, PreviewFrame] = {}
        self._drawn: object = None
        self._work: asyncio.Task[None] | None = None
        self._box = (
            ui.element("div").classes("preview-variants").props('tabindex=0 role=region aria-label="Side by side"')
        )

    def show(self, done: Rendering) -> None:
        """Show the variants of the issue that this is a rendering of."""
        if self._drawn == self._key(done):
            return
        is_first = self._work is None
        self._stop()
        self._work = asyncio.get_running_loop().create_task(self._show(done, wait=not is_first))

    def hide(self) -> None:
        """Render no more, and look anew for who gets what when it is shown again."""
        self._stop()
        self._conditions = self._drawn = None

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def _key(self, done: Rendering) -> object:
        return self._draft.text, self._draft.person, done.variant, done.html

    async def _show(self, done: Rendering, *, wait: bool) -> None:
        if wait:
            await asyncio.sleep(REST)
        key = self._key(done)
        if done.conditions != self._conditions:
            found = await asyncio.to_thread(self._variants, done.conditions)
            with self._client:
                self._draw(done.conditions, found)
            self._conditions = done.conditions
        draft = self._draft
        for variant, frame in list(self._frames.items()):
            if variant == done.variant and done.html is not None:
                frame.show(done.html)
                continue
            known = frozenset(draft.desk.images)
            request = Request(draft.desk.root, draft.path, draft.text, draft.person, variant, known_images=known)
            rendered = await draft.desk.render(request)
            if rendered is not None and rendered.html is not None:
                frame.show(rendered.html)
        self._drawn = key

    def _variants(self, conditions: tuple[str, ...]) -> Variants:
        try:
            return variants_of(self._draft.desk.store, conditions)
        except NewsletterError:
            return all_variants(conditions)

    def _draw(self, conditions: tuple[str, ...], found: Variants) -> None:
        self._box.clear()
        self._frames = {}
        with self._box:
            if not conditions:
                empty(
                    "groups", "Everybody gets the same", "A block with a `when:` is only for those for whom it holds."
                )
                return
            words("p", _about(found), "muted small")
            with ui.element("div").classes("preview-grid"):
                for variant, readers in list(found.readers.items())[:SHOWN]:
                    label = variant_words(conditions, variant)
                    with ui.element("section").classes("preview-variant").props(f'data-variant="{variant}"'):
                        with ui.element("div").classes("preview-variant-name"):
                            words("h2", label)
                            words("span", "" if readers is None else f"{readers:,}", "muted small num")
                        frame = PreviewFrame(f"Variant: {label}")
                        self._frames[variant] = frame.classes("preview-variant-frame")


def _about(found: Variants) -> str:
    number = len(found.readers)
    more = f" The {SHOWN} that most readers get are shown; there are {number - SHOWN} more." if number > SHOWN else ""
    if all(readers is None for readers in found.readers.values()):
        more = f" {SHOWN} are shown; there are {number - SHOWN} more." if number > SHOWN else ""
        return f"Nobody is on a list yet: these are all combinations of the issue's conditions.{more}"
    looked = "" if found.are_all else f" The first {LOOKED_AT:,} subscribers were looked at."
    one = number == 1
    return f"Your subscribers get {number} variant{'' if one else 's'}, with so many readers each.{more}{looked}"
