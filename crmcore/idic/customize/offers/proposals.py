"""The next best offer: who gets which, who is held out, who explores, and why the others get nothing."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, listed, mask, number_text
from crmcore._frames import write_frame
from crmcore.choice import Explorer, Quota, Uniform, allocate, drawn, draws_of
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, DuplicateIds, MissingColumn, OutOfRange, UnknownName, WrongType
from crmcore.metrics import Comparison, compare
from crmcore.metrics.means import Moments
from crmcore.rules import FactTable, Rule

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["OfferPlan", "Proposal", "Sent", "Why", "propose"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
NOTHING_FITS = "no eligible item"


@attrs.frozen(kw_only=True)
class Proposal:
    """Something that may be offered, and to whom.

    Attributes
    ----------
    offer_id : text
    margin_minor, cost_minor : minor units of one currency
        What an acceptance brings before, and what sending costs.
    when : rule over the facts of a customer, optional
    items : item to rule over the facts of a customer, optional
        The first item whose rule holds is sent; where none does, the offer is not: "no eligible item".
    stock : count, optional
        How many may be sent.
    """

    offer_id: str
    margin_minor: int
    cost_minor: int = 0
    when: Rule | None = None
    items: Mapping[str, Rule] = attrs.Factory(dict)
    stock: int | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("cost_minor", "stock"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 0):
                raise OutOfRange(name, value, "a whole number from 0", "minor units, such as 250 for 2.50")
        if type(self.margin_minor) is not int:
            kind = f"a {type(self.margin_minor).__name__}"
            raise WrongType("margin_minor", kind, "whole minor units", "250 for 2.50")


class Why(enum.StrEnum):
    """Why a customer has an offer, or none."""

    BEST = "best value"
    EXPLORED = "explored"
    HELD_OUT = "held out"
    NOT_ELIGIBLE = "not eligible"
    DOES_NOT_PAY = "does not pay"
    LIMITS = "limits"


@attrs.frozen(kw_only=True)
class Sent(Document):
    """What one customer gets.

    Attributes
    ----------
    customer : id, masked for eyes
    offer, item : ids, or None
    why : the kind of reason
    value_minor : expected extra margin less the cost of sending, in minor units
    propensity : probability of this offer where it was drawn at random, else None
    trace : what was looked at, offer by offer
    """

    customer: str = attrs.field(repr=mask)
    offer: str | None
    item: str | None
    why: Why
    value_minor: float
    propensity: float | None
    trace: tuple[str, ...]

    def __str__(self) -> str:
        got = self.offer or "nothing"
        item = f" ({self.item})" if self.item else ""
        return "\n".join([f"{mask(self.customer)}: {got}{item}, {self.why}", *(f"  {line}" for line in self.trace)])


@attrs.frozen(eq=False, repr=False, kw_only=True)
class OfferPlan:
    """Who gets what; read one customer with `plan["c7"]`.

    Attributes
    ----------
    customers, offers : ids
    offer : (n,) code of what is sent, -1 for nothing
    why : (n,) kinds of reasons
    propensity : (n,) of explored offers, NaN elsewhere
    chances : (n, offers) by which explored offers were drawn, NaN elsewhere
    held_out : (n,) who is kept without any offer, to measure against
    value : (n, offers) expected extra margin less the cost of sending, minor units
    refused : (n, offers) reasons, empty where eligible
    items : (n, offers) item that would be sent, None without
    bound : value that no plan within the limits exceeds
    """

    customers: tuple[str, ...]
    offers: tuple[str, ...]
    offer: NDArray[np.intp]
    why: tuple[Why, ...]
    propensity: Floats
    chances: Floats
    held_out: Bools
    value: Floats
    refused: NDArray[np.object_]
    items: NDArray[np.object_]
    bound: float

    def __len__(self) -> int:
        return len(self.customers)

    def __repr__(self) -> str:
        return (
            f"OfferPlan({int((self.offer >= 0).sum())} sent to {len(self)} customers, value {number_text(self.total)})"
        )

    def __str__(self) -> str:
        counts = {why: self.why.count(why) for why in Why if why in self.why}
        return f"{self!r}: " + ", ".join(f"{n} {why}" for why, n in counts.items())

    @property
    def total(self) -> float:
        """Expected value of what is sent, minor units."""
        sent = np.flatnonzero(self.offer >= 0)
        return float(self.value[sent, self.offer[sent]].sum())

    def __getitem__(self, customer: str) -> Sent:
        if customer not in self.customers:
            raise UnknownName("customer (masked)", mask(customer), ("a customer of this plan",))
        return self._read(self.customers.index(customer))

    def _read(self, r: int) -> Sent:
        o = int(self.offer[r])
        trace = tuple(f"{name}: {self.refused[r, k] or self._told(r, k)}" for k, name in enumerate(self.offers))
        drawn = float(self.propensity[r])
        return Sent(
            customer=self.customers[r], offer=self.offers[o] if o >= 0 else None,
            item=self.items[r, o] if o >= 0 else None, why=self.why[r],
            value_minor=float(self.value[r, o]) if o >= 0 else 0.0,
            propensity=None if np.isnan(drawn) else drawn, trace=trace,
        )  # fmt: skip

    def _told(self, r: int, k: int) -> str:
        told = f"expected {self.value[r, k]:+,.0f}"
        chance = float(self.chances[r, k])
        return told if np.isnan(chance) else f"{told}, drawn with chance {chance:.1%}"

    def measure(self, outcome: ArrayLike, /, *, level: float = 0.95) -> Comparison:
        """What the offers brought: mean outcome of those who could get one less that of the held out (Welch).

        Parameters
        ----------
        outcome : (n,) numbers
            Margin or acceptance of each customer afterwards, held out or not, in the order of `customers`.
        """
        values = np.asarray(outcome, np.float64)
        if values.shape != (len(self),):
            raise OutOfRange("outcome", values.shape, f"({len(self)},), as customers", "0 for who did nothing")
        kept, treated = values[self.held_out], values[~self.held_out]
        return compare(Moments.of(treated), Moments.of(kept), level=level)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer, offer, item, why, value_minor, propensity."""
        rows = [self._read(r) for r in range(len(self))]
        names = ("customer", "offer", "item", "why", "value_minor", "propensity")
        columns = {n: [getattr(row, n) for row in rows] for n in names}
        columns["why"] = [str(w) for w in columns["why"]]
        return write_frame(columns, backend=backend)

    def chart(self) -> Chart:
        """How often each offer is sent."""
        from crmcore.charts import bar

        counts = [float((self.offer == k).sum()) for k in range(len(self.offers))]
        return bar(list(self.offers), counts, title="Offers sent", description=str(self), axis="customers")

    def _repr_html_(self) -> str:
        rows = [{"offer": name, "sent": int((self.offer == k).sum())} for k, name in enumerate(self.offers)]
        return html_table(rows, caption=str(self))


