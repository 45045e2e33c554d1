"""Columnar tables: frozen classes over read-only numpy columns that share one index of customers.

Row i of every column is the same thing. `from_frame` reads any frame once and refuses all bad rows in one error,
`of(values)` builds a table from values, `table[i]` is a value as a window on one row, `to_frame` writes the flavour
that was read. A customer code of -1 means that nobody knows who it was.
"""

from crmcore.tables._door import NO_AMOUNT
from crmcore.tables.columns import CustomerIndex, TextColumn
from crmcore.tables.events import EventTable
from crmcore.tables.mentions import MentionTable
from crmcore.tables.orders import OrderTable
from crmcore.tables.records import RecordTable
from crmcore.tables.responses import ResponseTable

__all__ = [
    "NO_AMOUNT",
    "CustomerIndex",
    "EventTable",
    "MentionTable",
    "OrderTable",
    "RecordTable",
    "ResponseTable",
    "TextColumn",
]
