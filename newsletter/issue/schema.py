"""The JSON Schema of the issue format, for editors that complete and explain."""

from __future__ import annotations

from typing import Any

from newsletter.issue.model import Issue


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of an issue's YAML file, each key with its documentation."""
    schema = Issue.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "newsletter issue"
    _accept_plain_scalars(schema)
    return schema


def _accept_plain_scalars(node: Any) -> None:
    """Say what the reader does: every plain scalar may be text, so `headline: 2026` and `headline: No` are fine."""
    if isinstance(node, list):
        for child in node:
            _accept_plain_scalars(child)
    elif isinstance(node, dict):
        if node.get("type") == "string" and not {"const", "enum", "format"} & node.keys():
            node["type"] = ["string", "number", "boolean"]
        for child in list(node.values()):
            _accept_plain_scalars(child)
