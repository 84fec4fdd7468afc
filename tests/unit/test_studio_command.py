"""`newsletter studio` before there is a page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from newsletter.scaffold import write_workspace


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    for _ in write_workspace(tmp_path):
        pass
    code = "import sys; sys.modules['uvicorn'] = None; from newsletter.cli import main; main(['studio'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'newsletter[studio]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    import socket

    for _ in write_workspace(tmp_path):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "newsletter", "studio", "--no-browser", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is taken" in done.stderr
