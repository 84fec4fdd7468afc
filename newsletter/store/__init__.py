"""Subscribers, suppressions, dispatches and what became of each delivery, in SQLite or PostgreSQL.

`open_store` gives a Store; `store.read()` and `store.write()` are transactions over a connection, and the functions of
this package's modules, one module a noun, take that connection.
"""

from newsletter.store.database import Store, open_store

__all__ = ["Store", "open_store"]