def propose(
    facts: FactTable,
    proposals: Sequence[Proposal],
    lift: Mapping[str, ArrayLike],
    /,
    *,
    now: datetime,
    seed: int,
    budget_minor: int | None = None,
    hold_out: float = 0.05,
    explore: float = 0.0,
    explorer: Explorer | str = "uniform",
    context: ArrayLike | None = None,
    capped: ArrayLike | None = None,
    gap: float = 0.0,
) -> OfferPlan:
    """Choose at most one offer a customer: the most expected extra margin within stock, budget and contact caps.

    Some customers are held out at random, so that the effect can be measured; some get an eligible offer drawn at
    random with its propensity logged, so that other policies can be valued from the log (`policy_value`). The rest is
    the optimum of a 0/1 program (`choice.allocate`).

    Parameters
    ----------
    facts : table of customers
        What the rules ask for; a fact that is unknown opens nothing.
    proposals : offers
    lift : offer to (n,) shares
        Extra probability to buy because of the offer (uplift), for each customer in the order of `facts`; not the
        probability to buy, or offers go to those who buy anyway.
    now, seed
        Instant of the rules; of hold-out and exploration, whose draws belong to a customer: one seed keeps its groups
        from plan to plan, whoever else is in the table.
    budget_minor : minor units, optional
        For the costs of sending, of explored offers too.
    hold_out, explore : shares
        Of all customers; and of those not held out.
    explorer : "uniform", or an object such as `choice.Thompson`
        What gives the explored customers their chances. Rewards that it learnt from are acceptances from 0 to 1, which
        count with the margin and cost of each offer; an offer that it does not know yet starts cold.
    context : (n, features) numbers, optional
        Of each customer in the order of `facts`, for an explorer that looks at them.
    capped : (n,) truths, optional
        Who may not be contacted now, such as by a contact policy.
    gap : share
        How far the value may be below the best one, where limits bind: 0 proves the optimum, which takes long for many
        customers; 0.0001 is found in an instant.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.rules import FactTable, Rule, field
    >>> from crmcore.tables import CustomerIndex
    >>> people = FactTable(CustomerIndex.of(["ann", "bob"]), {"home": ["TPA", "JFK"]})
    >>> fare = Proposal(offer_id="fare from $39", margin_minor=900, items={
    ...     a: Rule(f"lives near {a}", field("home") == a) for a in ("MCO", "JFK")})
    >>> now = datetime(2026, 6, 1, tzinfo=UTC)
    >>> plan = propose(people, [fare], {"fare from $39": [0.1, 0.1]}, now=now, seed=1, hold_out=0)
    >>> print(plan["bob"].item, "|", plan["ann"].trace[0])
    JFK | fare from $39: no eligible item
    """
    offers = listed(proposals, "proposals", Proposal, what="proposals", hint="pass [Proposal(...)]")
    names = tuple(p.offer_id for p in offers)
    if len(set(names)) < len(names):
        raise DuplicateIds("proposals", len(names) - len(set(names)), (), "give each offer its own id")
    for name, share in (("hold_out", hold_out), ("explore", explore), ("gap", gap)):
        if not 0 <= share < 1:
            raise OutOfRange(name, share, "a share from 0, below 1", "0.05 is usual; of a gap 0.0001")
    ids = facts.customers.ids
    n = len(ids)
    value = _values(offers, lift, n)
    refused, items = _eligible(facts, offers, now)
    if capped is not None:
        refused[np.asarray(capped, np.bool_)] = "contact cap"
    held = draws_of(ids, seed=seed, name="hold-out") < hold_out
    open_ = (refused == "") & ~held[:, None]
    offer = np.full(n, -1, np.intp)
    stock = [p.stock if p.stock is not None else n for p in offers]
    left = sum(p.cost_minor for p in offers) * n if budget_minor is None else budget_minor
    turn = draws_of(ids, seed=seed, name="explore")
    which = draws_of(ids, seed=seed, name="which offer")
    explored = (turn < explore) & open_.any(1)
    order = np.array(sorted(np.flatnonzero(explored).tolist(), key=lambda r: (turn[r], ids[r])), np.intp)
    chances = np.full(open_.shape, np.nan)
    left = _explore(_explorer(explorer), order, open_, offers, context, which, offer, chances, stock, left)
    drawn_at = np.where(offer >= 0, np.take_along_axis(chances, np.maximum(offer, 0)[:, None], 1)[:, 0], np.nan)
    pays = open_ & (value > 0) & ~explored[:, None]
    bound = float(value[explored & (offer >= 0), offer[explored & (offer >= 0)]].sum())
    bound += _arbitrate(offer, pays, value, offers, ids, stock, left, gap)
    return OfferPlan(
        customers=ids, offers=names, offer=offer, why=_reasons(offer, held, explored, refused, pays),
        propensity=drawn_at, chances=chances, held_out=held, value=value, refused=refused, items=items, bound=bound,
    )  # fmt: skip


