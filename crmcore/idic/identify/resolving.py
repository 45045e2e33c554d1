"""Resolve: read, normalise, link, and put the answer together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.errors import MissingColumn, UnknownName
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.people import People
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.survivorship import SurvivorshipPlan
from crmcore.linkage.constraints import Constraints
from crmcore.linkage.linking import Care, link
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Records
from crmcore.tables import RecordTable

__all__ = ["Rules", "resolve"]


def _pairs(given: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(a), str(b)) for a, b in given)


def _words(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class Rules:
    """What people decided, by record id and field name: it holds in every run and is plain data.

    Attributes
    ----------
    must_link, must_not_link : pairs of record ids ("source:id")
        Decisions about two records; they hold through others.
    one_to_one : source names
        Sources without duplicates: a customer has at most one record there.
    max_values : field -> k
        At most k distinct values in one profile (`{"identifier": 1}`).
    max_profiles : field -> m
        A value shared by more than m profiles identifies nobody and is left out of the evidence.
    blocked_values : kind -> values
        Values that belong to nobody, such as the shop's own telephone.

    Examples
    --------
    >>> Rules(must_not_link=[("web:1", "web:2")], max_values={"identifier": 1}).max_values
    {'identifier': 1}
    """

    must_link: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    must_not_link: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    one_to_one: tuple[str, ...] = attrs.field(default=(), converter=_words)
    max_values: Mapping[str, int] = attrs.field(factory=dict)
    max_profiles: Mapping[str, int] = attrs.field(factory=dict)
    blocked_values: Mapping[str, Collection[str]] = attrs.field(factory=dict)

    def bind(self, records: Records) -> Constraints | None:
        """Translate to row numbers; decisions about records that are not here wait for them.

        Raises
        ------
        UnknownName
            A source that no record has.
        MissingColumn
            A field that the records lack.
        """
        if not (self.must_link or self.must_not_link or self.one_to_one or self.max_values):
            return None
        row = {str(r): i for i, r in enumerate(records.ids)}
        for source in self.one_to_one:
            if source not in records.sources:
                raise UnknownName("source", source, records.sources)
        held = {c.name: c for c in records.columns}
        for name in self.max_values:
            if name not in held:
                raise MissingColumn(name, tuple(held), "the records")
        return Constraints(
            must_link=_rows(self.must_link, row),
            must_not_link=_rows(self.must_not_link, row),
            source=records.source,
            one_to_one=[records.sources.index(s) for s in self.one_to_one],
            max_values={name: (held[name].codes, most) for name, most in self.max_values.items()},
        )


def _rows(pairs: Sequence[tuple[str, str]], row: Mapping[str, int]) -> NDArray[np.int64]:
    known = [(row[a], row[b]) for a, b in pairs if a in row and b in row]
    return np.array(known, np.int64).reshape(-1, 2)


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
