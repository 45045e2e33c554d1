"""Self-audit of complaint handling along the principles and steps of ISO 10002: each has evidence in the data, or says
that a person must look.

The names of principles and steps are the standard's; the questions are our own words. The standard itself is to be
bought from its publisher, and no self-audit is a certificate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.audit._evidence import COLUMNS
    from crmcore.recovery.audit.auditing import audit_handling
    from crmcore.recovery.audit.findings import Audit, Finding, Verdict
    from crmcore.recovery.audit.targets import AuditTargets

_WHERE = {
    ".auditing": ("audit_handling",),
    "._evidence": ("COLUMNS",),
    ".findings": ("Audit", "Finding", "Verdict"),
    ".targets": ("AuditTargets",),
}

__all__ = ["COLUMNS", "Audit", "AuditTargets", "Finding", "Verdict", "audit_handling"]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
