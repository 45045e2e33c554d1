"""How well the house hears complaints: how often, how many stay silent, how hard it is, and how public it is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Protocol

import attrs

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.rates import Exposure
from crmcore.metrics.scalars import above, share_of, text_of
from crmcore.recovery.cases.files import CaseFile
from crmcore.recovery.cases.splitting import ComplaintSplit, complaint_split

__all__ = [
    "LARGE_LOSS",
    "SMALL_LOSS",
    "ComplaintRate",
    "Effort",
    "EffortWeights",
    "SilencePrior",
    "complaint_effort",
    "complaint_rate",
    "complaint_split",
    "public_split",
]


@attrs.frozen
class SilencePrior(Document):
    """What share of the customers with a problem complains at all: an assumption with a name, to be replaced.

    Parameters
    ----------
    name, source : text
    share, low, high : share above 0
        Who complains, of those who have a problem; the range is what you hold possible.
    """

    name: str
    share: float
    low: float
    high: float
    source: str = ""

    def __attrs_post_init__(self) -> None:
        text_of("name", self.name, hint="name the assumption: results carry it")
        for name in ("share", "low", "high"):
            share_of(name, getattr(self, name), hint="of customers with a problem, who complain")
            above(name, getattr(self, name), hint="if nobody complains, nothing follows from complaints")
        if not self.low <= self.share <= self.high:
            raise OutOfRange("share", self.share, f"between low = {self.low} and high = {self.high}", "sort the three")


SOURCE = "TARP, in Goodman & Newman: an old study of several lines of business, a prior and no fact"
LARGE_LOSS = SilencePrior("TARP, problems of 142 $", 0.69, 0.50, 0.85, SOURCE)
SMALL_LOSS = SilencePrior("TARP, small problems", 0.03, 0.01, 0.10, SOURCE)
"""3 % complained about small problems, 69 % about one of 142 $ (31 % did not); the ranges are ours, not the study's."""


