"""The chart of a sending: how many were accepted against time, and the same as a table for who doesn't see it."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from newsletter.studio.sending.standing import duration_words, thinned
from newsletter.studio.widgets import use, words

_ROWS = 12
"""Lines of the table."""


def add_sending_assets() -> None:
    """Have the page that is being built load the look of sendings, and what their chart needs; inside its `frame`."""
    use("sending.css", "sending.js")


class AcceptedChart:
    """The chart on a page, in the colours of the theme that is on. `most` is how many there are to send."""

    def __init__(self, most: int) -> None:
        self._points: list[tuple[float, int]] = []
        self._most = most
        with ui.element("div").classes("sending-chart").props("role=img") as self._figure:
            self._chart = ui.echart(_options(most), renderer="svg").classes("sending-chart-canvas")
        ui.on("studio-theme", self._chart.update)
        with ui.element("details").classes("sending-chart-table small"):
            words("summary", "The chart as a table", "muted")
            with ui.element("table").classes("table"):
                with ui.element("thead"), ui.element("tr"):
                    words("th", "After").props("scope=col")
                    words("th", "Accepted", "num").props("scope=col")
                self._body = ui.element("tbody")
        self._draw()

    def show(self, points: list[tuple[float, int]], most: int) -> None:
        """Show these points: seconds of work since it began, and how many had been accepted by then."""
        self._points, self._most = thinned(points) if points else [], most
        self._draw()

    def add(self, seconds: float, accepted: int, most: int) -> None:
        """Add how many are accepted so many seconds of work after the last point."""
        at, before = self._points[-1] if self._points else (0.0, 0)
        if seconds or accepted != before:
            self._most = most
            self._points = thinned([*self._points, (at + seconds, accepted)])
            self._draw()

    def _draw(self) -> None:
        self._chart.options["yAxis"]["max"] = max(1, self._most)
        self._chart.options["series"][0]["data"] = [[round(at, 2), accepted] for at, accepted in self._points]
        self._chart.update()
        if self._points:
            seconds, accepted = self._points[-1]
            said = f"{accepted:,} of {self._most:,} accepted after {duration_words(seconds)}"
        else:
            said = "nothing accepted yet"
        self._figure.props["aria-label"] = f"Chart of accepted against time: {said}"
        self._figure.update()
        self._body.clear()
        with self._body:
            for at, accepted in thinned(self._points, _ROWS) if self._points else ():
                with ui.element("tr"):
                    words("td", duration_words(at), "num-left")
                    words("td", f"{accepted:,}", "num")


def _options(most: int) -> dict[str, Any]:
    text = {":color": "Studio.colour('--muted')", "fontSize": 12, "fontFamily": "inherit"}
    line = {"lineStyle": {":color": "Studio.colour('--line')"}}
    return {
        "animation": False,
        "grid": {"left": 12, "right": 20, "top": 16, "bottom": 4, "containLabel": True},
        "tooltip": {
            "trigger": "axis",
            ":backgroundColor": "Studio.colour('--raised')",
            ":borderColor": "Studio.colour('--line')",
            "textStyle": {":color": "Studio.colour('--ink')", "fontSize": 12},
            ":formatter": "Studio.acceptedAt",
        },
        "xAxis": {
            "type": "value",
            "min": 0,
            "axisLabel": {**text, ":formatter": "Studio.clock"},
            "axisLine": line,
            "axisTick": {"show": False},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "max": max(1, most),
            "splitNumber": 4,
            "axisLabel": {**text, ":formatter": "Studio.count"},
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "splitLine": line,
        },
        "series": [
            {
                "type": "line",
                "data": [],
                "showSymbol": False,
                "step": False,
                "lineStyle": {"width": 2, ":color": "Studio.colour('--accent')"},
                "itemStyle": {":color": "Studio.colour('--accent')"},
                "areaStyle": {":color": "Studio.colour('--accent-soft')", "opacity": 0.8},
            }
        ],
    }
