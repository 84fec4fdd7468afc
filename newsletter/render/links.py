"""The publication's parameters on its web links."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit


def link_parameters(domains: tuple[str, ...], parameters: Mapping[str, str]) -> Callable[[str], str]:
    """A function that adds `parameters` to web links on `domains` and their subdomains.

    A parameter that a link already has stays as it is; what comes after `#` stays last.
    """
    if not domains or not parameters:
        return lambda url: url
    hosts = tuple(domain.lower().removeprefix("www.") for domain in domains)

    @functools.lru_cache(maxsize=4096)
    def add(url: str) -> str:
        if not url.lower().startswith(("http://", "https://")):
            return url
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if not any(host == domain or host.endswith("." + domain) for domain in hosts):
            return url
        present = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        more = [f"{quote(name)}={quote(value, safe='')}" for name, value in parameters.items() if name not in present]
        return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, *more]))))

    return add
