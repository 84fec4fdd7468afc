"""The language of what is personal: a safe subset of Jinja's expressions, parsed by Jinja.

It is the same in `{{ … }}`, after `when:` and in segments. Whatever is wrong with an expression is told with the place
of the word that is wrong.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from newsletter.errors import Location, Problem

NAMES = ("subscriber", "unsubscribe_url")
"""What an expression can speak of. `unsubscribe_url` is the recipient's own link to leave."""

RECEIVED = "received"
"""The one function, for segments: `received("slug")`."""

FILTERS = (
    "capitalize",
    "default",
    "first",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "title",
    "trim",
    "truncate",
    "upper",
)
TESTS = ("defined", "undefined", "in", "none", "string")

MAX_DEPTH = 80
"""How deeply an expression may be nested; in a row of `and`s or `or`s, each counts."""

MAX_PARTS = 5000
"""Names, values and operators of an expression. The inner values of a chain `a < b < c` count twice."""

_SHOWN = 80
"""Characters of an expression that are repeated in a message."""

_ALLOWED = (
    nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.List, nodes.Tuple, nodes.And, nodes.Or, nodes.Not,
    nodes.Compare, nodes.Operand, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Concat, nodes.Keyword,
)  # fmt: skip
_INSIDE = {"name", "operator", "string", "integer", "float"}
"""The tokens of an expression; others end it."""

_COMPLAINTS = (
    (r"unexpected '}'", "a bracket is never closed"),
    (r"unexpected char [\"']['\"]", "a quotation mark is never closed"),
    (r"(unexpected|got) 'end of print statement'", "it ends too early"),
    (r"expected name or number", "a name is missing"),
    (r"(?:unexpected|unexpected char|got) '(.+)'", r"`\1` isn't expected here"),
)
"""Jinja's, in words that help."""


