"""What all tests share: a small workspace to put issues into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.workspace import Edition, Workspace

SETTINGS = """\
publication:
  name: The Test Letter
  url: https://www.example.org
  address: |
    The Test Society
    1 Test Street
sender:
  email: news@example.org
unsubscribe:
  group_id: 7
link_parameters:
  domains: [example.org]
  parameters: {utm_source: letter}
"""


@pytest.fixture
def workspace_folder(tmp_path: Path) -> Path:
    """A folder with `newsletter.yaml` and an empty `issues/`."""
    (tmp_path / "newsletter.yaml").write_text(SETTINGS, "utf-8")
    (tmp_path / "issues").mkdir()
    return tmp_path


@pytest.fixture
def edition(workspace_folder: Path) -> Callable[..., Edition]:
    """Makes an Edition of YAML text; what stands before `blocks:` may be left out."""

    def make(text: str) -> Edition:
        if "subject:" not in text:
            text = f"subject: A subject\npreheader: A preheader\n{text}"
        path = workspace_folder / "issues" / "one.yaml"
        path.write_text(text, "utf-8")
        return Workspace.open(workspace_folder).load(path)

    return make
