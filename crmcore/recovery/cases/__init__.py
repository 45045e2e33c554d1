"""Cases: from the first word of a customer on any channel to the confirmation that it was put right.

`CaseDesk` takes messages in (`from_mention`, `from_message`, `from_mail`, `from_call`, `from_counter`, `from_portal`),
grades and plans, keeps promises, joins cases, and lets time pass; `RecoveryPolicy` says how; a `CaseFile` is what came
of it. `hearing` measures how well complaints are heard, `confidence` what a customer's confidence needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.cases import confidence, hearing
    from crmcore.recovery.cases.complaints import (
        Complaint,
        from_call,
        from_counter,
        from_mail,
        from_mention,
        from_message,
        from_portal,
    )
    from crmcore.recovery.cases.definitions import CaseKind, case_workflows
    from crmcore.recovery.cases.desk import CaseDesk, Opened
    from crmcore.recovery.cases.files import CaseFile, Feelings, Outcome
    from crmcore.recovery.cases.plans import PlanBook, PlanStep, RecoveryPlan, Todo
    from crmcore.recovery.cases.policies import RecoveryPolicy
    from crmcore.recovery.cases.promises import read_promise
    from crmcore.recovery.cases.short import open_case
    from crmcore.recovery.cases.triaging import Priority, Triage

_WHERE = {
    ".complaints": (
        "Complaint",
        "from_call",
        "from_counter",
        "from_mail",
        "from_mention",
        "from_message",
        "from_portal",
    ),
    ".confidence": ("confidence",),
    ".definitions": ("CaseKind", "case_workflows"),
    ".desk": ("CaseDesk", "Opened"),
    ".files": ("CaseFile", "Feelings", "Outcome"),
    ".hearing": ("hearing",),
    ".plans": ("PlanBook", "PlanStep", "RecoveryPlan", "Todo"),
    ".policies": ("RecoveryPolicy",),
    ".promises": ("read_promise",),
    ".short": ("open_case",),
    ".triaging": ("Priority", "Triage"),
}

__all__ = [
    "CaseDesk",
    "CaseFile",
    "CaseKind",
    "Complaint",
    "Feelings",
    "Opened",
    "Outcome",
    "PlanBook",
    "PlanStep",
    "Priority",
    "RecoveryPlan",
    "RecoveryPolicy",
    "Todo",
    "Triage",
    "case_workflows",
    "confidence",
    "from_call",
    "from_counter",
    "from_mail",
    "from_mention",
    "from_message",
    "from_portal",
    "hearing",
    "open_case",
    "read_promise",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
