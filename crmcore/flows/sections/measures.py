"""The section of measures: what customers say, how long they wait, what campaigns and touchpoints bring, who comes back."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore import charts
from crmcore.calendars import BusinessCalendar
from crmcore.charts.chart import written
from crmcore.flows.page import Block, Figure, Heading, KeyFigure, Note, Table, Text
from crmcore.flows.sections.chapter import TODAY, ZONE, Chapter, Check, Part, customers_of, said
from crmcore.metrics import Counts, compare_many
from crmcore.metrics.comparing import ComparisonTable, p_text
from crmcore.metrics.durations import answered_within, kaplan_meier, retention, waits
from crmcore.metrics.survey import nps, response_bias

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.datasets.columns import Columns
    from crmcore.idic.identify.people import People

__all__ = ["measures"]

WITHIN_HOURS = 4.0
SHOWN_HOURS = 48.0
CURVE_MONTHS = 24


def measures(brand: Brand, people: People) -> Chapter:
    """Measure what a brand's customers say and do.

    Parameters
    ----------
    brand : Brand
        Surveys, sessions, campaigns, complaints and orders, and what is true of them.
    people : People
        Who is who in its records, as `identify.resolve` found it.

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> from crmcore.idic import identify
    >>> brand = simulate_brand(300, seed=1)
    >>> found = measures(brand, identify.resolve(dict(brand.sources)))
    >>> [figure.label for figure in found.section().key]
    ['Net Promoter Score', 'Answered in 4 hours', 'Best campaign', 'Best touchpoint', 'Back after a month']
    """
    lead = (
        "Every number stands with its interval and the count behind it, and cases that are still open are not taken for "
        "closed ones."
    )
    parts = (_recommend(brand), _wait(brand), _campaigns(brand), _touchpoints(brand), _return(brand, people))
    return Chapter("What they say and do", lead, parts)


def _recommend(brand: Brand) -> Part:
    """Net Promoter Score, and what silence does to it."""
    given = brand.surveys
    found = nps(given["nps"], small_sample_ok=True)
    would = brand.truth.surveys.would_say
    everybody = 100 * (float((would >= 9).mean()) - float((would <= 6).mean()))
    row = _of_order(brand)
    bias = response_bias(
        {"channel of the order": brand.orders["channel"][row], "days past the promise": _days_late(brand)[row]},
        ~np.isnan(given["nps"]), values=given["nps"], times=given["answered_at"], scale=(0, 10),
    )  # fmt: skip
    check = Check(
        "Net Promoter Score of all who were invited",
        found.score,
        everybody,
        percent=False,
        why="the unhappy answered less",
    )
    blocks: list[Block] = [
        Heading("Would they recommend us?"),
        Figure(
            found.chart(), "Answers to \u201chow likely are you to recommend us?\u201d, and the score they give.",
            "the score is the share of promoters (9, 10) minus the share of detractors (0 to 6), from \u2212100 to +100; the "
            "interval says how far it could be off by chance alone, not by who stayed silent.",
        ),
        Text(f"Who stayed silent: {bias}"),
    ]  # fmt: skip
    if not check.covered:
        blocks.append(
            Note(
                f"The interval misses the truth, {written(everybody)}: the unhappy answered less often, and nothing that the brand "
                "knows about them shows it. No sample size mends that; only more answers from the silent do."
            )
        )
    detail = f"[{written(found.score.low)}, {written(found.score.high)}], {found.counts.n:,} answers"
    return Part(blocks, KeyFigure("Net Promoter Score", written(found.score.value), detail), [check])


def _of_order(brand: Brand) -> NDArray[np.intp]:
    """Row of the order that each invitation is about."""
    row = {order: i for i, order in enumerate(brand.orders["order_id"].tolist())}
    return np.array([row[o] for o in brand.surveys["order_id"].tolist()], np.intp)


def _days_late(brand: Brand) -> NDArray[np.float64]:
    """(orders,) days from the promised to the real delivery."""
    orders = brand.orders
    took = (orders["delivered_at"] - orders["time"]) / np.timedelta64(1, "D")
    return np.asarray(took - orders["promised_days"], np.float64)


def _wait(brand: Brand) -> Part:
    """Time to the first human response, open cases censored."""
    cases = brand.complaints
    known = cases["opened_at"] <= TODAY
    opened, channel = cases["opened_at"][known], cases["channel"][known]
    hours, answered = waits(opened, _first_response(brand)[known], now=TODAY)
    at_desk = _business_hours(opened, hours)
    share = answered_within(hours, answered, WITHIN_HOURS, small_sample_ok=True)
    curve = kaplan_meier(hours, answered, unit="hours")
    rows: list[tuple[object, ...]] = []
    for name in [*sorted(set(channel.tolist())), "all"]:
        here = (channel == name) | (name == "all")
        within = [
            answered_within(h[here], answered[here], WITHIN_HOURS, small_sample_ok=True) for h in (hours, at_desk)
        ]
        middle = kaplan_meier(hours[here], answered[here], unit="hours").median(small_sample_ok=True)
        rows.append(
            (name, int(here.sum()), int((~answered[here]).sum()), *map(said, within), said(middle, percent=False))
        )
    limit = f"{WITHIN_HOURS:g}"
    headings = ("channel", "cases", "still open", f"in {limit} hours", f"in {limit} desk hours", "median hours")
    blocks: list[Block] = [
        Heading("How long do they wait?"),
        Figure(
            curve.chart(title="Complaints still without a first answer", until=SHOWN_HOURS),
            "Share of complaints that nobody has answered yet, by hours since they came.",
            "read the height of the curve at an hour: so many still wait. Complaints that are open today count for as long as "
            "they have waited, neither as answered nor as missed.",
        ),
        Table(
            headings, rows,
            "First answers by channel, with 95% intervals (Kaplan-Meier). Desk hours are Monday to Friday, 9 to 18 in Bangkok.",
        ),
    ]  # fmt: skip
    detail = f"{said(share)}, {share.n:,} complaints, open ones counted as open"
    return Part(blocks, KeyFigure("Answered in 4 hours", written(share.value, percent=True), detail))


def _business_hours(opened: NDArray[np.datetime64], hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Waits in hours of the desk."""
    desk = BusinessCalendar(ZONE, {"mon-fri": [("09:00", "18:00")]})
    begun = opened.astype("datetime64[us]")
    until = begun + (hours * 3.6e9).astype(np.int64).astype("timedelta64[us]")
    return np.asarray(desk.elapsed_us(begun, until) / 3.6e9, np.float64)


