"""Jinja's nodes into the values of a segment; what can't choose people is an error at its place."""

from __future__ import annotations

import math
import re

from jinja2 import nodes

from newsletter.expression import Parsed
from newsletter.fields import FORBIDDEN
from newsletter.segment.values import (
    SINGLE,
    Attribute,
    Both,
    Comparison,
    Constant,
    Default,
    Defined,
    Either,
    Items,
    Kind,
    Length,
    Not,
    Received,
    Tags,
    Trimmed,
    Value,
    Within,
)

SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
MAX_NUMBER = 2**31 - 1
MAX_NESTING = 8
"""Levels of a segment; a row of `and`s or of `or`s is one. SQLite's parser runs out of room some levels later."""


class Reader:
    """Makes values of Jinja's nodes, and notes the `slugs` that are met."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self.slugs: list[str] = []
        self._level = 0

    def read(self, node: nodes.Node) -> Value:
        """The value of a node. Raises ExpressionError."""
        self._level += 1
        if self._level > MAX_NESTING:
            hint = "use fewer brackets, or mark the people with a tag"
            raise self._parsed.error("it is nested too deeply for a segment", hint, at=node)
        value = self._value(node)
        self._level -= 1
        return value

    def _value(self, node: nodes.Node) -> Value:
        match node:
            case nodes.Const():
                return self._constant(node)
            case nodes.Getattr():
                return self._attribute(node, node.node, node.attr)
            case nodes.Getitem(arg=nodes.Const(value=str() as name)):
                return self._attribute(node, node.node, name)
            case nodes.List() | nodes.Tuple():
                return Items(tuple(map(self.read, node.items)))
            case nodes.And():
                parts = self._parts(node, nodes.And)
                return Both(parts, Kind.FLAG if _common(parts) is Kind.FLAG else Kind.MIXED)
            case nodes.Or():
                parts = self._parts(node, nodes.Or)
                return Either(parts, _common(parts))
            case nodes.Not():
                return Not(self.read(node.node))
            case nodes.Compare():
                return self._comparison(node)
            case nodes.Test():
                return self._test(node)
            case nodes.Filter():
                return self._filter(node)
            case nodes.Call():
                return self._received(node)
            case nodes.Name(name="subscriber"):
                raise self._parsed.error("what about the subscriber?", "e.g. `subscriber.region`", at=node)
            case nodes.Name(name=name):
                raise self._parsed.error(f"`{name}` says nothing about a person", "ask for `subscriber.…`", at=node)
        hint = "attributes, `==`, `<`, `in`, `and`, `or`, `not` and `is defined` can"
        raise self._parsed.error("this can't choose people", hint, at=node)

    def _parts(self, node: nodes.BinExpr, kind: type[nodes.BinExpr]) -> tuple[Value, ...]:
        """The parts of a row of `and`s, or of `or`s, which Jinja nests to the left."""
        parts = [node.right]
        while isinstance(node.left, kind):
            node = node.left
            parts.append(node.right)
        return tuple(map(self.read, [node.left, *reversed(parts)]))

    def _constant(self, node: nodes.Const) -> Constant:
        value = node.value
        if isinstance(value, str):
            if FORBIDDEN.search(value):
                raise self._parsed.error("an invisible character can't stand in a segment", "delete it", at=node)
            return Constant(value, Kind.TEXT)
        if isinstance(value, bool):
            return Constant(value, Kind.FLAG)
        if value is None:
            hint = "what a subscriber doesn't have is asked for by `is defined`"
            raise self._parsed.error("no attribute is `none`", hint, at=node)
        if not math.isfinite(value) or value > MAX_NUMBER:
            raise self._parsed.error("this number is too large", f"{MAX_NUMBER:,} is the largest", at=node)
        return Constant(value, Kind.NUMBER)

    def _attribute(self, node: nodes.Expr, of: nodes.Expr, name: str) -> Value:
        if not isinstance(of, nodes.Name) or of.name != "subscriber":
            raise self._parsed.error(f"only a subscriber has a `{name}`", f"e.g. `subscriber.{name}`", at=node)
        if not name or name.startswith("_") or FORBIDDEN.search(name) or re.search(r'["\\\n\t\r]', name):
            hint = "a segment can't ask for it by this name"
            raise self._parsed.error(f"`{name}` can't be read", hint, at=node)
        return Tags() if name == "tags" else Attribute(name)

    def _comparison(self, node: nodes.Compare) -> Comparison:
        operator, other = node.ops[0].op, node.ops[0].expr
        left, right = self.read(node.expr), self.read(other)
        ordered = operator not in ("eq", "ne")
        for value, part in ((left, node.expr), (right, other)):
            if value.kind not in SINGLE or (ordered and value.kind is Kind.FLAG):
                hint = '`"donor" in subscriber.tags`' if value.kind is Kind.TAGS else "text and numbers can"
                raise self._parsed.error(f"{value.kind} can't be compared like this", hint, at=part, whole=True)
        self._same(left, right, other)
        return Comparison(operator, left, right)

    def _same(self, left: Value, right: Value, at: nodes.Node) -> None:
        if left.kind is not right.kind:
            number = next((one.value for one in (left, right) if isinstance(one, Constant)), None)
            hint = "both sides have to be text, or both numbers"
            if Kind.TEXT in (left.kind, right.kind) and number is not None and not isinstance(number, (str, bool)):
                hint = f'attributes are text: write `"{number}"`'
            raise self._parsed.error(f"{left.kind} is never {right.kind}", hint, at=at, whole=True)

    def _test(self, node: nodes.Test) -> Value:
        if node.name == "in" and len(node.args) == 1:
            return self._within(node.node, node.args[0])
        if node.name in ("defined", "undefined") and not node.args:
            value = self.read(node.node)
            return Defined(value) if node.name == "defined" else Not(Defined(value))
        raise self._parsed.error(f"`is {node.name}` can't choose people", "`is defined` can", at=node)

    def _within(self, member: nodes.Expr, container: nodes.Expr) -> Within:
        value, among = self.read(member), self.read(container)
        if among.kind not in (Kind.TEXT, Kind.TAGS, Kind.LIST):
            raise self._parsed.error(
                f"nothing is in {among.kind}", "`in` asks tags, a list or a text", at=container, whole=True
            )
        if value.kind not in (SINGLE if among.kind is Kind.LIST else (Kind.TEXT,)):
            hint = 'a text can be, e.g. `"donor" in subscriber.tags`'
            raise self._parsed.error(f"{value.kind} is never in {among.kind}", hint, at=member, whole=True)
        if isinstance(among, Items):
            assert isinstance(container, (nodes.List, nodes.Tuple))
            for item, place in zip(among.items, container.items, strict=True):
                self._same(value, item, place)
        return Within(value, among)

    def _filter(self, node: nodes.Filter) -> Value:
        assert node.node is not None
        value = self.read(node.node)
        match node.name:
            case "length" if value.kind in (Kind.TEXT, Kind.TAGS):
                return Length(value)
            case "trim" if value.kind is Kind.TEXT and not node.args and not node.kwargs:
                return Trimmed(value)
            case "default" if value.kind in SINGLE:
                return self._default(node, value)
            case "lower" | "upper":
                hint = 'name the spellings: `subscriber.region in ["north", "North"]`'
            case _:
                hint = "`default`, `length` and `trim` can, on a text"
        raise self._parsed.error(f"`{node.name}` can't choose people", hint, at=node)

    def _default(self, node: nodes.Filter, value: Value) -> Value:
        given: dict[str, nodes.Expr] = dict(zip(("default_value", "boolean"), node.args, strict=False))
        given |= {str(each.key): each.value for each in node.kwargs}
        empty_too = given.pop("boolean", nodes.Const(None))
        fallback_node = given.pop("default_value", None)
        if fallback_node is None or given or not isinstance(empty_too, nodes.Const) or len(node.args) > 2:
            raise self._parsed.error("`default` takes a value", 'e.g. `default("none")`', at=node)
        fallback = self.read(fallback_node)
        self._same(value, fallback, fallback_node)
        if empty_too.value:
            return Either((value, fallback), value.kind)
        return Default(value, fallback, value.kind)

    def _received(self, node: nodes.Call) -> Received:
        slug = node.args[0].value if node.args and isinstance(node.args[0], nodes.Const) else None
        if not isinstance(slug, str) or not re.fullmatch(SLUG, slug) or len(node.args) > 1 or node.kwargs:
            hint = 'e.g. `received("2026-spring")`'
            raise self._parsed.error("`received` takes the slug of an issue", hint, at=node.node)
        self.slugs.append(slug)
        return Received(slug)


def _common(parts: tuple[Value, ...]) -> Kind:
    kinds = {part.kind for part in parts}
    return kinds.pop() if len(kinds) == 1 and kinds <= set(SINGLE) else Kind.MIXED