def _explorer(given: Explorer | str) -> Explorer:
    if isinstance(given, str):
        if given != "uniform":
            raise UnknownName("explorer", given, ("uniform",))
        return Uniform()
    if not isinstance(given, Explorer):
        raise WrongType("explorer", f"a {type(given).__name__}", "an Explorer", "such as choice.Thompson(beliefs=...)")
    return given


def _explore(
    explorer: Explorer, order: NDArray[np.intp], open_: Bools, offers: Sequence[Proposal], context: ArrayLike | None,
    draw: Floats, offer: NDArray[np.intp], chances: Floats, stock: list[int], left: int,
) -> int:  # fmt: skip
    """Draw an offer for each customer of `order`, while stock and budget last; the budget that is left.

    Chances are found for all at once, and again for the rest each time an offer has run out.
    """
    names, costs = [p.offer_id for p in offers], [p.cost_minor for p in offers]
    known = None if context is None else np.asarray(context)
    if known is not None and known.shape[:1] != (len(open_),):
        raise OutOfRange("context", known.shape, f"({len(open_)}, features), as the facts", "one row a customer")
    while len(order):
        there = [s > 0 and c <= left for s, c in zip(stock, costs, strict=True)]
        able = open_[order] & np.array(there, np.bool_)
        found = explorer.chances(
            names, able, context=None if known is None else known[order],
            gain=[p.margin_minor for p in offers], cost=costs,
        )  # fmt: skip
        if found.shape != able.shape or (found[~able] != 0).any():
            allowed = f"{able.shape}, 0 where an offer may not be"
            raise OutOfRange("chances", found.shape, allowed, "see choice.Explorer")
        done = 0
        for r, row, k in zip(order.tolist(), found, drawn(found, draw[order]).tolist(), strict=True):
            done += 1
            if k >= 0:
                offer[r], chances[r] = k, row
                stock[k] -= 1
                left -= costs[k]
                if [s > 0 and c <= left for s, c in zip(stock, costs, strict=True)] != there:
                    break
        order = order[done:]
    return left


