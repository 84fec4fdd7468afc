"""Commands on issues: check, render, schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.main import FAILED, FINE

if TYPE_CHECKING:
    from newsletter.errors import Problem
    from newsletter.workspace import Edition, Workspace


@click.command("check")
@click.argument("names", metavar="[ISSUE]...", nargs=-1)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", help="How to print problems."
)
@click.option("--links", is_flag=True, help="Ask the websites, too, whether each web link answers.")
def check_command(names: tuple[str, ...], form: str, links: bool) -> int:
    """Check issues: the YAML, its content, and what it is rendered to. All issues when none is named.

    ISSUE is a path or a slug. Exit code 1 when there is an error; warnings alone leave it 0.

    \b
    Examples:
      newsletter check
      newsletter check spring-tides
      newsletter check spring-tides --links
      newsletter check --format github issues/2026-03-31-spring-tides.yaml
    """
    from newsletter.cli.output import out, print_json, print_problems, problem_github, problem_json, summary
    from newsletter.errors import errors_in
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    editions = [workspace.load(name) for name in names] or [workspace.load(path) for path in workspace.issue_files()]
    found = [(edition, edition.check()) for edition in editions]
    if links:
        found = _with_links(workspace, found)
    problems = list(dict.fromkeys(problem for _, each in found for problem in each))
    if form == "json":
        print_json([problem_json(problem) for problem in problems])
    elif form == "github":
        for problem in problems:
            click.echo(problem_github(problem))
    else:
        print_problems(problems, workspace.root)
        for edition, each in found:
            errors = errors_in(each)
            mark = "[red]✗[/]" if errors else "[green]✓[/]"
            out.print(f"{mark} {edition.file}  {summary(each) or 'fine'}")
        if not found:
            out.print('There are no issues yet. Start one with: newsletter new "TITLE"')
    return FAILED if errors_in(problems) else FINE


def _with_links(
    workspace: Workspace, found: list[tuple[Edition, list[Problem]]]
) -> list[tuple[Edition, list[Problem]]]:
    """`found` with the Problems of the issues' and the publication's links; the rest is told on standard error."""
    from newsletter.check.links import Answer, check_links, links_of
    from newsletter.cli.output import err
    from newsletter.errors import in_reading_order

    links = links_of(workspace.settings.publication, workspace.source, ("publication",))
    for edition, _ in found:
        if edition.issue is not None and edition.source is not None:
            links += links_of(edition.issue, edition.source)
    answers: list[Answer] = []
    err.print(f"links to ask: {len({link.url for link in links if link.is_asked})}")
    problems = check_links(links, report=answers.append)
    for url in dict.fromkeys(answer.link.url for answer in answers if answer.is_unsure):
        err.print(f"keeps programs out, open it yourself: {url}", markup=False)
    for url in dict.fromkeys(link.url for link in links if link.is_personal):
        err.print(f"personal, not asked: {url}", markup=False)
    files = {problem: problem.location.file for problem in problems if problem.location}
    shared = workspace.source.file
    return [
        (edition, in_reading_order([*each, *(one for one, file in files.items() if file in (edition.file, shared))]))
        for edition, each in found
    ]


@click.command("render")
@click.argument("name", metavar="[ISSUE]", required=False)
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to."
)
@click.option("--as", "email", metavar="EMAIL", help="Fill the personal parts as for this subscriber.")
@click.option("--json", "as_json", is_flag=True, help="Print the written files as JSON.")
def render_command(name: str | None, folder: Path, email: str | None, as_json: bool) -> None:
    """Write an issue as it is sent: SLUG.mjml, SLUG.html, SLUG.txt, SLUG.eml and its images.

    \b
    Examples:
      newsletter render spring-tides --out out
      newsletter render spring-tides --out out --as ada@example.org
    """
    from newsletter.eml import for_browser, message_for
    from newsletter.issue import fill
    from newsletter.personalise import sample_values, variant_of
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    edition = workspace.load(name)
    person = workspace.reader(email)
    rendered = edition.render(variant_of(edition.conditions, person))
    values = sample_values(rendered, person)
    folder.mkdir(parents=True, exist_ok=True)
    images = {image.filename: image.data for image in (*rendered.images, *rendered.hosted_images)}
    written = {
        f"{rendered.slug}.mjml": rendered.mjml.encode(),
        f"{rendered.slug}.html": for_browser(fill(rendered.html, values), rendered.images, "images/").encode(),
        f"{rendered.slug}.txt": fill(rendered.text, values).encode(),
        f"{rendered.slug}.eml": message_for(rendered, values, edition.sender, edition.reply_to, person),
        **{f"images/{filename}": data for filename, data in images.items()},
    }
    for filename, data in written.items():
        path = folder / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if as_json:
        from newsletter.cli.output import print_json

        print_json(
            {
                "slug": rendered.slug,
                "subject": fill(rendered.subject, values),
                "files": [str(folder / each) for each in written],
            }
        )
        return
    for filename, data in written.items():
        click.echo(f"{folder / filename}  " + click.style(f"{len(data):,} bytes", dim=True))


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of issues. Editors that know it complete and explain.

    \b
    Example:
      newsletter schema > issue.schema.json
    """
    from newsletter.cli.output import print_json
    from newsletter.issue.schema import json_schema

    print_json(json_schema())
