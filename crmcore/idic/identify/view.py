"""The single customer view: golden profile and facts of every source, past, present and future, as of any time."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import UnknownName, WrongType
from crmcore.idic.identify.facts import Facet, Fact, Facts, instant_us
from crmcore.idic.identify.profile import Profile
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.metrics import Estimate, proportion, share_table

__all__ = [
    "CustomerView",
    "Lifecycle",
    "PartyType",
    "Preference",
    "PreferredChannel",
    "SingleCustomerView",
    "Stage",
    "TimeFacets",
    "preferences",
]


class PartyType(enum.StrEnum):
    """What kind of party a profile is; only customers (and those who may become one) have a customer value."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    PARTNER = "partner"
    EMPLOYEE = "employee"


class Stage(enum.StrEnum):
    """Whether somebody has bought."""

    PROSPECT = "prospect"
    CUSTOMER = "customer"


@attrs.frozen
class Lifecycle:
    """Stage of one party at one time, and since when it is a customer (the time of the first order)."""

    stage: Stage
    customer_since: datetime | None


@attrs.frozen
class Preference:
    """One category and the probability that the next choice falls on it."""

    category: str
    probability: float


@attrs.frozen
class TimeFacets:
    """What a customer did, what is going on now, and what is likely next."""

    past: tuple[Fact, ...]
    present: Fact | None
    future: tuple[Preference, ...]


@attrs.frozen
class PreferredChannel:
    """The channel on which a customer answers most, with the interval of its share, and the shares of all channels."""

    channel: str
    share: Estimate
    shares: Mapping[str, Estimate]


def preferences(
    customer: NDArray[np.int32],
    category: NDArray[np.int32],
    age_days: NDArray[np.float64],
    /,
    *,
    n_customers: int,
    n_categories: int,
    half_life_days: float = 180.0,
    prior: float = 1.0,
) -> NDArray[np.float64]:
    """Probability of each category for each customer's next choice: a Dirichlet estimate with fading evidence.

    p[c, k] = (prior * q[k] + sum of w) / (prior + sum over all k of w), with w = 2 ** (-age / half life) for each past
    choice and q the share of category k among all customers' weighted choices. Somebody without history gets q.

    Parameters
    ----------
    customer : (m,) codes
        -1 is left out.
    category : (m,) codes
        -1 is left out.
    age_days : (m,) days
        From the choice to now; choices of the future (negative) are left out.
    prior : weight
        How many fresh choices the crowd's opinion counts for.

    Returns
    -------
    (n_customers, n_categories) probabilities

    Examples
    --------
    >>> p = preferences(np.array([0, 0], np.int32), np.array([0, 1], np.int32), np.array([0.0, 180.0]),
    ...                 n_customers=1, n_categories=2)
    >>> p.round(3).tolist()
    [[0.667, 0.333]]
    """
    used = (customer >= 0) & (category >= 0) & (age_days >= 0)
    weight = np.exp2(-age_days[used] / half_life_days)
    cell = customer[used].astype(np.int64) * n_categories + category[used]
    seen = np.bincount(cell, weights=weight, minlength=n_customers * n_categories).reshape(n_customers, n_categories)
    total = seen.sum(axis=0)
    crowd = total / total.sum() if total.sum() > 0 else np.full(n_categories, 1.0 / max(n_categories, 1))
    out: NDArray[np.float64] = (prior * crowd + seen) / (prior + seen.sum(axis=1, keepdims=True))
    return out


def _party(kind: PartyType | str) -> PartyType:
    if kind not in tuple(PartyType):
        raise UnknownName("party type", str(kind), tuple(p.value for p in PartyType))
    return PartyType(kind)


def _parties(given: Mapping[str, PartyType | str]) -> dict[str, PartyType]:
    return {who: _party(kind) for who, kind in given.items()}


def _parts(given: Iterable[Facts]) -> tuple[Facts, ...]:
    return tuple(given)


