"""What a workspace and an issue begin as: the files that `newsletter init`, `newsletter new` and the Studio write."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path

from newsletter.errors import WorkspaceError
from newsletter.issue.model import slug_of
from newsletter.issue.schema import json_schema
from newsletter.source import parse_source
from newsletter.theme import builtin_templates
from newsletter.workspace import ISSUES, Workspace

SETTINGS = """\
# What holds for every issue.
publication:
  name: The Example Letter
  url: https://www.example.org
  address: |
    The Example Society
    1 Example Street
    Exampletown
  why: You get this because you signed up at www.example.org.
  lang: en
sender:
  email: news@example.org
theme: digest
# How people leave: the number of your unsubscribe group at SendGrid.
unsubscribe:
  group_id: 1
"""

GITIGNORE = ".env\n.newsletter/\nout/\n"

ENVIRONMENT = """\
# Secrets: never commit this file. As it stands, mail goes to `newsletter sandbox` on this machine. For the real thing,
# put your own key here, and remove the second line (or set https://api.eu.sendgrid.com for an EU account).
SENDGRID_API_KEY=SG.a-key-for-the-sandbox
SENDGRID_HOST=http://127.0.0.1:8025
"""

SUBSCRIBERS = """\
email,name,region
ada@example.org,Ada Example,north
ben@example.org,Ben Example,south
cleo@example.org,,
"""

SAMPLE = """\
# yaml-language-server: $schema=issue.schema.json
subject: Hello, {{ subscriber.first_name or "friend" }}
preheader: The first issue of our newsletter
date: DATE
slug: hello
blocks:
  - type: text
    body: |
      Dear {{ subscriber.first_name or "friend" }},

      this is what an issue looks like. A text is written in **Markdown**, with
      [links](https://www.example.org/about).
  - type: section
    title: News
  - type: story
    headline: A story has a headline and a text
    url: https://www.example.org/story
    body: One to three paragraphs, and a link to the rest.
    label: Read the story
  - type: quote
    text: Short, clear, and on time.
    attribution: Ada Example
    role: reader
"""


def write_workspace(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Make a workspace in `folder`: each of its files, and whether it was written; what is there already is kept."""
    today = datetime.date.today()  # noqa: DTZ011 - the author's own day
    files = {
        "newsletter.yaml": SETTINGS,
        ".gitignore": GITIGNORE,
        ".env": ENVIRONMENT,
        "subscribers.csv": SUBSCRIBERS,
        "issues/issue.schema.json": json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n",
        f"issues/{today}-hello.yaml": SAMPLE.replace("DATE", str(today)),
        "templates/digest/theme.yaml": (builtin_templates() / "digest" / "theme.yaml").read_text("utf-8"),
    }
    for name, content in files.items():
        path = folder / name
        fresh = not path.exists()
        if fresh:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        yield path, fresh


def start_issue(workspace: Workspace, title: str, theme: str | None = None) -> Path:
    """Write a new issue, and give its file. Raises WorkspaceError when there is one of this name already."""
    path, today = _free_path(workspace, title)
    content = new_issue(title, slug_of(title), today)
    if theme is not None and theme != workspace.settings.theme:
        content = re.sub(r"^# theme: .*$", f"theme: {theme}", content, count=1, flags=re.MULTILINE)
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, "utf-8")
    return path


def copy_issue(workspace: Workspace, original: Path, title: str) -> Path:
    """Write a copy of an issue under a new title, with today's date, and give its file.

    Raises WorkspaceError when there is one of this name already, or the original can't be read.
    """
    from newsletter.source import edits

    path, today = _free_path(workspace, title)
    edition = workspace.load(original)
    source = edition.source
    if source is None or not isinstance(source.data, dict):
        raise WorkspaceError(f"{edition.file} can't be read", hint="mend it first, or start from a theme")
    for key, value in (("subject", title), ("date", str(today)), ("slug", slug_of(title))):
        text = edits.apply(source.text, edits.set_value(source, (key,), value))
        again, _ = parse_source(text, edition.file)
        assert again is not None  # edits leave what can be read
        source = again
    path.write_text(source.text, "utf-8")
    return path


def _free_path(workspace: Workspace, title: str) -> tuple[Path, datetime.date]:
    today = datetime.date.today()  # noqa: DTZ011 - the author's own day
    path = workspace.root / ISSUES / f"{today}-{slug_of(title)}.yaml"
    if path.exists():
        raise WorkspaceError(f"{workspace.shown(path)} is there already", hint="choose another title, or edit it")
    return path, today


def new_issue(title: str, slug: str, date: datetime.date) -> str:
    """A new issue with what it can hold in comments."""
    return f"""\
# yaml-language-server: $schema=issue.schema.json
subject: {json.dumps(title, ensure_ascii=False)}
# The line that inboxes show after the subject; 40 to 100 characters.
preheader: What this issue is about
date: {date}
slug: {slug}
# theme: digest                # or another folder of templates/
# lang: en                     # the language; the publication's when left out
# from: {{email: news@example.org, name: Somebody}}
# reply_to: somebody@example.org
# tags: [spring]               # for the provider's statistics
# link_parameters: {{utm_campaign: {slug}}}
blocks:
  - type: text
    body: |
      Dear {{{{ subscriber.first_name or "friend" }}}},

      a text is written in Markdown.
    # when: subscriber.region == "north"     # only for some
  # - type: section
  #   title: News
  # - type: story
  #   headline: A headline
  #   url: https://www.example.org/story
  #   image: {{src: images/photo.jpg, alt: What the picture shows}}
  #   image_position: left                   # left, right or top
  #   byline: By Ada Example
  #   source: The Example Gazette
  #   body: One to three paragraphs.
  #   label: Read the story
  # - type: headlines
  #   items: [A bare one, {{headline: A linked one, url: https://www.example.org/}}]
  # - type: quote
  #   text: What was said.
  #   attribution: Ada Example
  #   role: reader
  # - type: button
  #   label: Join us
  #   url: https://www.example.org/join
  # More kinds: header hero image gallery links events video callout columns divider social footer html
"""