@attrs.frozen(kw_only=True)
class ComplaintRate:
    """Complaints per orders, and the customers with a problem who said nothing.

    Parameters
    ----------
    heard : Estimate
        Complaints per `per` orders.
    silent : Estimate
        Customers with a problem who did not complain, per `per` orders; its interval holds the uncertainty of the rate
        and the range of the prior together.
    prior : SilencePrior
        On which `silent` rests.
    """

    heard: Estimate
    silent: Estimate
    prior: SilencePrior

    def __str__(self) -> str:
        return f"heard: {self.heard}\nsilent: {self.silent}, if {self.prior.name}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """Two rows: heard and silent."""
        rows = [{"what": name, **attrs.asdict(e)} for name, e in (("heard", self.heard), ("silent", self.silent))]
        return write_frame({name: [r[name] for r in rows] for name in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"what": name, "estimate": str(e)} for name, e in (("heard", self.heard), ("silent", self.silent))]
        return html_table(rows, caption=f"{self.heard.rule}; prior: {self.prior.name}")

    def chart(self) -> Any:
        """Two dots with their intervals."""
        from crmcore.charts import dot_interval

        return dot_interval(
            ["heard", "silent"], [self.heard, self.silent], title=self.heard.rule, description=str(self)
        )


def complaint_rate(
    complaints: int, orders: float, *, prior: SilencePrior, per: float = 1000, level: float = 0.95,
    small_sample_ok: bool = False,
) -> ComplaintRate:  # fmt: skip
    """Complaints per 1000 orders, and how many customers stayed silent if the prior holds.

    Parameters
    ----------
    complaints, orders : count
        Of the same months and shops.
    prior : SilencePrior
        Without one there is no estimate of silence; `LARGE_LOSS` and `SMALL_LOSS` are shipped, your own is better.
    per : number
    level : share
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 complaints.

    Returns
    -------
    ComplaintRate
        silent = heard (1 - p) / p, p being the prior's share; low end from the low rate with the prior's high share,
        high end from the high rate with its low share, so the interval is wide on purpose.

    Examples
    --------
    >>> found = complaint_rate(40, 8000, prior=LARGE_LOSS)
    >>> print(found)
    heard: 5 [3.57, 6.81] (95 %, n = 40, exact)
    silent: 2.25 [0.63, 6.81] (95 %, n = 40, exact x prior range), if TARP, problems of 142 $
    """
    rule = f"complaints / {number_text(per)} orders"
    heard = Exposure(complaints, orders).estimate(per=per, level=level, rule=rule, small_sample_ok=small_sample_ok)
    silent = Estimate(
        value=heard.value * _odds(prior.share), low=heard.low * _odds(prior.high), high=heard.high * _odds(prior.low),
        level=level, n=heard.n, rule=f"silent / {number_text(per)} orders", method="exact x prior range",
    )  # fmt: skip
    return ComplaintRate(heard=heard, silent=silent, prior=prior)


def _odds(share: float) -> float:
    return (1 - share) / share


# --- effort ----------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class EffortWeights(Document):
    """Points for what a customer had to do beyond saying it once."""

    message: float = 1.0
    channel_change: float = 1.0
    handover: float = 1.0
    question: float = 1.0
    reopening: float = 2.0
    hard_from: float = 4.0

    def __attrs_post_init__(self) -> None:
        for a in attrs.fields(EffortWeights):
            above(a.name, getattr(self, a.name), least=0, allowed="points from 0", hint="0 leaves it out")


@attrs.frozen(kw_only=True)
class Effort(Document):
    """How hard it was for a customer to complain: points, and what they are for; 0 is saying it once."""

    score: float
    hard: bool
    parts: dict[str, int] = attrs.field(hash=False)

    def __str__(self) -> str:
        parts = ", ".join(f"{n} x {name}" for name, n in self.parts.items() if n)
        return f"effort {self.score:g} ({parts or 'said once'}){', hard' if self.hard else ''}"


HARDEST = EffortWeights()


def complaint_effort(file: CaseFile, /, *, weights: EffortWeights = HARDEST) -> Effort:
    """Count what a customer had to do to be heard, from the history of the case.

    Counted are messages after the first, changes of channel between them, owners after the first (the story is told
    again), questions that were asked back, and reopenings.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.lifecycle import open_case
    >>> from crmcore.recovery.cases import case_workflows
    >>> made = open_case(case_workflows()[0], "k7", at=datetime(2026, 5, 4, tzinfo=UTC), data={"channel": "mail"})
    >>> print(complaint_effort(CaseFile(made.case, made.events)))
    effort 0 (said once)
    """
    said = [e for e in file.events if e.type == "customer wrote" or (e.type == "reopened" and e.actor == "customer")]
    notes: list[Any] = [e.data.get("note") or {} for e in said]
    channels = [file.channel, *(note["channel"] for note in notes if note.get("channel"))]
    owners = [o for e in file.events if (o := (e.data.get("set") or {}).get("owner"))]  # type: ignore[attr-defined]
    parts = {
        "message": len(said),
        "channel_change": sum(a != b for a, b in pairwise(channels)),
        "handover": sum(a != b for a, b in pairwise(owners)),
        "question": sum(e.type == "customer asked" for e in file.events),
        "reopening": file.reopened,
    }
    score = sum(n * getattr(weights, name) for name, n in parts.items())
    return Effort(score=score, hard=score >= weights.hard_from, parts=parts)


# --- public and private ----------------------------------------------------------------------------------------------


class Heard(Protocol):
    """What `public_split` looks at: a `Complaint` or a `CaseFile`."""

    @property
    def channel(self) -> str: ...
    @property
    def public(self) -> bool: ...
    @property
    def reach(self) -> float | None: ...


def public_split(heard: Iterable[Heard], /, *, level: float = 0.95, small_sample_ok: bool = False) -> ComplaintSplit:
    """Split complaints or cases into public and private ones; `complaint_split` takes columns.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.recovery.cases import Complaint
    >>> at = datetime(2026, 5, 4, tzinfo=UTC)
    >>> said = [Complaint(id="1", channel="x", at=at, public=True, reach=900), Complaint(id="2", channel="mail", at=at)]
    >>> public_split(said, small_sample_ok=True).channels
    (('x', 1, 0, 900.0), ('mail', 0, 1, 0.0))
    """
    rows = tuple(heard)
    reach = [math.nan if row.reach is None else row.reach for row in rows]
    return complaint_split(
        [row.public for row in rows], reach, [row.channel for row in rows], level=level,
        small_sample_ok=small_sample_ok,
    )  # fmt: skip
