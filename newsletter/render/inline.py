"""A theme's style sheet, written into the elements it applies to, as mail clients need it."""

from __future__ import annotations

import functools
import logging
import re
from typing import Any

from newsletter.errors import RenderError

_DOCTYPE = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)
_STYLE_TAG = re.compile(r"<style(?![^>]*data-premailer)")


def inline(html: str, css: str) -> str:
    """`html` with the rules of `css` inlined; its own style elements and conditional comments stay as they are.

    Neither the network nor a file is touched, whatever the style sheet says. Raises RenderError.
    """
    # premailer knows the doctype in upper case only and drops any other, which would mean quirks mode.
    html = _DOCTYPE.sub("<!DOCTYPE html>", html, count=1)
    html = _STYLE_TAG.sub('<style data-premailer="ignore"', html)
    premailer = _premailer()
    try:
        return str(
            premailer(
                html,
                css_text=css,
                allow_network=False,
                allow_loading_external_files=False,
                align_floating_images=False,
                cache_css_parsing=True,
                cssutils_logging_level=logging.CRITICAL,
                disable_basic_attributes=["width", "height", "bgcolor", "align", "valign"],
                disable_link_rewrites=True,
                disable_validation=True,
                include_star_selectors=False,
                keep_style_tags=False,
                remove_classes=False,
                remove_unset_properties=False,
                strip_important=False,
            ).transform()
        )
    except Exception as error:  # what cssutils and lxml raise has no common base
        raise RenderError(f"the style sheet can't be inlined: {error}") from error


@functools.cache
def _premailer() -> Any:
    """premailer's class, imported when it is needed (it is slow to import) and cut off from the network."""
    import cssutils
    from premailer import Premailer

    # cssutils follows `@import` itself, past premailer's own switches.
    cssutils.util._defaultFetcher = lambda _url: None
    return Premailer


def forbidden_in_css(css: str) -> str | None:
    """The first thing in a style sheet that would fetch something from elsewhere, if any."""
    found = re.search(r"@import|@font-face|url\(\s*['\"]?(?!data:)[^)]*|expression\(", css, re.IGNORECASE)
    return found[0] if found else None
