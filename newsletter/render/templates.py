"""A theme's Jinja templates: where they are found, what they can use, and errors that name their file and line."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel

from newsletter.errors import Location, Problem, RenderError
from newsletter.render.images import Placed
from newsletter.render.plaintext import columns, underline, wrap
from newsletter.theme import Theme

_ABSENT = object()


class Templates:
    """The templates of a theme: `.mjml` and `.css` for HTML (escaped by default), `.txt` for plain text (not)."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        files = _files_in(theme.folders)
        html, text = (_environment(theme.folders, files, escaping=escaping) for escaping in (True, False))
        self._environments = {"mjml": html, "css": text, "txt": text}

    def render(self, name: str, names: dict[str, Any]) -> str:
        """The template `name` with `names`. Raises RenderError, which says in which file and line."""
        try:
            return self._template(name).render(names)
        except TemplateNotFound as error:
            missing = str(error)
            message = f"the theme `{self.theme.name}` has no `{missing}`"
            raise RenderError(message, hint="a theme looks in its own folder, then in `templates/base`") from None
        except TemplateSyntaxError as error:
            place = Location(shown(error.filename or name), error.lineno)
            raise _fault("template-syntax", str(error.message), place, None) from None
        except (
            UndefinedError,
            SecurityError,
            TemplateRuntimeError,
            TypeError,
            ValueError,
            KeyError,
            AttributeError,
        ) as error:
            place = _template_place(error, self._template(name))
            raise _fault(
                "template-fault", str(error), place, "names a template can use are listed in the README"
            ) from error

    def _template(self, name: str) -> Template:
        return self._environments[name.rpartition(".")[2]].get_template(name)

    def find_line(self, name: str, words: str) -> Location:
        """The place of `words` in the source of template `name`; its first line where they aren't found."""
        file = self.theme.file(name)
        if file is None:
            return Location(name)
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if (column := line.find(words)) >= 0:
                return Location(shown(str(file)), number, column + 1, len(words))
        return Location(shown(str(file)))


def _fault(code: str, message: str, place: Location, hint: str | None) -> RenderError:
    return RenderError(message, problem=Problem(code, message, place, hint))


def _template_place(error: BaseException, template: Template) -> Location:
    """Where in a template's source an exception came from: Jinja rewrites the traceback to template lines."""
    place = Location(shown(template.filename or str(template.name)))
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith((".mjml", ".txt", ".css")):
            place = Location(shown(file), trace.tb_lineno)
        trace = trace.tb_next
    return place


def shown(file: str) -> str:
    """A template's file as people know it: from `templates/` on."""
    found = re.search(r"(?:^|/)(templates/.*)$", file)
    return found[1] if found else file


@functools.cache
def _is_open(kind: Any) -> bool:
    return issubclass(kind, (BaseModel, Placed))


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, quicker to answer about our own models, whose public attributes are all safe."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """A dict where Jinja has a ChainMap, which is slow to merge, as is done for each block."""
        return {**self.globals, **(d or {})}

    def getattr(self, obj: Any, attribute: str) -> Any:
        kind: Any = type(obj)
        if _is_open(kind) and not attribute.startswith("_"):
            value = getattr(obj, attribute, _ABSENT)
            if value is not _ABSENT:
                return value
        return super().getattr(obj, attribute)


def _files_in(folders: tuple[Path, ...]) -> frozenset[tuple[str, int]]:
    """What a theme's folders hold, and of when: another answer makes another environment, which reads all anew."""
    return frozenset(
        (entry.path, entry.stat().st_mtime_ns) for folder in folders for entry in os.scandir(folder) if entry.is_file()
    )


@functools.lru_cache(maxsize=16)
def _environment(
    folders: tuple[Path, ...], _files: frozenset[tuple[str, int]], *, escaping: bool
) -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        undefined=StrictUndefined,
        autoescape=escaping,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,
    )
    environment.filters.update(wrap=wrap, underline=underline, columns=columns)
    return environment
