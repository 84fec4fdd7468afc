"""The subscribers: the lists, one person, import and export."""
