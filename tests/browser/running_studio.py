"""A Studio that runs as a process of its own, for tests and the benchmark."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class RunningStudio:
    """`newsletter studio` as a process. `root` is its workspace; `address` lets a browser in."""

    root: Path
    port: int = 0
    address: str = ""
    process: subprocess.Popen[str] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start it, on the same port as before, and wait until it listens."""
        command = [sys.executable, "-m", "newsletter", "studio", "--no-browser", "--port", str(self.port)]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("SENDGRID", "NEWSLETTER"))
        }
        environment |= {"PYTHONUNBUFFERED": "1", **self.environment}
        with self.log_file.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://127.0.0.1:" in line, f"{line}{self.log()}"
        self.address = next(word for word in line.split() if word.startswith("http://"))
        self.port = int(self.address.split(":")[2].split("/")[0])

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def log_file(self) -> Path:
        return self.root.parent / "studio.log"

    def log(self) -> str:
        """What it has written to standard error."""
        return self.log_file.read_text("utf-8") if self.log_file.exists() else ""

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it with a signal, and wait for the end."""
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None


def until(what: object, seconds: float = 15.0) -> object:
    """Ask `what` again and again until it answers something true, and give that."""
    assert callable(what)
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
    return answer
