"""The chapter of touchpoints: how visitors wander, where they drop out, what conversions are owed to, what to mend."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore.charts.chart import written
from crmcore.flows.page import Block, Figure, Heading, KeyFigure, Table, Text
from crmcore.flows.sections.chapter import TODAY, Chapter, Check, Part, said
from crmcore.graphs import AbsorbingChain
from crmcore.metrics import Counts
from crmcore.tables import EventTable
from crmcore.touchpoints.attribution import PathReading, attribute, compare_models, read_paths
from crmcore.touchpoints.journeys import Journeys, follows, funnel, journeys, state_loops
from crmcore.touchpoints.quality import importance_performance

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.idic.identify.people import People

__all__ = ["wander"]

NOW = TODAY.astype("datetime64[s]").item().replace(tzinfo=UTC)
LOOKBACK_DAYS = 365.0
MODELS = ("first", "last", "linear", "markov")


def wander(brand: Brand, people: People) -> Chapter:
    """Follow the visitors of a brand, and say which touchpoint deserves the next money.

    Parameters
    ----------
    brand : Brand
        Sessions, and the walk behind them.
    people : People
        Not needed here: a visit is known by its cookie.

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> from crmcore.idic import identify
    >>> brand = simulate_brand(300, seed=1)
    >>> found = wander(brand, identify.resolve(dict(brand.sources)))
    >>> [figure.label for figure in found.section().key]
    ['Wander on', 'Look, then compare', 'Most credited', 'First to mend']
    """
    s = brand.sessions
    walks = journeys(
        {"session": s["session_id"], "step": s["state"], "time": s["time"].astype("datetime64[us]")},
        grain="session",
        zone="UTC",
    )
    paths = _paths(brand)
    lead = (
        "Customers do not walk down a funnel: they look, compare, go back and come again. Credit is shared among what they "
        "touched by rules that say what they take for granted."
    )
    return Chapter(
        "How they wander", lead, (_loops(brand, walks), _funnel(brand, walks), _credit(brand, paths), _mend(brand))
    )


def _chain(brand: Brand) -> AbsorbingChain:
    """The planted walk; visitors from an e-mail take more steps into a purchase and are as likely to go on."""
    states, steps = brand.truth.walk
    table = np.array(steps)
    return AbsorbingChain(
        transient=states[:3], absorbing=states[3:], inner=table[:, :3], outer=table[:, 3:], start=[1.0, 0.0, 0.0]
    )


def _mixed(brand: Brand, share: float) -> float:
    """A chance of a purchase over all visits, some of which come from an e-mail."""
    s = brand.sessions
    _, first = np.unique(s["session_id"], return_index=True)
    mailed = float((s["touchpoint"][first] == "e-mail").mean())
    return share * (1 + mailed * (brand.truth.planted.email_lift - 1))


def _loops(brand: Brand, walks: Journeys) -> Part:
    """The map of a visit, and how often one comes back to comparing."""
    found = state_loops(walks, goal="purchase")
    first = found.rounds[0]
    row = brand.truth.walk[1][1]
    on = (row[0] + row[2]) / (1 - row[1])  # the next other state is no end
    check = Check("wander on after the first evaluating", first.wander, on)
    blocks: list[Block] = [
        Heading("How do visits go?"),
        Figure(
            follows(walks).chart(), "States of a visit and the steps between them; numbers are how often a step was taken.",
            "orange arrows lead back. Nothing forces a visit to begin or end anywhere: a purchase may come after any of them.",
        ),
        Text(f"Of the visits that evaluate, {said(first.wander)} wander on, back to exploring or into evaluating again; {said(first.buy)} buy at once and {said(first.leave)} leave."),
    ]  # fmt: skip
    detail = f"{said(first.wander)} of visits that evaluate neither buy nor leave then"
    return Part(blocks, KeyFigure("Wander on", written(first.wander.value, percent=True), detail), [check])


def _funnel(brand: Brand, walks: Journeys) -> Part:
    """From looking to comparing to buying."""
    found = funnel(walks, ["explore", "evaluate", "purchase"])
    chain = _chain(brand)
    reach, buy = found.steps[1].conversion, found.steps[2].conversion
    assert reach is not None
    assert buy is not None
    step = table_share(brand)
    checks = [
        Check("explore, then evaluate", reach, step),
        Check("evaluate, then purchase", buy, _mixed(brand, chain.ends("evaluate")["purchase"])),
    ]
    blocks: list[Block] = [
        Heading("Where do they drop out?"),
        Figure(
            found.chart(), "Visits that get as far, in this order, with anything in between.",
            "shares are of all visits that entered, with 95% intervals. Going back is no dropping out.",
        ),
    ]  # fmt: skip
    return Part(blocks, KeyFigure("Look, then compare", written(reach.value, percent=True), f"{said(reach)} of visits that explore"), checks)  # fmt: skip


def table_share(brand: Brand) -> float:
    """Planted chance that a visit that explores ever evaluates."""
    stay, on = brand.truth.walk[1][0][0], brand.truth.walk[1][0][1]
    return on / (1 - stay)


def _paths(brand: Brand) -> PathReading:
    """What each browser touched before each purchase: the touchpoint of every visit, in their order."""
    s = brand.sessions
    order = np.lexsort((s["time"], s["session_id"]))
    session = s["session_id"][order]
    first = order[np.append(True, session[1:] != session[:-1])]
    bought = np.flatnonzero(s["state"] == "purchase")
    rows = np.concatenate([first, bought])
    kind = np.repeat(["visit", "purchase"], [len(first), len(bought)])
    events = EventTable.from_frame(
        {
            "customer": s["visitor_id"][rows], "time": s["time"][rows].astype("datetime64[us]"), "kind": kind,
            "channel": [t if k == "visit" else None for k, t in zip(kind, s["touchpoint"][rows], strict=True)],
        },
        zone="UTC",
    )  # fmt: skip
    return read_paths(events, lookback_days=LOOKBACK_DAYS, now=NOW)


def _credit(brand: Brand, read: PathReading) -> Part:
    """Which touchpoint purchases are owed to, by several models."""
    paths = read.paths
    found = attribute(paths, model="markov")
    table = compare_models(paths, models=MODELS)
    last = table.results[MODELS.index("last")]
    s = brand.sessions
    _, first = np.unique(s["session_id"], return_index=True)
    mailed = float((s["touchpoint"][first] == "e-mail").mean())
    lift = brand.truth.planted.email_lift
    true = mailed * lift / (1 + mailed * (lift - 1)) * last.total
    checks = [Check("purchases owed to \u201ce-mail\u201d, by the last touch", last["e-mail"], true, percent=False)]
    rows = [(c, *(said(r[c], percent=False) for r in table.results)) for c in table.channels]
    best = max(found.channels, key=lambda c: found[c].value)
    blocks: list[Block] = [
        Heading("What are purchases owed to?"),
        Figure(
            table.chart(), "Purchases credited to each touchpoint, by four models.",
            "where the models agree, the choice does not matter. Each bar is the 95% interval of one model, not of the truth: models answer different questions.",
        ),
        Table(("touchpoint", *MODELS), rows, f"Credited purchases of {found.total:,.0f}, with 95% intervals. {read.untouched:,} purchases had no touch within {LOOKBACK_DAYS:g} days."),
        Text("Here a purchase depends on nothing but the touchpoint of its own visit, so the last touch is right, and the others spread its credit. With real data nobody knows: a hold-out does."),
    ]  # fmt: skip
    return Part(blocks, KeyFigure("Most credited", best, f"{said(found[best], percent=False)} purchases by removal from a Markov chain"), checks)  # fmt: skip


def _mend(brand: Brand) -> Part:
    """Touchpoints by how many visits they bring and how many of these buy."""
    s = brand.sessions
    _, first, session = np.unique(s["session_id"], return_index=True, return_inverse=True)
    bought = np.bincount(session, s["state"] == "purchase", minlength=len(first)) > 0
    touch: NDArray[np.object_] = s["touchpoint"][first]
    names = sorted(set(touch.tolist()))
    reach = {
        n: Counts(int((touch == n).sum()), len(touch)).estimate(rule="visits / all visits", small_sample_ok=True)
        for n in names
    }
    sells = {
        n: Counts(int(bought[touch == n].sum()), int((touch == n).sum())).estimate(
            rule="visits that buy / visits", small_sample_ok=True
        )
        for n in names
    }
    found = importance_performance(reach, sells)
    to_mend = found.rows[0]
    blocks: list[Block] = [
        Heading("Which touchpoint first?"),
        Figure(
            found.chart(), "Touchpoints by the visits that they bring (importance) and the share of these that buy (performance).",
            "top left brings many and sells little: mend it first. Crosses are 95% intervals; where one crosses a line, the field is unsure.",
        ),
    ]  # fmt: skip
    return Part(blocks, KeyFigure("First to mend", to_mend.touchpoint, f"{written(reach[to_mend.touchpoint].value, percent=True)} of visits, {said(sells[to_mend.touchpoint])} buy"))  # fmt: skip
