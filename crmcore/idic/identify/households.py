"""Households: entities of their own that hold whole customers, with ids that stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import UnknownName
from crmcore.idic.identify.ids import assign_ids

__all__ = ["Household", "HouseholdTable"]

Ints = NDArray[np.int64]
_OWN, _OTHER = "h-", "c-"  # ids are made as those of customers are, under their own letter


@attrs.frozen
class Household:
    """People who live together: an id and its customers, in the order of their ids."""

    household_id: str
    customer_ids: tuple[str, ...]
    n_records: int

    def __len__(self) -> int:
        return len(self.customer_ids)


@attrs.frozen(eq=False, repr=False)
class HouseholdTable:
    """Households as columns: every customer is in exactly one, and most households hold one customer.

    Attributes
    ----------
    ids : (k,) household ids
    customers : (c,) customer ids
    household : (c,) position in `ids` of each customer's household
    record_ids : (n,) records
    of_record : (n,) position in `ids` of each record's household
    """

    ids: tuple[str, ...]
    customers: tuple[str, ...]
    household: Ints
    record_ids: NDArray[np.object_]
    of_record: Ints

    @classmethod
    def build(
        cls,
        labels: Ints,
        record_ids: NDArray[np.object_],
        customers: tuple[str, ...],
        customer: NDArray[np.integer[Any]],
        *,
        previous: Mapping[str, str] | None = None,
    ) -> HouseholdTable:
        """Give households their ids.

        Parameters
        ----------
        labels : (n,) household of each record; records of one customer share it
        record_ids : (n,)
        customers : (c,) customer ids
        customer : (n,) position in `customers` of each record's customer
        previous : record id -> household id, `assignments()` of an earlier run: households keep their ids

        Examples
        --------
        >>> names = np.array(["web:1", "web:2", "shop:1"], object)
        >>> table = HouseholdTable.build(np.array([0, 0, 1]), names, ("c-1", "c-2", "c-3"), np.array([0, 1, 2]))
        >>> table, table.of("c-1").customer_ids
        (HouseholdTable(2 households of 3 customers, 1 with several), ('c-1', 'c-2'))
        """
        before = None if not previous else {r: _swapped(h, _OWN, _OTHER) for r, h in previous.items()}
        given = assign_ids(labels, record_ids, before)
        of_customer = np.zeros(len(customers), np.int64)
        of_customer[customer] = given.labels
        ids = tuple(_swapped(i, _OTHER, _OWN) for i in given.ids)
        return cls(ids, customers, of_customer, record_ids, given.labels.astype(np.int64))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sizes(self) -> Ints:
        """(k,) customers of each household."""
        return np.bincount(self.household, minlength=len(self))

    def __str__(self) -> str:
        return f"{len(self)} households of {len(self.customers)} customers, {int((self.sizes > 1).sum())} with several"

    def __repr__(self) -> str:
        return f"HouseholdTable({self})"

    def __getitem__(self, which: int | str) -> Household:
        """Return the household of a position or of a household id.

        Raises
        ------
        UnknownName
            No household has this id.
        """
        if isinstance(which, str):
            if which not in self._code:
                raise UnknownName("household", which, (f"one of {len(self)} household ids",))
            which = self._code[which]
        if not -len(self) <= which < len(self):
            raise IndexError(f"household {which} of {len(self)}")
        at = which % len(self)
        held = sorted(self.customers[c] for c in np.flatnonzero(self.household == at).tolist())
        return Household(self.ids[at], tuple(held), int((self.of_record == at).sum()))

    def __iter__(self) -> Iterator[Household]:
        return map(self.__getitem__, range(len(self)))

    @property
    def _code(self) -> dict[str, int]:
        return {h: i for i, h in enumerate(self.ids)}

    def of(self, customer_id: str) -> Household:
        """Household of a customer.

        Raises
        ------
        UnknownName
            No customer has this id.
        """
        if customer_id not in self.customers:
            raise UnknownName("customer", customer_id, (f"one of {len(self.customers)} customer ids",))
        return self[int(self.household[self.customers.index(customer_id)])]

    def assignments(self) -> dict[str, str]:
        """Record id -> household id: pass it to the next run as `previous`."""
        return {str(r): self.ids[h] for r, h in zip(self.record_ids.tolist(), self.of_record.tolist(), strict=True)}

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per customer: customer id, household id, customers in that household."""
        ids = np.array(self.ids, object)[self.household]
        columns: dict[str, Any] = {
            "customer_id": list(self.customers),
            "household_id": list(ids),
            "customers": self.sizes[self.household],
        }
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        counts = np.bincount(self.sizes)
        rows = [{"customers in household": s, "households": int(counts[s])} for s in np.flatnonzero(counts).tolist()]
        return html_table(rows, caption=str(self))


def _swapped(text: str, old: str, new: str) -> str:
    return new + text[len(old) :] if text.startswith(old) else text
