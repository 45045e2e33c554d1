"""Service levels over case histories: who was promised what, was it kept, and whom a breach calls.

A `ServicePolicy` says what is promised to which cases, a `ServiceLog` what happened to them; `service_clocks` reads all
clocks, `service_report` says what share was kept, `alerts_between` who is called, `run_bulk` does a whole desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.service.alerts import Alert, Alerts, alerts_between, alerts_of, stages
    from crmcore.recovery.service.applying import ServiceClocks, service_clocks
    from crmcore.recovery.service.bulk import BulkRun, run_bulk
    from crmcore.recovery.service.log_checks import LogFinding, SuspectLog
    from crmcore.recovery.service.policies import Promise, Scope, ServicePolicy
    from crmcore.recovery.service.reading_logs import read_dates, read_events
    from crmcore.recovery.service.reporting import ServiceReport, ServiceRow, service_report, share_within
    from crmcore.recovery.service.service_log import LogSummary, ServiceLog

__all__ = [
    "Alert",
    "Alerts",
    "BulkRun",
    "LogFinding",
    "LogSummary",
    "Promise",
    "Scope",
    "ServiceClocks",
    "ServiceLog",
    "ServicePolicy",
    "ServiceReport",
    "ServiceRow",
    "SuspectLog",
    "alerts_between",
    "alerts_of",
    "read_dates",
    "read_events",
    "run_bulk",
    "service_clocks",
    "service_report",
    "share_within",
    "stages",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Alert": ".alerts",
        "Alerts": ".alerts",
        "BulkRun": ".bulk",
        "LogFinding": ".log_checks",
        "LogSummary": ".service_log",
        "Promise": ".policies",
        "Scope": ".policies",
        "ServiceClocks": ".applying",
        "ServiceLog": ".service_log",
        "ServicePolicy": ".policies",
        "ServiceReport": ".reporting",
        "ServiceRow": ".reporting",
        "SuspectLog": ".log_checks",
        "alerts_between": ".alerts",
        "alerts_of": ".alerts",
        "read_dates": ".reading_logs",
        "read_events": ".reading_logs",
        "run_bulk": ".bulk",
        "service_clocks": ".applying",
        "service_report": ".reporting",
        "share_within": ".reporting",
        "stages": ".alerts",
    },
)
