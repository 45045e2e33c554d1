"""One deal as its seller sees it: steps of the deal, marketing touches and service cases on one time line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import check_aware, html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.lifecycle import History
from crmcore.values import Interaction

__all__ = ["DealLine", "DealView", "deal_view"]

_KINDS = (
    ("service", ("case", "complaint", "ticket", "service", "repair", "incident")),
    ("marketing", ("campaign", "click", "newsletter", "ad", "advert", "webinar", "download", "event", "view")),
    ("sales", ("call", "meeting", "visit", "demo")),
)


@attrs.frozen(kw_only=True)
class DealLine(Document):
    """One thing that happened: when, of which side (deal, marketing, service, sales, other), and what."""

    at: datetime
    side: str
    what: str
    channel: str | None
    reference: str | None

    def __str__(self) -> str:
        where = f" ({self.channel})" if self.channel else ""
        about = f" {self.reference}" if self.reference else ""
        return f"{self.at:%Y-%m-%d %H:%M} {self.side}: {self.what}{about}{where}"


@attrs.frozen(kw_only=True, repr=False)
class DealView(Document):
    """A deal, its stage, and everything on one time line; `quoted_at` None: no quote yet."""

    deal: str
    stage: str
    since: datetime
    quoted_at: datetime | None
    lines: tuple[DealLine, ...]

    def __repr__(self) -> str:
        return f"DealView({self.deal!r}, {self.stage!r}, {len(self.lines)} lines)"

    def __str__(self) -> str:
        counts = self.before_quote()
        told = ", ".join(f"{n} {side}" for side, n in counts.items()) or "nothing"
        return "\n".join([f"{self.deal}: {self.stage} since {self.since:%Y-%m-%d}; before the quote: {told}",
                          *(f"  {line}" for line in self.lines)])  # fmt: skip

    def before_quote(self) -> dict[str, int]:
        """Touches by side before the quote (all of them where there is none), steps of the deal left out."""
        counts: dict[str, int] = {}
        for line in self.lines:
            if line.side != "deal" and (self.quoted_at is None or line.at < self.quoted_at):
                counts[line.side] = counts.get(line.side, 0) + 1
        return dict(sorted(counts.items()))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a line by time: at, side, what, channel, reference."""
        rows = [attrs.asdict(line) for line in self.lines]
        names = ("at", "side", "what", "channel", "reference")
        return write_frame({n: [row[n] for row in rows] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([attrs.asdict(line) for line in self.lines], caption=repr(self))


def deal_view(
    history: History, touches: Iterable[Interaction], *, now: datetime, quote_stage: str, customer: str | None = None
) -> DealView:
    """Put the history of a deal and the touches of its customer on one time line.

    Parameters
    ----------
    history : History
        Of the deal, such as `Cases.history(deal)`.
    touches : iterable of Interaction
        Of any customer; those of the deal's are taken. Their kind tells the side: "campaign click" is marketing,
        "service case" service.
    now : aware datetime
        What happened later is not shown.
    quote_stage : text
        Stage whose first entry is the quote.
    customer : text, optional
        Whose touches; None reads `customer` from what the deal keeps.

    Raises
    ------
    EmptyInput
        The customer is not known.
    """
    check_aware(now, "now")
    case = history.case
    who = customer if customer is not None else case.data.get("customer")
    if who is None:
        raise EmptyInput("customer of the deal", "open it with data={'customer': ...}, or pass customer=")
    past = [s for s in history.steps if s.at <= now and not s.refused]
    lines = [DealLine(at=s.at, side="deal", what=f"{s.what} ({s.after})", channel=None, reference=None) for s in past]
    lines += [
        DealLine(at=t.time, side=_side(t.kind), what=t.kind or "touch", channel=t.channel, reference=t.reference)
        for t in touches
        if t.customer == who and t.time <= now
    ]
    quoted = case.entries.get(quote_stage)
    return DealView(
        deal=case.id,
        stage=past[-1].after if past else "not opened",
        since=next((s.at for s in reversed(past) if s.before != s.after), now),
        quoted_at=quoted if quoted is not None and quoted <= now else None,
        lines=tuple(sorted(lines, key=lambda x: (x.at, x.side, x.what, x.channel or "", x.reference or ""))),
    )


def _side(kind: str | None) -> str:
    words = set((kind or "").casefold().replace("_", " ").replace("-", " ").split())
    return next((side for side, known in _KINDS if words & {w for k in known for w in (k, f"{k}s")}), "other")
