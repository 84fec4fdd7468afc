"""Elements that hold a long text, of which the browser is sent only what changed since it was last shown."""

from __future__ import annotations

from nicegui import ui


class Patched(ui.element):
    """An element whose component has a method `show(revision, base, start, end, middle)`, which replaces all but the
    first `start` and last `end` units of its text of revision `base` (0: it has none) by `middle`; and which emits
    `ready` when it can be shown something, or lost what it had."""

    def __init__(self) -> None:
        super().__init__()
        self.revision = 0
        """Counts what was shown."""
        self.is_ready = False
        self._whole = ""
        self._shown: str | None = None
        self.on("ready", self._begin)

    def show(self, text: str) -> None:
        """Show this text."""
        if text != self._whole:
            self._whole = text
            self._send()

    def begun(self) -> None:
        """The browser can be told what to show; it has been told the text."""

    def _begin(self) -> None:
        self.is_ready = True
        self._shown = None
        self._send()
        self.begun()

    def _send(self) -> None:
        if not self.is_ready:
            return
        self.revision += 1
        if self._shown is None:
            self.run_method("show", self.revision, 0, 0, 0, self._whole)
        else:
            start, end, middle = changed_middle(self._shown, self._whole)
            self.run_method("show", self.revision, self.revision - 1, start, end, middle)
        self._shown = self._whole


def changed_middle(old: str, new: str) -> tuple[int, int, str]:
    """How many units of `old`, as JavaScript counts them, begin and end `new`, and what stands between them."""
    start = _common(old, new)
    end = _common(old[start:], new[start:], backwards=True)
    return _units(old[:start]), _units(old[len(old) - end :]), new[start : len(new) - end]


def _common(one: str, other: str, *, backwards: bool = False) -> int:
    """How many characters two texts have in common at an end. It halves, as comparing slices is quick."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if backwards:
            same = one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]
        else:
            same = one[low:middle] == other[low:middle]
        low, high = (middle, high) if same else (low, middle - 1)
    return low


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
