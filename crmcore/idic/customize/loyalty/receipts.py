"""What a till hands out and takes back: receipts, refunds, issued pieces; all plain JSON that an application keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows
from crmcore.idic.customize.loyalty.combining import Discounts
from crmcore.idic.customize.loyalty.earning import Earned
from crmcore.idic.customize.loyalty.purchases import Line, Purchase
from crmcore.values import Money

__all__ = ["Issued", "Receipt", "Refund"]


@attrs.frozen(kw_only=True)
class Issued(Document):
    """A piece of a coupon that somebody got."""

    coupon: str
    id: str
    because: str
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True, repr=False)
class Receipt(Document):
    """A purchase as it was paid, line by line; keep it, for a refund goes by it.

    Parameters
    ----------
    purchase : Purchase
        Before coupons and points.
    discounts : Discounts
        What coupons took off.
    points_used : points
        Paid with.
    points_minor : minor units of each line that points paid
    earned : Earned
        By what was paid with money.
    issued : tuple of Issued
        Automatic rewards that it brought.
    """

    purchase: Purchase
    discounts: Discounts
    points_used: int
    points_minor: tuple[int, ...]
    earned: Earned
    issued: tuple[Issued, ...] = ()

    def __repr__(self) -> str:
        return f"Receipt({self.purchase.id!r}, {self.to_pay} to pay, {self.earned.total} {self.earned.unit})"

    @property
    def paid_minor(self) -> tuple[int, ...]:
        """Minor units of each line that are paid with money."""
        off = self.discounts.by_line or (0,) * len(self.purchase.lines)
        lines = zip(self.purchase.lines, off, self.points_minor, strict=True)
        return tuple(line.amount_minor - a - b for line, a, b in lines)

    @property
    def to_pay(self) -> Money:
        """Sum that is paid with money."""
        return Money(sum(self.paid_minor), self.purchase.currency)

    def __str__(self) -> str:
        lines = [f"{self.purchase.total} - {self.discounts.total} - {self.points_used} {self.earned.unit}"]
        lines[0] += f" = {self.to_pay}"
        lines += [f"earned {self.earned}"] if self.earned.total else []
        return "\n".join([*lines, *(f"got {x.coupon}: {x.because}" for x in self.issued)])

    def _rows(self) -> list[dict[str, Any]]:
        off = self.discounts.by_line or (0,) * len(self.purchase.lines)
        each = zip(self.purchase.lines, off, self.points_minor, self.paid_minor, strict=True)
        return [
            {"product": line.product, "amount_minor": line.amount_minor, "coupons_minor": a, "points_minor": b,
             "paid_minor": paid}
            for line, a, b, paid in each
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a line: product, amount_minor, coupons_minor, points_minor, paid_minor."""
        rows = self._rows()
        names = ("product", "amount_minor", "coupons_minor", "points_minor", "paid_minor")
        return write_frame({n: [row[n] for row in rows] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{self.to_pay} paid, {self.earned.total} {self.earned.unit} earned")

    def pieces(self, returned: Mapping[int, int], name: str = "returned") -> tuple[int, ...]:
        """Pieces of each line that have come back.

        Raises
        ------
        BadRows
            Lines that do not exist, or more pieces than were bought: all of them.
        """
        lines = self.purchase.lines
        bad = [
            BadRow(f"line {i}", f"{n!r} pieces of {lines[i].quantity if 0 <= i < len(lines) else 0}", (i,))
            for i, n in sorted(returned.items())
            if not 0 <= i < len(lines) or type(n) is not int or not 0 <= n <= lines[i].quantity
        ]
        if bad:
            raise BadRows(name, tuple(bad), "count the pieces of each line that came back: {0: 1}")
        return tuple(returned.get(i, 0) for i in range(len(lines)))

    def kept(self, returned: tuple[int, ...]) -> Purchase:
        """What is left of the purchase, at what was paid with money."""
        each = zip(self.purchase.lines, self.paid_minor, returned, strict=True)
        return self.purchase.with_lines(
            Line(line.product, paid - paid * back // line.quantity, line.quantity - back, facts=line.facts)
            for line, paid, back in each
            if back < line.quantity
        )


@attrs.frozen(kw_only=True, repr=False)
class Refund(Document):
    """What goes back to whom when goods come back.

    Parameters
    ----------
    id, purchase : texts
    money_minor : minor units
        To pay back in money.
    points_back : points
        Given back to the very lots that paid.
    points_taken : points
        Earned by what came back, and taken.
    coupons_back : names
        Given back: only when the whole purchase came back.
    """

    id: str
    purchase: str
    currency: str
    unit: str
    money_minor: int
    points_back: int
    points_taken: int
    coupons_back: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Refund({self.id!r}: {self})"

    def __str__(self) -> str:
        parts = [f"{Money(self.money_minor, self.currency)} back"]
        parts += [f"{self.points_back} {self.unit} back"] if self.points_back else []
        parts += [f"{self.points_taken} {self.unit} taken"] if self.points_taken else []
        return ", ".join([*parts, *(f"{name} back" for name in self.coupons_back)])