@attrs.frozen(eq=False, repr=False)
class SingleCustomerView:
    """Everything known about every customer of a population: golden profiles beside linked facts.

    Parameters
    ----------
    profiles : ProfileTable
        Who they are.
    facts : sequence of Facts
        From `facts.link`, any number of sources per facet.
    parties : customer id -> PartyType
        Who is not named is a customer (or a prospect).

    Examples
    --------
    >>> from crmcore.idic.identify.facts import link
    >>> from crmcore.tables import RecordTable
    >>> profiles = ProfileTable.build(RecordTable.from_frame([{"email": "ann@example.org"}], source="web"), [0])
    >>> orders = [{"email": "ann@example.org", "time": "2026-01-01T10:00Z", "total": 12}]
    >>> sold = link(profiles, orders, facet="transactions", source="shop", by={"email": "email"})
    >>> view = SingleCustomerView(profiles, [sold])
    >>> {facet.value: len(facts) for facet, facts in view[0].facets.items()}
    {'transactions': 1, 'interactions': 0, 'opinions': 0, 'consents': 0, 'cases': 0}
    """

    profiles: ProfileTable
    facts: tuple[Facts, ...] = attrs.field(default=(), converter=_parts)
    parties: Mapping[str, PartyType] = attrs.field(factory=dict, converter=_parties)

    def __attrs_post_init__(self) -> None:
        for part in self.facts:
            if part.customers is not self.profiles.customers and part.customers.ids != self.profiles.customers.ids:
                raise WrongType(
                    "facts",
                    f"facts of {part.source!r} linked to other profiles",
                    "facts of these profiles",
                    "link them again",
                )
        for who in self.parties:
            self.profiles.code(who)

    def __len__(self) -> int:
        return len(self.profiles)

    def __repr__(self) -> str:
        return (
            f"SingleCustomerView({len(self)} parties, {sum(map(len, self.facts))} facts of {len(self.facts)} sources)"
        )

    def __getitem__(self, which: int | str) -> CustomerView:
        """View of one customer by code or id."""
        return CustomerView(self, self.profiles[which].code)

    def of_record(self, record_id: str) -> CustomerView:
        """View of the customer that a record belongs to."""
        return CustomerView(self, self.profiles.of_record(record_id).code)

    def part(self, facet: Facet | str) -> tuple[Facts, ...]:
        """Facts of one facet, of all sources."""
        if facet not in tuple(Facet):
            raise UnknownName("facet", str(facet), tuple(f.value for f in Facet))
        return tuple(f for f in self.facts if f.facet == facet)

    def as_of(self, time: datetime) -> SingleCustomerView:
        """View as it was at `time`: later facts and records are unknown; ids are the same."""
        then = self.profiles.as_of(time)
        to = then.customers.codes(self.profiles.customers.ids)
        facts = [f.until(time) for f in self.facts]
        moved = [
            attrs.evolve(f, customer=np.append(to, np.int32(-1))[f.customer], customers=then.customers) for f in facts
        ]
        return SingleCustomerView(then, moved, {c: p for c, p in self.parties.items() if c in then.customers})

    def population(self, *kinds: PartyType | str) -> NDArray[np.bool_]:
        """(k,) which profiles are parties of these kinds; none named: customers, who alone have a customer value."""
        wanted = {_party(k) for k in kinds} or {PartyType.CUSTOMER}
        return np.array([self.parties.get(c, PartyType.CUSTOMER) in wanted for c in self.profiles.customers.ids], bool)

    def customer_since(self) -> NDArray[np.datetime64]:
        """(k,) time of the first transaction; NaT for those who have not bought."""
        first = np.full(len(self), np.iinfo(np.int64).max, np.int64)
        for part in self.part(Facet.TRANSACTIONS):
            known = (part.customer >= 0) & ~np.isnat(part.time)
            np.minimum.at(first, part.customer[known], part.time[known].astype("datetime64[us]").astype(np.int64))
        out = first.astype("datetime64[us]")
        out[first == np.iinfo(np.int64).max] = np.datetime64("NaT")
        return out

    def one_row_each(self, measures: Mapping[str, tuple[str, str]], *, backend: Any = None) -> Any:
        """One row per customer: the latest value of each measure and its time, of any sources side by side.

        Parameters
        ----------
        measures : name -> (source, column)
            `{"nps": ("survey", "score"), "sentiment": ("twitter", "sentiment")}`.

        Customers without any of the values are left out. A value of unknown time counts only where there is no other;
        of one time the value whose text is larger counts, so that row order does not matter.
        """
        columns: dict[str, list[object]] = {}
        times: dict[str, NDArray[np.datetime64]] = {}
        seen = np.zeros(len(self), bool)
        for name, (source, column) in measures.items():
            columns[name], times[name] = self._latest(source, column)
            seen |= np.array([v is not None for v in columns[name]], bool)
        rows = np.flatnonzero(seen)
        out: dict[str, Any] = {"customer_id": [self.profiles.customers.ids[i] for i in rows.tolist()]}
        for name, values in columns.items():
            out[name] = [values[i] for i in rows.tolist()]
            out[f"{name} time"] = times[name][rows]
        return write_frame(out, backend=backend)

    def _latest(self, source: str, column: str) -> tuple[list[object], NDArray[np.datetime64]]:
        parts = [f for f in self.facts if f.source == source and column in f.columns]
        if not parts:
            raise UnknownName(
                "measure", f"{source}.{column}", tuple(f"{f.source}.{c}" for f in self.facts for c in f.columns)
            )
        values: list[object] = [None] * len(self)
        times = np.full(len(self), np.datetime64("NaT"), "datetime64[us]")
        rows = [
            (not np.isnat(part.time[i]), part.time[i].astype(np.int64), str(part.columns[column][i]), i, part)
            for part in parts
            for i in np.flatnonzero(part.customer >= 0).tolist()
            if part.columns[column][i] is not None
        ]
        for _, _, _, i, part in sorted(rows, key=lambda row: row[:3]):  # the latest is written last
            who = int(part.customer[i])
            values[who], times[who] = part.columns[column][i], part.time[i]
        return values, times

    def category_preferences(
        self, *, now: datetime, column: str = "category", half_life_days: float = 180.0
    ) -> dict[str, tuple[Preference, ...]]:
        """Ranked categories with probabilities for every customer, from past transactions; see `preferences`."""
        parts = [p for p in self.part(Facet.TRANSACTIONS) if column in p.columns]
        words = sorted({str(c) for p in parts for c in p.columns[column] if c is not None})
        code = {w: i for i, w in enumerate(words)}
        who = np.concatenate([p.customer for p in parts] or [np.zeros(0, np.int32)])
        what = np.array([code[str(c)] if c is not None else -1 for p in parts for c in p.columns[column]], np.int32)
        time = np.concatenate([p.time for p in parts] or [np.zeros(0, "datetime64[us]")])
        micros = instant_us(now).astype(np.int64) - time.astype("datetime64[us]").astype(np.int64)
        age = np.where(np.isnat(time), np.nan, micros / 86_400e6)  # NaN is not >= 0: left out
        share_of = preferences(
            who, what, age, n_customers=len(self), n_categories=len(words), half_life_days=half_life_days
        )
        return {
            c: ranked(dict(zip(words, row.tolist(), strict=True)))
            for c, row in zip(self.profiles.customers.ids, share_of, strict=True)
        }


