"""One record of a customer's value: RFM, rung, P(alive), CLV with interval, needs class, drivers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, mask, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document, from_dict
from crmcore.errors import DuplicateIds, OutOfRange, UnknownName
from crmcore.metrics.columns import numbers, refuse

__all__ = ["CustomerValue", "CustomerValues", "customer_values"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class CustomerValue(Document):
    """What is known of one customer; None is missing."""

    customer: str = attrs.field(repr=mask)
    rfm: str | None = None
    rung: str | None = None
    p_alive: float | None = None
    clv: float | None = None
    clv_low: float | None = None
    clv_high: float | None = None
    needs: str | None = None
    drivers: tuple[str, ...] = ()

    def __str__(self) -> str:
        worth = None
        if self.clv is not None:
            span = ""
            if self.clv_low is not None and self.clv_high is not None:
                span = f" [{number_text(self.clv_low)}, {number_text(self.clv_high)}]"
            worth = number_text(self.clv) + span
        alive = None if self.p_alive is None else f"{self.p_alive:.0%}"
        facts = {"RFM": self.rfm, "rung": self.rung, "P(alive)": alive, "CLV": worth, "needs": self.needs}
        lines = [f"{name:8}  {'missing' if v is None else v}" for name, v in facts.items()]
        why = [f"because   {'; '.join(self.drivers)}"] if self.drivers else []
        return "\n".join([f"customer {mask(self.customer)}", *lines, *why])

    def _repr_html_(self) -> str:
        head, *lines = str(self).splitlines()
        return html_table([{"fact": x[:8].strip(), "value": x[10:]} for x in lines], caption=head)


@attrs.frozen(eq=False, kw_only=True, repr=False)
class CustomerValues:
    """Value records of n customers: `table["c1"]` or `table[0]` is one of them; columns not given are missing."""

    customers: tuple[str, ...]
    rfm: tuple[str | None, ...]
    rung: tuple[str | None, ...]
    p_alive: Floats
    clv: Floats
    clv_low: Floats
    clv_high: Floats
    needs: tuple[str | None, ...]
    drivers: tuple[tuple[str, ...], ...]
    _place: Mapping[str, int] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_place", {c: i for i, c in enumerate(self.customers)})

    def __len__(self) -> int:
        return len(self.customers)

    def __getitem__(self, which: int | str) -> CustomerValue:
        if isinstance(which, str):
            if which not in self._place:
                raise UnknownName("customer", mask(which), ())
            which = self._place[which]
        i = which
        known = {k: _known(float(getattr(self, k)[i])) for k in ("p_alive", "clv", "clv_low", "clv_high")}
        return CustomerValue(
            customer=self.customers[i], rfm=self.rfm[i], rung=self.rung[i], needs=self.needs[i],
            drivers=self.drivers[i], **known,
        )  # fmt: skip

    def explain(self, which: int | str, /) -> str:
        """One sentence about a customer: worth, how sure, and why; what is missing is not spoken of.

        Examples
        --------
        >>> found = customer_values(["ann"], rung=["buyer"], p_alive=[0.8], clv=([90], [50], [140]))
        >>> found.explain("ann")
        'Customer a••• is worth 90 (50 to 140), more than 0 % of customers, is still there with a chance of 80 %, stands on the rung "buyer".'
        """  # noqa: E501
        one = self[which]
        said = []
        if one.clv is not None:
            ends = ""
            if one.clv_low is not None and one.clv_high is not None:
                ends = f" ({number_text(one.clv_low)} to {number_text(one.clv_high)})"
            others = self.clv[~np.isnan(self.clv)]
            below = float((others < one.clv).mean())
            said.append(f"is worth {number_text(one.clv)}{ends}, more than {below:.0%} of customers".replace("%", " %"))
        if one.p_alive is not None:
            said.append(f"is still there with a chance of {100 * one.p_alive:.0f} %")
        for template, fact in (
            ('stands on the rung "{}"', one.rung), ('is "{}" by RFM', one.rfm),
            ('belongs to the needs class "{}"', one.needs),
        ):  # fmt: skip
            said += [template.format(fact)] if fact is not None else []
        why = f" because {'; '.join(one.drivers)}" if one.drivers else ""
        return f"Customer {mask(one.customer)} {', '.join(said) or 'is not known yet'}{why}."

    @classmethod
    def from_dict(cls, document: object, /) -> CustomerValues:
        """Read what `to_dict` wrote.

        Raises
        ------
        BadDocument
            Records that are no `CustomerValue`, by their place; a customer twice.
        """
        read = from_dict(_Records, document).records
        return customer_values(
            [r.customer for r in read], rfm=[r.rfm for r in read], rung=[r.rung for r in read],
            needs=[r.needs for r in read], p_alive=_column(r.p_alive for r in read),
            clv=(_column(r.clv for r in read), _column(r.clv_low for r in read), _column(r.clv_high for r in read)),
            drivers={r.customer: r.drivers for r in read if r.drivers},
        )  # fmt: skip

    def known(self) -> dict[str, int]:
        """How many customers each column is known of."""
        words = {k: sum(v is not None for v in getattr(self, k)) for k in ("rfm", "rung", "needs")}
        return words | {k: int((~np.isnan(getattr(self, k))).sum()) for k in ("p_alive", "clv")}

    def __str__(self) -> str:
        return f"{len(self):,} customers; known: {', '.join(f'{k} {n:,}' for k, n in self.known().items())}"

    def __repr__(self) -> str:
        return f"CustomerValues({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer; drivers joined by "; "."""
        names = ("rfm", "rung", "p_alive", "clv", "clv_low", "clv_high", "needs")
        columns: dict[str, Any] = {name: getattr(self, name) for name in names}
        drivers = ["; ".join(d) or None for d in self.drivers]
        return write_frame({"customer": list(self.customers), **columns, "drivers": drivers}, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: a list of records."""
        return {"records": [self[i].to_dict() for i in range(len(self))]}

    def _repr_html_(self) -> str:
        return html_table([self.known()], caption=f"{len(self):,} customers, known")


@attrs.frozen
class _Records:
    """The table as it lies in JSON."""

    records: tuple[CustomerValue, ...]


def _column(cells: Iterable[float | None]) -> Floats:
    return np.array([math.nan if c is None else c for c in cells], np.float64)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def customer_values(
    customers: Sequence[str], *, rfm: Sequence[str | None] | None = None, rung: Sequence[str | None] | None = None,
    p_alive: ArrayLike | None = None, clv: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    needs: Sequence[str | None] | None = None, drivers: Mapping[str, Sequence[str]] | None = None,
) -> CustomerValues:  # fmt: skip
    """Join what other parts found about the same customers; every column may be absent, and missing stays missing.

    Parameters
    ----------
    customers : (n,) ids
        Distinct.
    rfm, rung, needs : (n,) words, optional
    p_alive : (n,) probabilities, optional
    clv : value, low, high, each (n,) in one unit, optional
    drivers : customer to sentences, optional

    Examples
    --------
    >>> found = customer_values(["ann", "bob"], rung=["buyer", None], clv=([90, None], [50, None], [140, None]))
    >>> print(found["ann"])
    customer a•••
    RFM       missing
    rung      buyer
    P(alive)  missing
    CLV       90 [50, 140]
    needs     missing
    """
    ids, n = tuple(customers), len(customers)
    if len(set(ids)) < n:
        seen: set[str] = set()
        again = tuple(i for i, c in enumerate(ids) if c in seen or seen.add(c))  # type: ignore[func-returns-value]
        raise DuplicateIds("customers", len(again), again, "pass each customer once")
    empty = np.full(n, np.nan)
    read = {"p_alive": empty if p_alive is None else numbers("p_alive", p_alive)}
    for i, name in enumerate(("clv", "clv_low", "clv_high")):
        read[name] = empty if clv is None else numbers(name, clv[i])
    words = {k: tuple(v) if v is not None else (None,) * n for k, v in (("rfm", rfm), ("rung", rung), ("needs", needs))}
    for name, column in {**read, **words}.items():
        if len(column) != n:
            raise OutOfRange(name, f"{len(column)} entries", f"{n}, as customers", "row i is one customer")
    odd, turned = (read["p_alive"] < 0) | (read["p_alive"] > 1), read["clv_low"] > read["clv_high"]
    refuse(
        "the values", "shares from 0 to 1, low ends below high ends", p_alive=(odd, "no share"), clv=(turned, "turned")
    )
    why = drivers or {}
    known = set(ids)
    strange = [i for i, c in enumerate(why) if c not in known]
    if strange:
        raise OutOfRange("drivers", f"{len(strange)} unknown customers", "customers of the table", "drop them")
    told = tuple(tuple(why.get(c, ())) for c in ids)
    return CustomerValues(customers=ids, drivers=told, **read, **words)  # type: ignore[arg-type]
