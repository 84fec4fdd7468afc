"""Everything that is wrong with an issue, by what it would do to a reader."""
