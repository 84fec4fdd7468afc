"""Secrets, and what differs by machine: from the environment.

Apart from the settings, because pydantic-settings is slow to import and most commands need none of this.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROVIDER_HOST = "https://api.sendgrid.com"


class Environment(BaseSettings):
    """Secrets and what differs by machine: from the environment, else from `.env` in the workspace."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True)

    sendgrid_api_key: SecretStr | None = None
    """`SENDGRID_API_KEY`: a key that may send mail."""
    sendgrid_host: str = PROVIDER_HOST
    """`SENDGRID_HOST`: the provider's host; `https://api.eu.sendgrid.com` in the EU, the sandbox's to rehearse."""
    newsletter_secret: SecretStr | None = None
    """`NEWSLETTER_SECRET`: signs unsubscribe links; at least 32 characters, the same for ever."""
    newsletter_database_url: str | None = None
    """`NEWSLETTER_DATABASE_URL`: overrides `database` of newsletter.yaml."""


def read_environment(root: Path) -> Environment:
    """The environment of the workspace at `root`; real environment variables win over its `.env`."""
    return Environment(_env_file=root / ".env")
