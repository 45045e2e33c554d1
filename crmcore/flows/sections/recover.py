"""The chapter of recovery: are promises kept, why do orders fail, and does putting it right bring customers back."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import Targets
from crmcore.charts.chart import written
from crmcore.flows.page import Block, Figure, Heading, KeyFigure, Table, Text
from crmcore.flows.sections.chapter import TODAY, ZONE, Chapter, Check, Part, said
from crmcore.recovery.afterwards import paradox
from crmcore.recovery.process import find_causes
from crmcore.recovery.service import Promise, Scope, ServicePolicy, read_events, service_clocks, service_report

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.idic.identify.people import People

__all__ = ["recover"]

NOW = TODAY.astype("datetime64[s]").item().replace(tzinfo=UTC)
SEVERITIES = ("1 minor", "2 normal", "3 serious", "4 grave")
HOURS = {"4 grave": (2, 48), "3 serious": (4, 72), "2 normal": (8, 120), "1 minor": (16, 168)}  # answered, solved
ACTIVITIES = {
    "created": "created", "acknowledged": "receipt", "first response": "agent reply", "solved": "resolved",
    "reopened": "reopened", "follow-up": None,
}  # fmt: skip
PLANTED = {
    "courier = swift": "planted: late more often", "packaging = new box": "planted: damaged more often",
    "channel = store": "planted: staff", "courier = picked up": "planted: never late or damaged",
    "delivery = pick-up": "planted: never late or damaged",
}  # fmt: skip
AFTER = np.timedelta64(90, "D")
BESIDE = 5  # orders that stand beside each that failed
MANY = 2_000  # orders from which causes are asked for in pairs too


def recover(brand: Brand, people: People) -> Chapter:
    """Look at complaints: promises kept, causes, and what came of it.

    Parameters
    ----------
    brand : Brand
        Complaints with their events, orders and surveys, and what is true of them.
    people : People
        Not needed here: complaints name their orders.

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> from crmcore.idic import identify
    >>> brand = simulate_brand(300, seed=1)
    >>> found = recover(brand, identify.resolve(dict(brand.sources)))
    >>> [figure.label for figure in found.section().key]
    ['First answers in time', 'Causes of complaints', 'Recovery paradox']
    """
    lead = (
        "A complaint that is put right keeps a customer; the same failure twice loses them. Open cases count neither as kept nor as "
        "missed, causes are those that stand with all others held equal, and nothing is said to have helped that was not compared."
    )
    return Chapter(
        "What went wrong, and how it was put right", lead, (_kept(brand), _causes(brand), _afterwards(brand))
    )


def _kept(brand: Brand) -> Part:
    """Service levels by severity and agent."""
    cases, events = brand.complaints, brand.case_events
    severity = dict(
        zip(cases["case_id"].tolist(), (SEVERITIES[s - 1] for s in cases["severity"].tolist()), strict=True)
    )
    agent = dict(zip(cases["case_id"].tolist(), cases["agent"].tolist(), strict=True))
    log = read_events(
        {
            "case": events["case_id"], "time": events["time"].astype("datetime64[us]"), "activity": events["event"],
            "severity": [severity[c] for c in events["case_id"].tolist()], "agent": [agent[c] for c in events["case_id"].tolist()],
        },
        zone="UTC", activities=ACTIVITIES, facts={"priority": "severity", "agent": "agent"}, odd_ok=True,
    )  # fmt: skip
    policy = ServicePolicy(
        BusinessCalendar.always(ZONE),
        [
            Promise(
                name, Scope(priorities=[name]), Targets(first_response_minutes=60 * first, resolution_minutes=60 * last)
            )
            for name, (first, last) in HOURS.items()
        ],
    )
    report = service_report(service_clocks(log, policy, now=NOW), by=["priority", "agent"], goal=0.8)
    first, solved = report.of("first response"), report.of(str(policy.base.resolution))
    assert first.share is not None
    slow = [r for r in report.rows if r.clock == "first response" and r.by == "agent" and r.verdict == "missed"]
    truly = sum(r.group in {f"agent {i:02d}" for i in range(20, 24)} for r in slow)
    rows = [
        (r.group, f"{r.n:,}", "" if r.share is None else said(r.share), f"{r.overdue:,}", f"{r.pending:,}", str(r.verdict))
        for r in report.rows
        if r.clock == "first response" and r.by == "priority"
    ]  # fmt: skip
    solved_share = "" if solved.share is None else f"; solved in time were {said(solved.share)}"
    blocks: list[Block] = [
        Heading("Are promises kept?"),
        Text(
            f"{first.n:,} cases were promised a first answer within {HOURS['4 grave'][0]} to {HOURS['1 minor'][0]} hours, by severity: "
            f"{said(first.share)} got it{solved_share}. {len(slow)} of 24 agents miss the goal of 80 % beyond doubt; the simulation knows of "
            f"4 slow ones, {truly} of whom are among them."
        ),
        Table(("severity", "cases", "answered in time", "overdue", "pending", "goal of 80 %"), rows, "First answers; open cases are censored."),
        Figure(report.chart("first response", by="agent"), "Answers in time by agent; the line is the goal.", "An interval that lies wholly left of the line misses the goal; one that crosses it says that more cases are needed."),
    ]  # fmt: skip
    share, span = said(first.share).split(" ", 1)
    return Part(blocks, KeyFigure("First answers in time", share, f"{span}; {first.overdue:,} overdue now"))


def _causes(brand: Brand) -> Part:
    """Causes of complaints among the attributes of orders, beside those that were planted."""
    orders, truth = brand.orders, brand.truth.complaints
    complained = np.zeros(len(brand.truth.orders), bool)
    complained[truth.order] = True
    names = ("packaging", "region", "channel", "delivery", "category")
    courier = [name or "picked up" for name in orders["courier"].tolist()]
    columns = {name: orders[name] for name in names} | {"courier": courier, "complained": complained}
    depth = 2 if complained.sum() >= MANY else 1
    found = find_causes(columns, failed="complained", depth=depth)
    right = [f for f in found.findings if str(f.region) in PLANTED]
    rows = [
        (
            str(f.region), said(f.odds_ratio, percent=False), written(f.crude.value), f"{f.failures:,} of {f.cases:,}",
            PLANTED.get(str(f.region), "not planted"),
        )
        for f in found.findings
    ]  # fmt: skip
    cleared = ", ".join(str(c.region) for c in found.cleared[:3]) or "nothing"
    blocks: list[Block] = [
        Heading("Why do orders fail?"),
        Text(
            f"{int(complained.sum()):,} of {len(complained):,} orders brought a complaint. With all others held equal {len(found.findings)} causes "
            f"stand, {len(right)} of which the simulation had planted. What looks good or bad alone and is cleared: {cleared}."
        ),
        Table(("orders", "odds against like orders", "alone", "complaints", "truth"), rows, "Causes that stand together."),
    ]  # fmt: skip
    if found.findings:
        caption = "Complaints by cause: those that would not have been without it."
        reading = "The longest bar is what an action can win most by; what is not explained has causes that orders do not show."
        blocks.append(Figure(found.pareto().chart(), caption, reading))
    return Part(
        blocks, KeyFigure("Causes of complaints", str(len(found.findings)), f"{len(right)} of them were planted")
    )


def _afterwards(brand: Brand) -> Part:
    """Customers after a failure that was put right, beside like customers after an order where nothing went wrong."""
    order, recovered = _compared(brand)
    times, buyer = brand.orders["time"], brand.truth.orders.person
    who, since = buyer[order], times[order]
    bought = np.where(since + AFTER <= TODAY, 0.0, np.nan)
    score = np.full(len(order), np.nan)
    nth = np.zeros(len(order), np.int64)
    surveys, asked = brand.surveys, brand.truth.surveys.person
    answered = np.flatnonzero(~np.isnan(surveys["nps"]))
    of, told = _rows_of(buyer, len(brand.truth.traits)), _rows_of(asked[answered], len(brand.truth.traits))
    for row, person in enumerate(who.tolist()):
        own = times[of[person]]
        nth[row] = (own <= since[row]).sum()
        if bought[row] == 0:
            bought[row] = ((own > since[row]) & (own <= since[row] + AFTER)).any()
        later = answered[told[person]]
        later = later[surveys["invited_at"][later] > brand.orders["delivered_at"][order[row]] + AFTER // 9]
        if len(later):
            score[row] = surveys["nps"][later[0]]
    found = paradox(
        {"satisfaction": score, "repurchase": bought}, recovered, strata={"how many orders before": np.minimum(nth, 5)}
    )
    rows = [
        (r.outcome, said(r.difference, percent=False), written(r.crude.difference.value), r.verdict, f"{r.difference.n:,}")
        for r in found.rows
    ]  # fmt: skip
    holds = ", ".join(found.holds()) or "not shown"
    blocks: list[Block] = [
        Heading("Does putting it right win customers back?"),
        Text(
            f"{int(recovered.sum()):,} first complaints that were solved for good stand beside {int((~recovered).sum()):,} orders, drawn at random, "
            "of customers for whom nothing had gone wrong until then. (Whom nothing ever goes wrong for are mostly those who buy little: beside them "
            "failures seem to win customers.) The recovery paradox says that the recovered are better off; it is claimed only where it is shown: "
            f"{holds}. The simulation knows of no such effect."
        ),
        Table(("outcome", "recovered minus not failed", "alone", "paradox", "orders"), rows, "After the order, by outcome."),
        Figure(found.chart(), "Recovered minus not failed: points of the score, and share that buys within 90 days.", "An interval across zero claims nothing."),
    ]  # fmt: skip
    checks = [
        Check(f"{r.outcome} after recovery, less that without failure", r.difference, 0.0, r.outcome == "repurchase")
        for r in found.rows
        if np.isfinite(r.difference.value)
    ]
    return Part(blocks, KeyFigure("Recovery paradox", holds, "the simulation has none"), checks)


def _rows_of(code: NDArray[np.integer], n: int) -> list[NDArray[np.intp]]:
    """Rows of each code, in order."""
    return np.split(np.argsort(code, kind="stable"), np.searchsorted(np.sort(code), np.arange(1, n)))


def _compared(brand: Brand) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Orders that are compared, and whether each is a first complaint that was solved for good.

    Beside each of these, five orders drawn among all before a first complaint: who buys much has many orders among both,
    and who complains later counts as one of those for whom nothing had gone wrong until then.
    """
    truth, events = brand.truth, brand.case_events
    people, times, buyer = len(truth.traits), brand.orders["time"], truth.orders.person
    code = {name: i for i, name in enumerate(brand.complaints["case_id"].tolist())}
    case = np.array([code[c] for c in events["case_id"].tolist()], np.int64)
    solved = np.zeros(len(code), np.int64)
    np.add.at(solved, case, np.where(events["event"] == "solved", 1, np.where(events["event"] == "reopened", -1, 0)))
    first = np.full(people, -1, np.int64)
    latest_first = np.argsort(times[truth.complaints.order], kind="stable")[::-1]
    first[truth.complaints.person[latest_first]] = latest_first
    failed = np.flatnonzero(first >= 0)
    good = first[failed][solved[first[failed]] >= 1]
    begin = np.full(people, np.datetime64("2262-01-01"), times.dtype)
    begin[failed] = times[truth.complaints.order[first[failed]]]
    drawn = np.random.default_rng(1).permutation(np.flatnonzero(times < begin[buyer]))[: BESIDE * len(good)]
    order = np.concatenate((truth.complaints.order[good], drawn))
    return order, np.arange(len(order)) < len(good)