class ExpressionError(ValueError):
    """An expression that isn't one of ours; `hint` says what to write.

    `offset` is where the wrong words begin in the source as it was given, from 0, and `length` how many characters
    they have.
    """

    def __init__(self, message: str, hint: str | None = None, *, offset: int = 0, length: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.offset = offset
        self.length = length


def problem_of(error: ExpressionError, label: str) -> Problem:
    """The Problem of an expression that stands in no file: `label` says where it was given, e.g. `--segment`."""
    return Problem("bad-expression", str(error), Location(label, 1, error.offset + 1, error.length), error.hint)


class Missing(StrictUndefined):
    """An attribute that a subscriber doesn't have: false in a condition and equal to nothing, but never printed."""

    __slots__ = ()


for _operator in ("__bool__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__"):
    setattr(Missing, _operator, lambda *_: False)
setattr(Missing, "__ne__", lambda *_: True)  # noqa: B010 - as above, what StrictUndefined refuses


class Readable:
    """What expressions may read all attributes of that don't begin with an underscore."""

    __slots__ = ()


class _Environment(SandboxedEnvironment):
    """Jinja's sandbox, quicker to answer about what is known to be safe."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if not isinstance(obj, Readable) or attribute.startswith("_"):
            return super().getattr(obj, attribute)
        try:
            return getattr(obj, attribute)
        except AttributeError:
            return self.undefined(obj=obj, name=attribute)


def _missing_if_missing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of which nothing comes when it is given something missing, rather than an error."""

    @functools.wraps(function)
    def filtered(*arguments: Any, **named: Any) -> Any:
        missing = next((each for each in (*arguments, *named.values()) if isinstance(each, Undefined)), None)
        return function(*arguments, **named) if missing is None else missing

    return filtered


def _within(value: Any, container: Any) -> bool:
    return not isinstance(value, Undefined) and value in container


_environment = _Environment(undefined=Missing, autoescape=False)
_environment.filters |= {name: _missing_if_missing(_environment.filters[name]) for name in FILTERS if name != "default"}
_environment.tests["in"] = _within


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: its source as written, and how to evaluate it."""

    source: str
    evaluate: Callable[[Mapping[str, Any]], Any]


@functools.lru_cache(maxsize=4096)
def parse_expression(source: str) -> Expression:
    """Check `source` (what stands between the braces, or after `when:`) and make it ready to be evaluated.

    Runs of white space count as one space. Raises ExpressionError for what isn't in the language: unknown names,
    filters, tests, calls and arithmetic.
    """
    Parsed.of(source)
    source = " ".join(source.split())
    return Expression(source, Parsed.of(source).evaluator())


@dataclass(frozen=True)
class Parsed:
    """An expression as a checked tree, and the places of its words.

    Each comparison in the tree is one of two values, and each membership a test: chains have been taken apart.
    """

    tree: nodes.Expr
    _tokens: tuple[tuple[int, str], ...]
    """Offsets and words."""

    @classmethod
    def of(cls, source: str, functions: Sequence[str] = ()) -> Parsed:
        """Read and check `source`, in which only `functions` can be called. Raises ExpressionError."""
        if not source.strip():
            raise ExpressionError("there is no expression", "e.g. `subscriber.first_name`")
        tokens = _tokens(source)
        # One word a line: then Jinja, which counts lines, says which word each part of the tree begins with.
        try:
            tree = _environment.parse("{{" + "".join("\n" + word for _, word in tokens) + "\n}}")
        except TemplateSyntaxError as error:
            raise _syntax_error(source, str(error.message), *_place(tokens, source, error.lineno - 2)) from None
        except RecursionError:
            raise ExpressionError("it is nested too deeply") from None
        output = tree.body[0]
        assert isinstance(output, nodes.Output)
        parsed = cls(output.nodes[0], tokens)
        for node, depth in _walk(parsed.tree):
            parsed._check(node, functions)
            if depth > MAX_DEPTH:
                hint = 'many values are named in a list: `in ["…", "…"]`'
                raise parsed.error("it is nested too deeply", hint, at=node)
        plain = cls(_Plain().visit(parsed.tree), tokens)
        for count, (node, _) in enumerate(_walk(plain.tree)):
            if count > MAX_PARTS:
                raise plain.error("it is too long", "write less of it, or mark the people with a tag", at=node)
        return plain

    def evaluator(self) -> Callable[[Mapping[str, Any]], Any]:
        """What gives the expression's value, from the names in it and what they mean."""
        assignment = nodes.Assign(nodes.Name("result", "store"), self.tree, lineno=1)
        template = nodes.Template([assignment], lineno=1)
        template.set_environment(_environment)
        render = _environment.from_string(template).root_render_func

        def evaluate(names: Mapping[str, Any]) -> Any:
            # What Jinja's own TemplateExpression does, without copying the environment's globals each time: there are
            # a million people to do it for.
            context = Context(_environment, names, None, {})  # type: ignore[arg-type]  # it only reads them
            for _ in render(context):
                pass
            return context.vars["result"]

        return evaluate

    def error(self, message: str, hint: str | None = None, *, at: nodes.Node, whole: bool = False) -> ExpressionError:
        """An error at the word by which a part of the tree is known, or at the `whole` part."""
        indices = [self._word(at)]
        if whole:
            indices = [self._word(node) for node, _ in _walk(at) if node.lineno is not None]
        first, last = self._tokens[min(indices)], self._tokens[max(indices)]
        return ExpressionError(message, hint, offset=first[0], length=last[0] + len(last[1]) - first[0])

    def _word(self, node: nodes.Node) -> int:
        index = node.lineno - 2
        if isinstance(node, nodes.Getattr):
            return index + 1  # it begins with the dot
        if isinstance(node, nodes.Test) and self._tokens[index][1] == "is":
            return index + (2 if self._tokens[index + 1][1] == "not" else 1)
        return min(index, len(self._tokens) - 1)

    def _check(self, node: nodes.Node, functions: Sequence[str]) -> None:
        if isinstance(node, nodes.Name) and node.name not in (*NAMES, *functions):
            if node.name == RECEIVED:
                raise self.error(
                    f"only a segment can ask for `{RECEIVED}`",
                    "`send --segment`, or `segments:` in newsletter.yaml",
                    at=node,
                )
            close = difflib.get_close_matches(node.name, NAMES, 1)
            hint = (
                f"did you mean `{close[0]}`?"
                if close
                else f"a subscriber's `{node.name}` is written `subscriber.{node.name}`"
            )
            raise self.error(f"there is nothing called `{node.name}`", hint, at=node)
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise self.error(f"there is no filter `{node.name}`", _known(node.name, FILTERS), at=node)
        if isinstance(node, nodes.Test) and node.name not in TESTS:
            raise self.error(f"there is no test `{node.name}`", _known(node.name, TESTS), at=node)
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise self.error(f"`{node.attr}` can't be read", "attributes begin with a letter", at=node)
        if isinstance(node, nodes.Call):
            if isinstance(node.node, nodes.Name) and node.node.name in (RECEIVED, *functions):
                return  # the name is checked by itself
            if functions:
                raise self.error(f"only `{RECEIVED}` can be called", 'e.g. `received("2026-spring")`', at=node.node)
            raise self.error("nothing can be called in an expression", f"the filters are {', '.join(FILTERS)}", at=node)
        if not isinstance(node, _ALLOWED):
            hint = "values, `and`, `or`, `not`, comparisons and filters can"
            raise self.error("this can't be written in an expression", hint, at=node)


class _Plain(NodeTransformer):
    """Takes `a < b < c` apart into `a < b and b < c`, and makes `a in b` a test, which says no to what is missing."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Expr:  # noqa: N802 - Jinja's name
        left = self.visit(node.expr)
        whole: nodes.Expr | None = None
        for operand in node.ops:
            right = self.visit(operand.expr)
            pair = _pair(left, operand.op, right)
            whole = pair if whole is None else nodes.And(whole, pair, lineno=pair.lineno)
            left = right
        assert whole is not None
        return whole


def _pair(left: nodes.Expr, operator: str, right: nodes.Expr) -> nodes.Expr:
    line = left.lineno
    if operator not in ("in", "notin"):
        return nodes.Compare(left, [nodes.Operand(operator, right, lineno=line)], lineno=line)
    test = nodes.Test(left, "in", [right], [], None, None, lineno=line)
    return test if operator == "in" else nodes.Not(test, lineno=line)


def _tokens(source: str) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []
    offset = -3
    line = re.sub(r"[\r\n]", " ", source)
    try:
        for _, kind, word in _environment.lex("{{ " + line + " }}"):
            if 0 <= offset < len(source) and kind != "whitespace":
                if kind not in _INSIDE:
                    hint = "only values stand between the braces, no statements"
                    raise ExpressionError(f"`{source}` isn't one expression", hint, offset=offset, length=len(word))
                found.append((offset, word))
            offset += len(word)
    except TemplateSyntaxError as error:
        raise _syntax_error(source, str(error.message), min(offset, len(source)), 1) from None
    return tuple(found)


def _place(tokens: Sequence[tuple[int, str]], source: str, index: int) -> tuple[int, int]:
    if index < len(tokens):
        return tokens[index][0], len(tokens[index][1])
    return len(source.rstrip()), 1


def _syntax_error(source: str, complaint: str, offset: int, length: int) -> ExpressionError:
    hint = "two values are compared with `==`" if "got '='" in complaint else 'e.g. `subscriber.first_name or "friend"`'
    matches = ((re.search(pattern, complaint), words) for pattern, words in _COMPLAINTS)
    reason = next((found.expand(words) for found, words in matches if found), complaint)
    shown = source.strip() if len(source) <= _SHOWN else source.strip()[:_SHOWN] + "…"
    return ExpressionError(f"`{shown}` can't be read: {reason}", hint, offset=offset, length=length)


def _walk(node: nodes.Node, depth: int = 0) -> Iterator[tuple[nodes.Node, int]]:
    yield node, depth
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + 1)


def _known(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"did you mean `{close[0]}`?" if close else f"there are {', '.join(names)}"
