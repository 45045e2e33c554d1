"""Resolve: read, normalise, link, and put the answer together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmcore._base import Progress, reporter
from crmcore.idic.identify.linkage_rules import Rules
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.people import People
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.survivorship import SurvivorshipPlan
from crmcore.linkage.care import Care
from crmcore.linkage.linking import link
from crmcore.linkage.model import LinkageModel
from crmcore.tables import RecordTable

__all__ = ["resolve"]


def resolve(
    sources: Any,
    *,
    schema: Schema | None = None,
    model: LinkageModel | None = None,
    rules: Rules | None = None,
    care: Care | str = Care.BALANCED,
    survivorship: SurvivorshipPlan | None = None,
    previous: Mapping[str, str] | None = None,
    default_region: str | None = None,
    budget: float | None = None,
    seed: int = 0,
    progress: Progress | bool = False,
) -> People:
    """Find out which records of which sources are one customer, and build each customer's profile.

    Parameters
    ----------
    sources : frames, lists of dicts, paths, or a mapping of name -> any of these; or a RecordTable
        See `read`. Give names, and records are called "name:id" everywhere.
    schema : Schema
        What each column means; inferred where None.
    model : LinkageModel
        Use this one; fitted on the records where None.
    rules : Rules
        Decisions, limits and blocked values.
    care : "eager", "balanced" or "careful"
        How much evidence a merge needs.
    survivorship : SurvivorshipPlan
        How golden values are chosen.
    previous : record id -> customer id
        `people.profiles.assignments()` of an earlier run: customers keep their ids.
    default_region : ISO 3166 code
        Region of local telephone numbers; guessed per source where None.
    budget : candidate pairs a record; by default 10, more where records are few
    seed : of the samples that blocking and fitting draw
    progress : callable or bool

    Returns
    -------
    People

    Raises
    ------
    EmptyInput, MissingColumn, DuplicateIds, BadRows
        As the readers say; everything wrong is named at once.

    Examples
    --------
    >>> members = [{"member_no": "M1", "name": "Somchai Jaidee", "phone": "081-234-5678"}]
    >>> orders = [{"order_no": "O9", "ship_name": "S. Jaidee", "ship_phone": "+66812345678"}]
    >>> people = resolve({"members": members, "orders": orders})
    >>> len(people.table)
    2
    """
    report = reporter(progress)
    held = rules or Rules()
    report("read", 0, 1)
    table = sources if isinstance(sources, RecordTable) else read(sources, schema)
    bound = (schema or Schema.infer()).bind(table)
    report("read", 1, 1)
    report("normalise", 0, 1)
    records, preparation = prepare(
        table, bound, default_region=default_region, blocked_values=held.blocked_values or None
    )
    report("normalise", 1, 1)
    linkage = link(
        records,
        model=model,
        constraints=held.bind(records),
        max_entities=held.max_profiles or None,
        care=care,
        budget=budget,
        seed=seed,
        progress=report,
    )
    return People(
        table=table,
        schema=bound,
        preparation=preparation,
        linkage=linkage,
        rules=held,
        survivorship=survivorship,
        previous=dict(previous or {}),
    )
