"""YAML files that people write: text into data with positions, and data into models with located Problems."""

from newsletter.source.text import Route, Source, decode_source, parse_source, read_source
from newsletter.source.validate import problem_at, validate

__all__ = ["Route", "Source", "decode_source", "parse_source", "problem_at", "read_source", "validate"]
