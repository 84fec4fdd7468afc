"""Commands on files of people: import and export."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.main import FAILED, FINE

if TYPE_CHECKING:
    from newsletter.store.import_csv import ImportProgress, ImportReport

_LIST = click.option("--list", "list_name", metavar="NAME", required=True, help="The list.")


@click.command("import", short_help="Add the people of a CSV file to a list.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_LIST
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Where to write refused rows.  [FILE.refused.csv]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_command(file: Path, list_name: str, dry_run: bool, report: Path | None, as_json: bool) -> int:
    """Add the people of a CSV file to a list; running it twice changes nothing more.

    Files as other systems export them: UTF-8, UTF-16 or Windows-1252; commas, semicolons or tabs. The first line names
    the columns: one is the address; name, tags and status are known; any other is an attribute. Nobody who left
    comes back by an import, nobody whom the file calls unsubscribed or bounced is mailed, and nobody returns who asked
    to be forgotten.

    Refused rows are written to FILE.refused.csv, with their lines and reasons. Exit code 1 when there are any.

    \b
    Examples:
      newsletter subscribers import people.csv --list members --dry-run
      newsletter subscribers import people.csv --list members
      newsletter subscribers import people.csv --list members --report refused.csv --json
    """
    from newsletter.cli.output import print_json
    from newsletter.store.import_csv import import_csv
    from newsletter.workspace import Workspace

    with Workspace.open().open_store() as store, _progress(file) as progress:
        done = import_csv(
            store, file, list_name, now=datetime.now(UTC), report_file=report, dry_run=dry_run, progress=progress
        )
    if as_json:
        print_json(_as_json(done, dry_run=dry_run))
    else:
        _print(done, file, list_name, dry_run=dry_run)
    return FAILED if done.refused else FINE


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[ImportProgress], None] | None]:
    """A bar on standard error, when somebody looks."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from newsletter.cli.output import err

    if not err.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(file.name.replace("[", r"\["), total=None, rows=0)
        yield lambda progress: bar.update(
            task, total=progress.bytes_total, completed=progress.bytes_read, rows=progress.rows
        )


def _print(report: ImportReport, file: Path, list_name: str, *, dry_run: bool) -> None:
    from newsletter.cli.output import err, out

    people = report.people
    separator = {",": "commas", ";": "semicolons", "\t": "tabs"}.get(report.separator, f"`{report.separator}`")
    out.print(f"{file}: {report.rows:,} rows, {report.encoding}, separated by {separator}", markup=False)
    if dry_run:
        out.print("[bold]Nothing was changed[/]; this is what would happen:")
    parts = [f"{people.added:,} added", f"{people.updated:,} updated", f"{people.unchanged:,} unchanged"]
    parts += [f"{people.repeated:,} the same person again"] * bool(people.repeated)
    parts += [f"[red]{report.refused:,} refused[/]"] * bool(report.refused)
    out.print(", ".join(parts))
    if people.left:
        out.print(f"{people.left:,} of them unsubscribed from {list_name}, and not mailed", markup=False)
    if people.suppressed:
        why = "the file says that they bounced, complained or were blocked"
        out.print(f"{people.suppressed:,} of them suppressed from now on: {why}")
    for each in report.examples:
        err.print(f"{file}:{each.line}: {each.reason}", markup=False)
    if report.refused > len(report.examples):
        err.print(f"and {report.refused - len(report.examples):,} more")
    if report.refused_file is not None and report.refused:
        err.print(f"Refused rows are in {report.refused_file}", markup=False)


def _as_json(report: ImportReport, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "encoding": report.encoding,
        "separator": report.separator,
        "rows": report.rows,
        **vars(report.people),
        "refused": report.refused,
        "examples": [{"line": each.line, "reason": each.reason} for each in report.examples],
        "refused_file": report.refused_file,
    }


@click.command("export", short_help="Write a list as CSV, safe for spreadsheets.")
@_LIST
def export_command(list_name: str) -> None:
    """Write a list as CSV to standard output, safe to open in a spreadsheet.

    A cell that a spreadsheet would take for a formula begins with an apostrophe; an import takes it off again.

    \b
    Example:
      newsletter subscribers export --list members > members.csv
    """
    from newsletter.store.export_csv import export_csv
    from newsletter.store.subscribers import need_list
    from newsletter.workspace import Workspace

    with Workspace.open().open_store() as store, store.read() as connection:
        need_list(connection, list_name)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Whatever the machine's language; and CSV ends its lines by itself.
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        export_csv(connection, list_name, sys.stdout)
