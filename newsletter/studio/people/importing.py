"""Importing people: a CSV file is dropped, its columns are matched, it is tried, and only then taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote, urlencode

from nicegui import app, background_tasks, events, ui
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, PlainTextResponse, Response

from newsletter.errors import NewsletterError
from newsletter.store.subscribers import list_names
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame, on_leave
from newsletter.studio.people.columns_form import ColumnsForm
from newsletter.studio.people.import_job import Matching
from newsletter.studio.people.matching import figures, remarks
from newsletter.studio.people.page import add_head
from newsletter.studio.people.uploads import Run, Upload, Uploads
from newsletter.studio.widgets import banner, button, card, say, words
from newsletter.workspace import STATE

_FILE_NAME = "X-File-Name"
_STEPS = ("File", "Columns", "Trial", "Import")
_DROP = """
<div class="subscribers-drop">
  <q-icon name="sym_o_upload_file" aria-hidden="true"></q-icon>
  <div v-if="props.isUploading" role="status">{{ props.uploadProgressLabel }} of it is here …</div>
  <template v-else>
    <q-btn no-caps unelevated dense class="btn primary" label="Choose a CSV file" @click="props.pickFiles"></q-btn>
    <p class="muted">or drop it here. Nothing is imported before you have seen what it would do.</p>
  </template>
  <q-uploader-add-trigger></q-uploader-add-trigger>