def _first_response(brand: Brand) -> NDArray[np.datetime64]:
    """(cases,) time of the first response; NaT where there is none."""
    ids, events = brand.complaints["case_id"], brand.case_events
    row = {case: i for i, case in enumerate(ids.tolist())}
    first = np.full(len(ids), np.datetime64("NaT"), "datetime64[us]")
    these = events["event"] == "first response"
    first[[row[c] for c in events["case_id"][these].tolist()]] = events["time"][these]
    return first


def _campaigns(brand: Brand) -> Part:
    """What contact added, against the customers who were held out."""
    sent, truth = brand.campaigns, brand.truth.uplift()
    rows: list[tuple[object, ...]] = []
    checks = []
    for name in sorted(truth):
        here = sent["campaign"] == name
        made = _bought(sent, here & (sent["group"] == "contacted")).minus(
            _bought(sent, here & (sent["group"] == "hold-out"))
        )
        shares = [written(e.value, percent=True) for e in (made.first, made.second)]
        rows.append(
            (name, made.first.n, shares[0], made.second.n, shares[1], said(made.difference), p_text(made.p_value))
        )
        checks.append(Check(f"added by \u201c{name}\u201d", made.difference, truth[name]))
    best = max(checks, key=lambda c: c.estimate.value)
    headings = ("campaign", "contacted", "bought", "held out", "bought", "added", "chance?")
    blocks: list[Block] = [
        Heading("What do campaigns add?"),
        Figure(
            charts.dot_interval([str(row[0]) for row in rows], [c.estimate for c in checks], title="Added by contact", description="Share of buyers among the contacted minus the share among the held out", percent=True, reference=0.0),
            "Buyers among the contacted minus buyers among the held out.",
            "an interval that crosses the dashed line leaves open whether the campaign did anything; those who would have bought anyway are in both groups and cancel out.",
        ),
        Table(headings, rows, "Contacted customers beside a random hold-out of the same campaign."),
    ]  # fmt: skip
    detail = f"{best.name.removeprefix('added by ')}: more buyers than without contact"
    return Part(
        blocks, KeyFigure("Best campaign", written(best.estimate.value, percent=True, sign=True), detail), checks
    )


