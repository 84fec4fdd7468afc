"""What a form shows of an issue's text, and what is typed into it as edits to the text: without any browser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from newsletter.errors import Problem
from newsletter.source import Source
from newsletter.source.edits import Edit, EditError, insert_item, move_item, remove_item, set_value, write_item
from newsletter.source.text import Route
from newsletter.studio.compose.form_fields import Control, FormField, model_named
from newsletter.studio.compose.turns import BLOCKS

Key: TypeAlias = str
"""A route as the browser names it, steps parted by `/`."""

_PLAIN = {"missing-key": ("this is missing", ""), "empty-value": ("there is nothing here", "")}
"""What is said at a field in place of words about keys."""
_NUMBER = re.compile(r"\s*[+-]?\d+\s*")


@dataclass(frozen=True)
class Op:
    """Something done in a form, to the value at `route` within the block (or the issue, for its head).

    `set` puts `value` there, and takes the key out when that is None; `insert` puts it into the list at `index`; `move`
    takes an entry from `index` to `new`; `remove` takes one out.
    """

    do: Literal["set", "insert", "move", "remove"]
    route: tuple[str | int, ...]
    value: Any = None
    index: int = 0
    new: int = 0

    @classmethod
    def of(cls, given: dict[str, Any]) -> Op:
        """From what the browser sends. Raises ValueError for anything else than an Op."""
        do, route = given.get("do"), given.get("route")
        if do not in ("set", "insert", "move", "remove") or not isinstance(route, list):
            raise ValueError("not something a form does")
        steps = tuple(step if isinstance(step, int) else str(step) for step in route)
        return cls(do, steps, given.get("value"), int(given.get("index") or 0), int(given.get("new") or 0))


def settled(source: Source, base: Route, op: Op) -> Op:
    """`op` with a typed text ended as the text at its place is."""
    if op.do == "set" and isinstance(op.value, str):
        return replace(op, value=as_written(value_at(source.data, (*base, *op.route)), op.value))
    return op


def edits_for(source: Source, base: Route, op: Op) -> list[Edit]:
    """The edits that do `op` to the mapping at `base`. Raises EditError where the text has to be edited by hand."""
    route = (*base, *op.route)
    old = value_at(source.data, route)
    if not base and (place := _above_blocks(source, op)) is not None:
        return [Edit(place, place, write_item(applied({}, op)))]
    if op.do == "set":
        return [] if op.value == old and old is not None else set_value(source, route, op.value)
    try:
        if op.do == "insert":
            return insert_item(source, route, op.index, written(op.value))
        if op.do == "move":
            return move_item(source, route, op.index, op.new)
        return remove_item(source, route, op.index)
    except EditError:  # a list in brackets is written anew
        return set_value(source, route, applied(old, replace(op, route=())))


def _above_blocks(source: Source, op: Op) -> int | None:
    """Where a new key of the issue's head goes: above its blocks, which are mostly the last."""
    data = source.data
    if op.value is None or not isinstance(data, dict) or op.route[0] in data or BLOCKS[0] not in data:
        return None
    place = source.locate(BLOCKS, key=True)
    before = "\n".join(source.text.split("\n", place.line - 1)[: place.line - 1])
    return len(before) + 1 if place.column == 1 and place.line > 1 else None


def written(value: Any) -> str:
    """An entry of a list as YAML, without indentation."""
    if isinstance(value, dict):
        return write_item(value)
    return write_item({"x": value}).removeprefix("x: ")


def as_written(old: Any, typed: str) -> str:
    """A typed text with line ends at its end as the old text had them; a text of several lines ends with one."""
    ended = isinstance(old, str) and old.endswith("\n")
    if "\n" not in typed.strip("\n") and not ended:
        return typed.rstrip("\n")
    several = isinstance(old, str) and "\n" in old.strip("\n")
    end = "\n" if ended or not several else ""
    return typed.rstrip("\n") + end if typed.strip() else typed.rstrip("\n")


def value_at(data: Any, route: Route) -> Any:
    """The value that `route` leads to; None where there is none."""
    for step in route:
        if isinstance(step, str):
            data = data.get(step) if isinstance(data, dict) else None
        else:
            data = data[step] if isinstance(data, list) and 0 <= step < len(data) else None
    return data


def applied(data: Any, op: Op) -> Any:
    """A copy of `data` after `op`, as the text will hold it."""
    if op.do == "set" and not op.route:
        return op.value
    if not op.route:
        made = list(data) if isinstance(data, list) else []
        if op.do == "insert":
            made.insert(op.index, op.value)
        elif op.index < len(made):
            taken = made.pop(op.index)
            if op.do == "move":
                made.insert(op.new, taken)
        return made
    step, rest = op.route[0], replace(op, route=op.route[1:])
    if isinstance(step, int):
        entries = list(data) if isinstance(data, list) else []
        if step < len(entries):
            entries[step] = applied(entries[step], rest)
        return entries
    keys = dict(data) if isinstance(data, dict) else {}
    keys[step] = applied(keys.get(step), rest)
    if keys[step] is None:
        del keys[step]
    return keys


