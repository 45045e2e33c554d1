"""Recovery: what went wrong is put right for the customer, in the process, and with the staff.

`process` finds causes, draws control charts and keeps registers of failures; `employees` knows who is able, allowed,
free and rested, routes work to them, and plans how many are needed; `service` says what was promised to whom, and what
share of it was kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery import employees, process, service

__all__ = ["employees", "process", "service"]

__getattr__ = lazy_names(__name__, {"employees": ".employees", "process": ".process", "service": ".service"})
