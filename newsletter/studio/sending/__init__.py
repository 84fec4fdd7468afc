"""Sending an issue: tests, the plan, the sending itself, and the report."""