def ranked(distribution: Mapping[str, float]) -> tuple[Preference, ...]:
    """Preferences by falling probability, ties by name.

    Examples
    --------
    >>> [p.category for p in ranked({"tea": 0.2, "coffee": 0.8})]
    ['coffee', 'tea']
    """
    return tuple(Preference(c, p) for c, p in sorted(distribution.items(), key=lambda item: (-item[1], item[0])))


def _shares(counts: Mapping[str, int], level: float) -> dict[str, Estimate]:
    total, rule = sum(counts.values()), "answered here / answered"
    if len(counts) <= 2:  # the two shares of a pair are one number: Wilson needs no correction
        return {c: proportion(k, total, level=level, rule=rule, small_sample_ok=True) for c, k in counts.items()}
    table = share_table(counts, level=level, small_sample_ok=True)
    return {name: table[name] for name in counts}


@attrs.frozen(eq=False, repr=False)
class CustomerView:
    """One customer: profile and facts, each with source and time."""

    view: SingleCustomerView
    code: int

    @property
    def profile(self) -> Profile:
        """Who it is."""
        return self.view.profiles[self.code]

    @property
    def customer_id(self) -> str:
        """Stable id."""
        return self.profile.customer_id

    @property
    def party(self) -> PartyType:
        """Kind of party."""
        return self.view.parties.get(self.customer_id, PartyType.CUSTOMER)

    @property
    def facets(self) -> dict[Facet, tuple[Fact, ...]]:
        """Facts by facet, in order of time; a facet without facts is empty, not absent."""
        return {facet: self._facts(facet) for facet in Facet}

    def _facts(self, *facets: Facet) -> tuple[Fact, ...]:
        found = [
            (p.time[i], p.source, i, p)
            for p in self.view.facts
            if p.facet in facets
            for i in np.flatnonzero(p.customer == self.code).tolist()
        ]
        found.sort(key=lambda f: (bool(np.isnat(f[0])), f[0], f[1], f[2]))
        return tuple(p[i] for _, _, i, p in found)

    def journey(self) -> tuple[Fact, ...]:
        """Every dated interaction and transaction, over all touchpoints, in order."""
        return tuple(f for f in self._facts(Facet.INTERACTIONS, Facet.TRANSACTIONS) if f.time is not None)

    def time_facets(
        self,
        *,
        now: datetime,
        future: Mapping[str, float] | Sequence[Preference] | None = None,
        open_session: timedelta = timedelta(minutes=30),
    ) -> TimeFacets:
        """Past orders, the step of the session that is open now, and ranked future preferences.

        Parameters
        ----------
        now : aware datetime
            Facts after it are not looked at.
        future : category -> probability, optional
            From a trained model; default `SingleCustomerView.category_preferences` where orders name a category.
        open_session : duration
            A session is open when its last step is no older than this.
        """
        instant_us(now)  # a naive time is refused before it is compared
        past = tuple(f for f in self._facts(Facet.TRANSACTIONS) if f.time is not None and f.time <= now)
        steps = [
            f for f in self._facts(Facet.INTERACTIONS) if f.time is not None and now - open_session <= f.time <= now
        ]
        if future is None:
            next_up = self.view.category_preferences(now=now)[self.customer_id]
        else:
            next_up = ranked(future) if isinstance(future, Mapping) else tuple(future)
        return TimeFacets(past, steps[-1] if steps else None, next_up)

    def lifecycle(self, *, now: datetime) -> Lifecycle:
        """Prospect until the first order, customer from that very instant."""
        instant_us(now)
        first = next((f.time for f in self._facts(Facet.TRANSACTIONS) if f.time is not None), None)
        bought = first is not None and first <= now
        return Lifecycle(Stage.CUSTOMER if bought else Stage.PROSPECT, first if bought else None)

    def preferred_channel(
        self, *, channel: str = "channel", answered: str = "answered", level: float = 0.95
    ) -> PreferredChannel | None:
        """Channel with the most answered messages among all that were answered; ties go to the later answer.

        Interactions whose `answered` cell is true are counted; an interaction without that cell is no message that
        could be answered. None where nothing was answered. With more than two channels the intervals hold together
        (Goodman).
        """
        said = [
            f
            for f in self._facts(Facet.INTERACTIONS)
            if f.values.get(answered) in (True, "true", "yes", 1) and f.values.get(channel)
        ]
        if not said:
            return None
        names = [str(f.values[channel]) for f in said]
        counts = {name: names.count(name) for name in sorted(set(names))}
        latest = {name: i for i, name in enumerate(names)}
        shares = _shares(counts, level)
        best = max(counts, key=lambda name: (counts[name], latest[name]))
        return PreferredChannel(best, shares[best], shares)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(facts)} {facet.value}" for facet, facts in self.facets.items() if facts)
        return f"CustomerView({self.customer_id}, {self.party.value}, {counts or 'no facts'})"

    def _repr_html_(self) -> str:
        rows: list[dict[str, object]] = [
            {
                "facet": facet.value,
                "source": f.source,
                "time": f.time.isoformat(timespec="minutes") if f.time else None,
                "about": ", ".join(f.values),
            }
            for facet, facts in self.facets.items()
            for f in facts
        ]
        return html_table(rows, caption=repr(self))