</div>
"""


def add_pages(desk: Desk) -> None:
    """Add `/subscribers/import`, where its file is sent to, and where refused rows are fetched."""
    uploads = Uploads(desk.root / STATE)
    app.on_shutdown(uploads.close)

    @app.put("/subscribers/import/file")
    async def receive(request: HttpRequest) -> Response:
        name = unquote(request.headers.get(_FILE_NAME, ""))
        try:
            upload = await uploads.receive(name, request.stream())
        except OSError as error:
            return PlainTextResponse(f"The file can't be kept here: {error.strerror}.", status_code=507)
        return PlainTextResponse(upload.key)

    @app.get("/subscribers/import/{key}/refused.csv")
    async def refused(key: str) -> Response:
        upload = uploads.get(key)
        if upload is None or not upload.refused_file.is_file():
            return PlainTextResponse("It isn't here any more: import the file again.", status_code=404)
        return FileResponse(
            upload.refused_file, media_type="text/csv; charset=utf-8", filename=upload.refused_file.name
        )

    @ui.page("/subscribers/import")
    async def page(request: HttpRequest) -> None:
        key, list_name = (request.query_params.get(name, "") for name in ("file", "list"))
        upload = uploads.get(key)
        try:
            names = await asyncio.to_thread(_names, desk)
            if upload is not None and upload.look is None and upload.failure is None:
                await upload.look_inside()
        except NewsletterError as error:
            names = []
            say(str(error), "bad")
        with frame(desk, request, title="Import people", place="subscribers"):
            add_head()
            with ui.element("div").classes("wide subscribers"):
                view = ImportView(desk, uploads, upload, names, list_name)
                if key and upload is None:
                    banner("That file isn't here any more: choose it again.", "warn")
                view.draw()
        if upload is not None:
            upload.pages += 1
            on_leave(lambda: uploads.leave(upload))


def _names(desk: Desk) -> list[str]:
    with desk.store.read() as connection:
        return list_names(connection)


class ImportView:
    """The page of one file: it shows the step where the file is, and follows what is under way."""

    def __init__(
        self, desk: Desk, uploads: Uploads, upload: Upload | None, names: Sequence[str], list_name: str
    ) -> None:
        self._desk = desk
        self._uploads = uploads
        self._upload = upload
        self._names = names
        self._list_name = list_name
        self._matching: Matching | None = None
        self._shown: tuple[Run | None, bool] = (None, True)
        self._bar: ui.linear_progress | None = None
        self._rows: Any = None
        self._steps = ui.element("ol").classes("subscribers-steps").props('aria-label="Steps"')
        self._box = ui.element("div").classes("subscribers")
        if upload is not None:
            ui.timer(0.3, self._follow)

    def draw(self) -> None:
        """Draw the step where the file is."""
        upload = self._upload
        self._box.clear()
        with self._box:
            if upload is None or upload.look is None:
                self._step(0)
                self._drop(upload.failure if upload is not None else None)
                return
            run = upload.run
            self._shown = (run, run is None or run.is_over)
            if run is None:
                self._match(upload)
            elif not run.is_over:
                self._progress(upload, run)
            elif run.report is not None:
                self._report(upload, run)
            else:
                self._ended(upload, run)

    def _step(self, current: int) -> None:
        self._steps.clear()
        with self._steps:
            for place, name in enumerate(_STEPS):
                state = "done" if place < current else "current" if place == current else ""
                item = words("li", name, state)
                if place == current:
                    item.props("aria-current=step")

    def _drop(self, failure: str | None) -> None:
        if failure:
            banner(f"{self._upload.name if self._upload else 'The file'} can't be read: {failure}.", "bad")
        onwards = "/subscribers/import?" + urlencode({"list": self._list_name} if self._list_name else {})
        uploader = ui.upload(auto_upload=True, on_rejected=_not_csv)
        uploader.props('send-raw method=PUT accept=".csv,.tsv,.txt" flat')
        uploader.props[":headers"] = (
            f"(files) => [{{name: '{_FILE_NAME}', value: encodeURIComponent(files[0].name)}},"
            " {name: 'Content-Type', value: 'application/octet-stream'}]"
        )
        uploader.props["url"] = "/subscribers/import/file"
        uploader.add_slot("header", _DROP)
        uploader.classes("subscribers-uploader")
        uploader.on(
            "uploaded",
            js_handler=f"(info) => location.assign({onwards!r} + '&file=' + encodeURIComponent(info.xhr.responseText))",
        )
        uploader.on("failed", _not_sent, js_handler="(info) => emit(info.xhr.responseText || '')")
        with card("What is read"):
            words("p", "CSV as spreadsheets and other newsletter systems write it: UTF-8, UTF-16 or Windows-1252, with "
                  "commas, semicolons or tabs. You say what each column is.")  # fmt: skip
            words("p", "Nobody who left comes back by an import, nobody whom the file calls unsubscribed or bounced is "
                  "mailed, and nobody returns who asked to be forgotten. Importing a file twice changes nothing more.",
                  "muted")  # fmt: skip

    def _match(self, upload: Upload) -> None:
        self._step(1)
        look = upload.look
        assert look is not None

        async def read_again(names_columns: bool) -> None:
            await upload.look_inside(names_columns)
            self._matching = None
            self.draw()

        ColumnsForm(upload.name, upload.path.stat().st_size, look, self._names, self._list_name, self._matching).draw(
            try_out=self._try_out, read_again=read_again, other_file=_other_file
        )

    def _try_out(self, matching: Matching) -> None:
        assert self._upload is not None
        self._matching = matching
        self._go(self._upload, self._upload.try_out(matching))

    def _take_in(self) -> None:
        assert self._upload is not None
        self._go(self._upload, self._upload.take_in())

    def _go(self, upload: Upload, run: Run) -> None:
        async def work() -> None:
            try:
                await run.go(self._desk.workspace.database_url, upload.path, upload.refused_file)
            finally:
                self._uploads.tidy(upload)

        background_tasks.create(work(), name="import")
        self.draw()

    def _back(self) -> None:
        assert self._upload is not None
        if self._upload.run is not None:
            self._matching = self._upload.run.matching
        self._upload.run = None
        self.draw()

    def _follow(self) -> None:
        """Show how far it is, and where it has come."""
        run = self._upload.run if self._upload else None
        if (run, run is None or run.is_over) != self._shown:
            self.draw()
        elif run is not None and not run.is_over and run.progress is not None and self._bar is not None:
            progress = run.progress
            self._bar.set_value(progress.bytes_read / max(1, progress.bytes_total))
            self._rows.set_text(f"{progress.rows:,} rows")

    def _progress(self, upload: Upload, run: Run) -> None:
        self._step(2 if run.trial else 3)
        with card("Trying it" if run.trial else "Importing", "subscribers-run"):
            words("p", f"{upload.name} into {run.matching.list_name}", "muted")
            self._bar = ui.linear_progress(0, show_value=False, size="8px").props('aria-label="Progress" color=null')
            with ui.element("div").classes("row"):
                self._rows = words("span", "Reading …", "num grow").props("role=status")
                button("Stop", run.stop)
            if not run.trial:
                words("p", "You may leave this page: it goes on.", "muted small")

    def _report(self, upload: Upload, run: Run) -> None:
        report, list_name = run.report, run.matching.list_name
        assert report is not None
        self._step(2 if run.trial else 4)
        if run.trial:
            banner("Nothing was changed yet. This is what would happen.", "info")
        else:
            banner(f"{upload.name} is imported.", "good")
        with ui.element("div").classes("subscribers-figures"):
            for figure in figures(report, list_name, trial=run.trial):
                with ui.element("div").classes(f"subscribers-figure {figure.tone}"):
                    words("span", f"{figure.count:,}", "subscribers-tile-number num")
                    words("span", figure.what, "muted small")
        for remark in remarks(report, list_name):
            words("p", remark)
        if report.refused:
            _refused(upload, run)
        with ui.element("div").classes("subscribers-buttons end"):
            if run.trial:
                button("Choose another file", _other_file)
                button("Back to the columns", self._back)
                taken = report.rows - report.refused
                go_on = button(f"Import into {list_name}", self._take_in, icon="group_add", kind="primary")
                go_on.set_enabled(taken > 0)
            else:
                button("Import another file", _other_file)
                address = "/subscribers?" + urlencode({"list": list_name})
                button(f"See {list_name}", lambda: ui.navigate.to(address), icon="group", kind="primary")

    def _ended(self, upload: Upload, run: Run) -> None:
        """It failed, or somebody stopped it."""
        self._step(2 if run.trial else 3)
        if run.failure is not None:
            banner(f"It went wrong: {run.failure}.", "bad")
        elif run.trial:
            banner("Stopped. Nothing was changed.", "info")
        else:
            banner("Stopped.", "warn")
        if not run.trial:
            rows = run.progress.rows if run.progress else 0
            words(
                "p", f"{rows:,} rows of {upload.name} are in. Import it again to add the rest: nothing is done twice."
            )
        with ui.element("div").classes("subscribers-buttons end"):
            button("Choose another file", _other_file)
            button("Back to the columns", self._back, kind="primary")


def _refused(upload: Upload, run: Run) -> None:
    report = run.report
    assert report is not None
    with card("Refused", "subscribers-refused"):
        box = ui.element("div").classes("subscribers-scroll").props('role=region tabindex=0 aria-label="Refused rows"')
        with box, ui.element("table").classes("table"):
            with ui.element("thead"), ui.element("tr"):
                words("th", "Line").props("scope=col")
                words("th", "Why").props("scope=col")
            with ui.element("tbody"):
                for row in report.examples:
                    with ui.element("tr"):
                        words("td", f"{row.line:,}", "num")
                        words("td", row.reason)
        with ui.element("div").classes("subscribers-bar"):
            more = report.refused - len(report.examples)
            words("span", f"and {more:,} more" if more else "", "muted grow")
            address = f"/subscribers/import/{quote(upload.key)}/refused.csv"
            with ui.element("a").classes("subscribers-export").props(f'href="{address}" download'):
                ui.icon("sym_o_download").props("aria-hidden=true")
                words("span", "Refused rows as CSV")


def _other_file() -> None:
    ui.navigate.to("/subscribers/import")


def _not_csv() -> None:
    say("That is no CSV file. In a spreadsheet program, save it as CSV first.", "bad")


def _not_sent(event: events.GenericEventArguments) -> None:
    say(str(event.args) or "The file didn't arrive here: try it again.", "bad")
