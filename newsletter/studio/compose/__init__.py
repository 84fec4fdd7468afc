"""Composing an issue: its outline, its text, and a form for the block under the cursor."""
