"""A theme: a folder in `templates/` with `theme.yaml`, a layout, and a template for each kind of block.

Files are looked up one by one: in the workspace's folder of the theme, in the theme that newsletter brings under this
name, and then in `base`, which themes share. So one file in a workspace overrides one template.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from newsletter.errors import Location, Problem
from newsletter.fields import Colour, Model
from newsletter.source import Source, problem_at, read_source, validate

BASE = "base"
FILE_NAME = "theme.yaml"
LABELS_FILE = "labels.yaml"
MIN_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, level AA, for text of normal size."""


class Palette(Model):
    """The colours of one scheme."""

    background: Colour
    """Around the content."""
    surface: Colour
    """Under the content."""
    tint: Colour
    """Under callouts and the like."""
    line: Colour
    """Dividers and frames."""
    text: Colour
    """Running text."""
    muted: Colour
    """Captions, bylines, the footer."""
    heading: Colour
    """Headlines."""
    link: Colour
    """Links in running text."""
    accent: Colour
    """Buttons and marks."""
    on_accent: Colour
    """Text on the accent."""
    band: Colour
    """A strip across the email: under a video, at the end."""
    on_band: Colour
    """Text and links on the band."""


# What is read on what. The footer's muted text stands on the background.
_READ_ON = [
    ("text", "surface"),
    ("muted", "surface"),
    ("muted", "tint"),
    ("heading", "surface"),
    ("link", "surface"),
    ("accent", "surface"),
    ("text", "tint"),
    ("heading", "tint"),
    ("link", "tint"),
    ("muted", "background"),
    ("link", "background"),
    ("heading", "background"),
    ("on_accent", "accent"),
    ("on_band", "band"),
]


class Fonts(Model):
    """Font stacks; the first that a mail client has is used."""

    body: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ,'-]+$")]
    """For running text."""
    heading: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ,'-]+$")]
    """For headlines."""
    size: Annotated[int, Field(ge=14, le=22)] = 16
    """Of running text, in pixels."""
    line_height: Annotated[float, Field(ge=1.2, le=2)] = 1.5
    """Of running text, in sizes of its letters."""


class ThemeSettings(Model):
    """`theme.yaml`."""

    title: str
    """The theme's name, for people."""
    description: str
    """What it is good for."""
    width: Annotated[int, Field(ge=480, le=720)] = 600
    """The width of the content, in pixels."""
    light: Palette
    """Colours."""
    dark: Palette
    """Colours where a mail client shows a dark scheme."""
    fonts: Fonts
    """Fonts."""
    options: Annotated[dict[str, str], Field(default_factory=dict)]
    """Words that the theme's own templates read as `theme.options`."""


@dataclass(frozen=True)
class Theme:
    """A theme that can be used: its name, its settings, and the folders its files are looked up in."""

    name: str
    settings: ThemeSettings
    folders: tuple[Path, ...]

    def file(self, name: str) -> Path | None:
        """The file called `name` of the first folder that has one."""
        return next((folder / name for folder in self.folders if (folder / name).is_file()), None)


def builtin_templates() -> Path:
    """The folder of the themes that newsletter brings: in the wheel beside the code, in a checkout above it."""
    package = Path(__file__).parent
    shipped = package / "templates"
    return shipped if shipped.is_dir() else package.parent / "templates"


def search_path(workspace: Path | None) -> list[Path]:
    """The `templates/` folders that count, the workspace's first."""
    folders = [builtin_templates()]
    if workspace is not None and (own := workspace / "templates").is_dir() and own.resolve() != folders[0].resolve():
        folders.insert(0, own)
    return folders


def theme_names(workspace: Path | None) -> list[str]:
    """The themes that can be named, sorted."""
    found = {file.parent.name for folder in search_path(workspace) for file in folder.glob(f"*/{FILE_NAME}")}
    return sorted(found)


def load_theme(name: str, workspace: Path | None) -> tuple[Theme | None, list[Problem]]:
    """The theme called `name`, checked. Problems point into its `theme.yaml`."""
    folders = tuple(
        folder / part
        for part in dict.fromkeys((name, BASE))
        for folder in search_path(workspace)
        if (folder / part).is_dir()
    )
    file = next(
        (folder / FILE_NAME for folder in folders if folder.name == name and (folder / FILE_NAME).is_file()), None
    )
    if file is None:
        known = ", ".join(f"`{theme}`" for theme in theme_names(workspace))
        return None, [Problem("unknown-theme", f"there is no theme `{name}`", hint=f"there are {known}")]
    shown = _shown(file, workspace)
    source, problems = read_source(file, shown)
    if source is None:
        return None, problems
    settings, more = validate(source, ThemeSettings)
    if settings is None:
        return None, problems + more
    return Theme(name, settings, folders), problems + check_contrast(settings, source)


def _shown(file: Path, workspace: Path | None) -> str:
    for root in (workspace, builtin_templates().parent):
        if root is not None and file.is_relative_to(root):
            return str(file.relative_to(root))
    return str(file)


def check_contrast(settings: ThemeSettings, source: Source) -> list[Problem]:
    """A Problem for each pair of colours that is too close to read, in either scheme."""
    problems = []
    for scheme in ("light", "dark"):
        palette = getattr(settings, scheme)
        for ink, paper in _READ_ON:
            ratio = contrast(getattr(palette, ink), getattr(palette, paper))
            if ratio < MIN_CONTRAST:
                message = f"`{ink}` on `{paper}` has a contrast of {ratio:.1f}:1; {MIN_CONTRAST}:1 is the least"
                hint = "make one of the two darker or lighter"
                problems.append(problem_at(source, (scheme, ink), "low-contrast", message, hint=hint))
    return problems


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def labels(theme: Theme, lang: str) -> dict[str, Any]:
    """What themes write themselves, in a language: words, months, quotation marks; in English where it has none."""
    file = theme.file(LABELS_FILE)
    table = _labels(file, file.stat().st_mtime_ns) if file else {}
    primary = lang.partition("-")[0].lower()
    return {**table.get("en", {}), **table.get(primary, {}), **table.get(lang, {})}


@functools.lru_cache(maxsize=8)
def _labels(file: Path, _modified: int) -> dict[str, Any]:
    source, problems = read_source(file, file.name)
    if source is None or problems or not isinstance(source.data, dict):
        from newsletter.errors import ProblemsFound

        raise ProblemsFound(
            problems or [Problem("wrong-type", "languages with their words are wanted", Location(file.name))]
        )
    return source.data