def find_block(blocks: Any, index: int, shown: Any) -> int | None:
    """Where the block that a form shows stands by now: the one nearest to `index` that is as `shown`, else the one at
    `index` when it is of the same type. None when it is gone."""
    if not isinstance(blocks, list):
        return None
    alike = [number for number, block in enumerate(blocks) if block == shown]
    if alike:
        return min(alike, key=lambda number: abs(number - index))
    here = blocks[index] if index < len(blocks) else None
    same = isinstance(here, dict) and isinstance(shown, dict) and here.get("type") == shown.get("type")
    return index if same else None


def misfits(fields: Iterable[FormField], data: Any) -> list[tuple[str | int, ...]]:
    """The routes of values that the form's fields can't show, such as a list where a line is expected."""
    found = []
    for field in fields:
        value = data.get(field.key) if isinstance(data, dict) else None
        if value is not None:
            found += [(field.key, *route) for route in _misfits(field, value)]
    return found


def _misfits(field: FormField, value: Any) -> list[tuple[str | int, ...]]:
    match field.control:
        case Control.TEXT_ONLY:
            return [()]
        case Control.NUMBER:
            return [] if isinstance(value, str) and _NUMBER.fullmatch(value) else [()]
        case Control.LIST:
            if not isinstance(value, list) or field.item is None:
                return [()]
            return [(number, *route) for number, each in enumerate(value) for route in _misfits(field.item, each)]
        case Control.GROUP | Control.BLOCK:
            if field.bare and isinstance(value, str):
                return []
            name = field.model if field.control is Control.GROUP else _type_of(value)
            if not isinstance(value, dict) or (field.kinds and name not in field.kinds):
                return [()]
            return misfits(model_named(name), value)
        case _:
            return [] if isinstance(value, str) else [()]


def _type_of(value: Any) -> str:
    return str(value.get("type")) if isinstance(value, dict) else ""


def snapshot(source: Source, problems: Iterable[Problem], index: int | None) -> dict[str, Any]:
    """What a form shows of the block at `index`, or of the issue's head: plain data for the browser.

    `name` is that of its fields in the catalogue; `written` has the YAML of what they can't show.
    """
    blocks = value_at(source.data, BLOCKS)
    data = source.data if index is None else value_at(blocks, (index,))
    name = "issue" if index is None else _type_of(data)
    fields = model_named(name)
    if index is None:
        data = {key: value for key, value in data.items() if key != "blocks"} if isinstance(data, dict) else {}
    routes = misfits(fields, data) if fields and isinstance(data, dict) else [()]
    base = () if index is None else (*BLOCKS, index)
    return {
        "index": index,
        "count": len(blocks) if isinstance(blocks, list) else 0,
        "name": name,
        "data": data,
        "written": {_key(route): written(value_at(data, route)) for route in routes},
        "line": source.locate(base).line,
        "problems": problems_by_field(problems, source, base, source.data if index is None else data),
    }


def _key(route: Route) -> Key:
    return "/".join(map(str, route))


def problems_by_field(
    problems: Iterable[Problem], source: Source, base: Route, data: Any
) -> dict[Key, list[dict[str, Any]]]:
    """The Problems of a block, by the route within it of the value they are at; those of the block itself at ``.

    `source.file` tells those of the issue from others. For the issue's own head, `base` is empty, and what stands in
    its blocks is left out.
    """
    own = [problem for problem in problems if problem.location and problem.location.file == source.file]
    if not own:
        return {}
    starts = sorted(_starts(source, base, data, ()))
    end = _end(source, base)
    found: dict[Key, list[dict[str, Any]]] = {}
    for problem in own:
        assert problem.location is not None
        place = (problem.location.line, problem.location.column)
        before = [route for start, route in starts if start <= place]
        if not before or (end and place >= end):
            continue
        route = before[-1]
        if route[:1] == BLOCKS and not base:
            continue
        if problem.code == "missing-key" and (named := re.match(r"`(.+)` is missing", problem.message)):
            route = (*(route if isinstance(value_at(data, route), dict) else route[:-1]), named[1])
        message, hint = _PLAIN.get(problem.code, (problem.message, problem.hint or ""))
        said = {"message": message, "hint": hint, "error": problem.is_error}
        found.setdefault(_key(route), []).append(said)
    return found


def _starts(
    source: Source, base: Route, value: Any, route: tuple[str | int, ...]
) -> list[tuple[tuple[int, int], tuple[str | int, ...]]]:
    """Where each value of a mapping begins, with its key."""
    place = source.locate((*base, *route), key=True)
    found = [((place.line, place.column), route)]
    if route[:1] == BLOCKS and not base:
        return found
    entries: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        entries = tuple(value.items())
    elif isinstance(value, list):
        entries = tuple(enumerate(value))
    for step, each in entries:
        found += _starts(source, base, each, (*route, step))
    return found


def _end(source: Source, base: Route) -> tuple[int, int] | None:
    """Where the next block begins."""
    if not base:
        return None
    index = int(base[-1])
    if index + 1 >= len(source.data["blocks"]):
        return None
    place = source.locate((*base[:-1], index + 1))
    return place.line, place.column
