"""Compose, preview, test and send an email newsletter from files in a git repository."""

__version__ = "0.1.0"
