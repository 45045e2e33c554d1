"""Columnar tables: frozen classes over read-only numpy columns that share one index of customers.

Row i of every column is the same thing. `from_frame` reads any frame once and refuses all bad rows in one error,
`of(values)` builds a table from values, `table[i]` is a value as a window on one row, `to_frame` writes the flavour
that was read. A customer code of -1 means that nobody knows who it was.
"""

from crmcore.tables.columns import CustomerIndex, TextColumn
from crmcore.tables.records import RecordTable

__all__ = ["CustomerIndex", "RecordTable", "TextColumn"]
