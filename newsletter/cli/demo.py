"""What `make demo` shows: the example issues checked, rendered, and sent as tests to a sandbox on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import SecretStr

from newsletter.cli.issues import sample_values
from newsletter.cli.output import out, print_problems, summary
from newsletter.cli.people import reader
from newsletter.cli.testing import send_tests, test_message, test_recipient
from newsletter.eml import for_browser
from newsletter.errors import NewsletterError, errors_in
from newsletter.issue import fill
from newsletter.personalise import variant_of
from newsletter.sandbox import Sandbox
from newsletter.settings import Environment
from newsletter.workspace import Workspace


def main() -> int:
    """Run the demonstration; gives the exit code."""
    workspace = Workspace.open()
    folder = workspace.root / "out" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    with Sandbox(folder=folder / "received") as sandbox:
        environment = Environment(sendgrid_api_key=SecretStr("SG.demo-of-the-sandbox"), sendgrid_host=sandbox.url)
        workspace.__dict__["environment"] = environment
        for path in reversed(workspace.issue_files()):
            failed += _show(workspace, path, folder)
        out.print(f"\nThe sandbox received {len(sandbox.messages())} mails: {folder / 'received'}")
    out.print(f"The rendered issues: {folder}")
    out.print("\nNext:\n  .venv/bin/newsletter preview\n  .venv/bin/newsletter init my-newsletter")
    return 1 if failed else 0


def _show(workspace: Workspace, path: Path, folder: Path) -> int:
    edition = workspace.load(path)
    problems = edition.check()
    out.print(f"\n[bold]{edition.file}[/]  {summary(problems) or 'fine'}")
    print_problems(problems, workspace.root)
    if errors_in(problems):
        return 1
    person = reader(workspace, None)
    rendered = edition.render(variant_of(edition.conditions, person))
    html = for_browser(fill(rendered.html, sample_values(rendered, person)), rendered.images, "images/")
    (folder / "images").mkdir(exist_ok=True)
    for image in rendered.images:
        (folder / "images" / image.filename).write_bytes(image.data)
    (folder / f"{rendered.slug}.html").write_text(html, "utf-8")
    (folder / f"{rendered.slug}.txt").write_text(fill(rendered.text, sample_values(rendered, person)), "utf-8")
    out.print(
        f"  rendered: {len(rendered.html.encode()):,} bytes of HTML, {len(rendered.text.encode()):,} of plain text"
    )
    message = test_message(edition, rendered)
    return send_tests(edition, message, [test_recipient(edition, rendered, person, "reader@example.org")])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NewsletterError as failure:
        from newsletter.cli.output import print_error

        print_error(failure)
        sys.exit(1)