def _bought(sent: Columns, rows: NDArray[np.bool_]) -> Counts:
    return Counts(int(sent["bought"][rows].sum()), int(rows.sum()))


def _touchpoints(brand: Brand) -> Part:
    """Sessions that end in a purchase, by the touchpoint that began them."""
    s = brand.sessions
    _, first, session = np.unique(s["session_id"], return_index=True, return_inverse=True)
    bought = np.bincount(session, s["state"] == "purchase", minlength=len(first)) > 0
    touch = s["touchpoint"][first]
    groups = {
        name: Counts(int(bought[touch == name].sum()), int((touch == name).sum()))
        for name in sorted(set(touch.tolist()))
    }
    shares = {
        name: c.estimate(rule="sessions with a purchase / sessions", small_sample_ok=True) for name, c in groups.items()
    }
    against = compare_many(groups)
    truth = _true_conversion(brand)
    ranked = sorted(groups, key=lambda name: -shares[name].value)
    checks = [Check(f"purchases after \u201c{name}\u201d", shares[name], truth[name == "e-mail"]) for name in ranked]
    blocks: list[Block] = [
        Heading("Which touchpoint leads to a purchase?"),
        Figure(
            charts.dot_interval(ranked, [shares[n] for n in ranked], title="Sessions that end in a purchase", description="By the touchpoint that began the session", percent=True),
            "Share of sessions with a purchase, by the touchpoint that began them.",
            "intervals that overlap may still differ; the sentence below says which do, allowing for how many were compared.",
        ),
        Text(_differs(against)),
    ]  # fmt: skip
    best = ranked[0]
    return Part(
        blocks, KeyFigure("Best touchpoint", best, f"{said(shares[best])} of its sessions end in a purchase"), checks
    )


def _differs(against: ComparisonTable) -> str:
    found = against.found()
    looked = f"Each was compared with all others together, {len(against)} times in all (p-values adjusted by {against.adjustment.title()})"
    if not found:
        return f"{looked}: none differs by more than chance."
    named = ", ".join(f"{name} by {written(against[name].difference.value, percent=True, sign=True)}" for name in found)
    return f"{looked}: {named}; the rest may be chance."


def _true_conversion(brand: Brand) -> tuple[float, float]:
    """Probability that a planted walk ends in a purchase: from other touchpoints, and from an e-mail."""
    states, walk = brand.truth.walk
    steps = np.array(walk)
    inner = np.linalg.inv(np.eye(3) - steps[:, :3])
    base = float((inner @ steps[:, states.index("purchase")])[0])
    return base, base * brand.truth.planted.email_lift


def _return(brand: Brand, people: People) -> Part:
    """Customers who order again, by months since their first order."""
    table = retention(customers_of(people, brand.orders["record_id"]), brand.orders["time"], until=TODAY, zone=ZONE)
    curve = table.curve()[1 : CURVE_MONTHS + 1]
    months = list(range(1, len(curve) + 1))
    blocks: list[Block] = [
        Heading("Do they come back?"),
        Figure(
            charts.line(months, [e.value for e in curve], low=[e.low for e in curve], high=[e.high for e in curve], title="Customers who order again", description="Share with an order in the month, by months since the first", percent=True),
            "Share of customers with an order in a month, by months since the month of their first order.",
            "customers too young for a month are left out of it, rather than counted as lost; the band is the 95% interval of each month.",
        ),
    ]  # fmt: skip
    back = curve[0]
    return Part(
        blocks,
        KeyFigure("Back after a month", written(back.value, percent=True), f"{back.n:,} customers old enough to tell"),
    )
