"""The command line: the only place that puts things together and prints.

A command imports what it needs when it runs, so that `--help` is instant.
"""

from newsletter.cli.main import main

__all__ = ["main"]