def _values(offers: Sequence[Proposal], lift: Mapping[str, ArrayLike], n: int) -> Floats:
    """(n, offers) expected extra margin less the cost of sending."""
    out = np.zeros((n, len(offers)))
    for k, p in enumerate(offers):
        if p.offer_id not in lift:
            raise MissingColumn(p.offer_id, tuple(map(str, lift)), "lift")
        share = np.asarray(lift[p.offer_id], np.float64)
        if share.shape != (n,):
            raise OutOfRange(f"lift[{p.offer_id!r}]", share.shape, f"({n},), as the facts", "one share a customer")
        odd = np.flatnonzero(~((share >= -1) & (share <= 1)))
        if len(odd):
            problem = BadRow(f"lift[{p.offer_id!r}]", "no share from -1 to 1", tuple(odd.tolist()))
            raise BadRows("the lifts", (problem,), "write 2 % as 0.02, and 0 where nothing is known")
        out[:, k] = share * p.margin_minor - p.cost_minor
    return out


def _eligible(
    facts: FactTable, offers: Sequence[Proposal], now: datetime
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """(n, offers) reasons why not (empty where eligible), and the item that would be sent."""
    n = len(facts.customers)
    refused = np.full((n, len(offers)), "", object)
    items = np.full((n, len(offers)), None, object)
    for k, p in enumerate(offers):
        if p.items:
            for item, rule in reversed(list(p.items.items())):
                items[rule.mask(facts, now=now).true, k] = item
            refused[[item is None for item in items[:, k]], k] = NOTHING_FITS
        if p.when is not None:
            truth = p.when.mask(facts, now=now)
            refused[truth.unknown, k] = f"unknown whether {p.when.name}"
            refused[truth.false, k] = f"not {p.when.name}"
    return refused, items


def _arbitrate(
    offer: NDArray[np.intp], pays: Bools, value: Floats, offers: Sequence[Proposal], ids: Sequence[str],
    stock: Sequence[int], budget: int, gap: float,
) -> float:  # fmt: skip
    """Fill in the best offers within the limits; the bound of their value."""
    rows, kinds = np.nonzero(pays)
    if not len(rows):
        return 0.0
    best = np.where(pays, value, -np.inf).argmax(1)  # the best of each customer: the optimum, where no limit binds
    able = np.flatnonzero(pays.any(1))
    counts = np.bincount(best[able], minlength=len(offers))
    if all(counts[k] <= stock[k] for k in range(len(offers))) and (
        sum(int(counts[k]) * p.cost_minor for k, p in enumerate(offers)) <= budget
    ):
        offer[able] = best[able]
        return float(value[able, best[able]].sum())
    listed_ids = [f"{r:09d} {k:04d}" for r, k in zip(rows.tolist(), kinds.tolist(), strict=True)]
    used = set(kinds.tolist())
    found = allocate(
        [offers[k].cost_minor for k in kinds.tolist()], value[rows, kinds], budget=budget, ids=listed_ids,
        customers=[ids[r] for r in rows.tolist()], groups=[offers[k].offer_id for k in kinds.tolist()],
        quotas=[Quota(p.offer_id, at_most=stock[k]) for k, p in enumerate(offers) if k in used and stock[k] < len(ids)],
        gap=gap,
    )  # fmt: skip
    for chosen in found.chosen:
        r, k = map(int, chosen.id.split())
        offer[r] = k
    return found.bound


def _reasons(
    offer: NDArray[np.intp], held: Bools, explored: Bools, refused: NDArray[np.object_], pays: Bools
) -> tuple[Why, ...]:
    out = []
    for r in range(len(offer)):
        if held[r]:
            out.append(Why.HELD_OUT)
        elif offer[r] >= 0:
            out.append(Why.EXPLORED if explored[r] else Why.BEST)
        elif (refused[r] != "").all():
            out.append(Why.NOT_ELIGIBLE)
        else:
            out.append(Why.LIMITS if explored[r] or pays[r].any() else Why.DOES_NOT_PAY)
    return tuple(out)
