"""Recovery: what went wrong is put right for the customer, in the process, and with the staff.

`cases` takes complaints in and brings them to an end; `service` says what was promised and whether it was kept; `words`
checks drafts and keeps machines away from the distressed; `compliments` thanks in time and reuses praise where its
author permits it; `remedies` finds what is fair and worth it, `afterwards` whether it helped, `audit` what is
missing; `process` finds causes, draws control charts and keeps registers of failures; `employees` knows
who is able, allowed, free and rested, routes work, and plans how many are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery import afterwards, audit, cases, compliments, employees, process, remedies, service, words
    from crmcore.recovery.cases.complaints import Complaint
    from crmcore.recovery.cases.desk import CaseDesk
    from crmcore.recovery.cases.policies import RecoveryPolicy
    from crmcore.recovery.cases.short import open_case

__all__ = [
    "CaseDesk",
    "Complaint",
    "RecoveryPolicy",
    "afterwards",
    "audit",
    "cases",
    "compliments",
    "employees",
    "open_case",
    "process",
    "remedies",
    "service",
    "words",
]

__getattr__ = lazy_names(
    __name__,
    {
        "CaseDesk": ".cases.desk",
        "Complaint": ".cases.complaints",
        "RecoveryPolicy": ".cases.policies",
        "afterwards": ".afterwards",
        "audit": ".audit",
        "cases": ".cases",
        "compliments": ".compliments",
        "employees": ".employees",
        "open_case": ".cases.short",
        "process": ".process",
        "remedies": ".remedies",
        "service": ".service",
        "words": ".words",
    },
)
