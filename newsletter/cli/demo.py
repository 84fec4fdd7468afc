"""What `make demo` runs: the commands of a first day, one after the other, on the workspace it is started in.

Mail goes to a sandbox on this machine, and people and deliveries into a database of the demonstration's own.
"""

from __future__ import annotations

import csv
import os
import shlex
import shutil
import sys
from pathlib import Path

from newsletter.cli.main import FINE, newsletter
from newsletter.cli.output import out, print_error
from newsletter.errors import NewsletterError
from newsletter.sandbox import Sandbox
from newsletter.workspace import Workspace

FIRST = "Ada Bela Carmen Dinesh Elif Farid Greta Hugo Imani Joon Karin Lucio Maya Noor Olga Pia Quentin Rosa Sami Tove"
LAST = "Abara Brandt Calder Duarte Eriksen Fontaine"
REGIONS = ("north", "south", "east", "west")


def main() -> int:
    """Run the demonstration; gives the exit code."""
    workspace = Workspace.open()
    folder = workspace.root / "out" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shown = folder.relative_to(workspace.root)
    os.chdir(workspace.root)
    people = _sample_list(folder / "members.csv")
    letter = next((path for path in workspace.issue_files() if "letter" in path.stem), workspace.issue_files()[0])
    issue = workspace.load(letter).slug
    with Sandbox(folder=folder / "received") as sandbox:
        os.environ["SENDGRID_HOST"] = sandbox.url
        os.environ["SENDGRID_API_KEY"] = "SG.a-key-for-the-sandbox"
        os.environ["NEWSLETTER_DATABASE_URL"] = f"sqlite:///{folder / 'demo.db'}"
        codes = [_run("check")]
        codes += [_run("render", path.stem, "--out", f"{shown}/rendered") for path in reversed(workspace.issue_files())]
        codes += [
            _run("test", issue, "--to", "editor@example.org"),
            _run("subscribers", "import", f"{shown}/members.csv", "--list", "members"),
            _run("plan", issue, "--list", "members"),
            _run("send", issue, "--list", "members", "--yes", str(people)),
            _run("status", issue),
            _run("why", "ada.abara@example.org"),
        ]
        received = len(sandbox.messages())
    out.print(f"\nThe sandbox received {received} mails, as their recipients would have got them.")
    out.print(f"  the mails            {shown}/received/messages/*.eml")
    out.print(f"  the rendered issues  {shown}/rendered/*.html, .txt, .mjml, .eml")
    out.print("\nNext, with .venv/bin before each:")
    out.print(f"  newsletter preview {issue}        the issue in the Studio, as it will arrive")
    out.print("  newsletter init my-newsletter   a workspace of your own")
    return max(codes)


def _run(*words: str) -> int:
    """A command as it would be typed, with what it prints."""
    out.print(f"\n[bold cyan]$ newsletter {shlex.join(words)}[/]", markup=True)
    code = newsletter.main(args=list(words), prog_name="newsletter", standalone_mode=False)
    return code if isinstance(code, int) else FINE


def _sample_list(path: Path) -> int:
    """A CSV file with made-up people; gives how many."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Email", "Name", "Region", "Tags"])
        names = [(first, last) for last in LAST.split() for first in FIRST.split()]
        for number, (first, last) in enumerate(names):
            tags = "donor" if number % 5 == 0 else ""
            row = [f"{first}.{last}@example.org".lower(), f"{first} {last}", REGIONS[number % len(REGIONS)], tags]
            writer.writerow(row)
    return len(names)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NewsletterError as failure:
        print_error(failure)
        sys.exit(1)
