"""All checks of one draft at once: may it be sent as it stands, and if not, why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from crmcore._base import html_table
from crmcore.recovery.words.checklist import REQUIRED, ReplyCheck, ReplyItem, check_reply
from crmcore.recovery.words.distress import Distress, read_distress
from crmcore.recovery.words.languages import NOT_UNDERSTOOD
from crmcore.recovery.words.private import PrivateData, find_private
from crmcore.recovery.words.scoring import ReplyScore, score_reply
from crmcore.recovery.words.truth import Cause, Truth, check_truth

if TYPE_CHECKING:
    from crmcore.protocols import SentimentAnalyzer

__all__ = ["ReplyReview", "review_reply"]


@attrs.frozen(kw_only=True)
class ReplyReview:
    """What every check said of one draft.

    Attributes
    ----------
    blocks : texts
        Why it may not be sent; none if it may.
    check, score, truth, private, distress
        The results behind it; `distress` is None where no complaint was given.
    """

    blocks: tuple[str, ...]
    check: ReplyCheck
    score: ReplyScore
    truth: Truth
    private: PrivateData
    distress: Distress | None

    @property
    def may_be_sent(self) -> bool:
        """Whether nothing blocks it."""
        return not self.blocks

    def __str__(self) -> str:
        if not self.blocks:
            return f"may be sent; {str(self.score).partition(chr(10))[0]}"
        return "\n".join(["blocked", *(f"  {block}" for block in self.blocks)])

    def _repr_html_(self) -> str:
        rows = [{"why not": block} for block in self.blocks]
        return html_table(rows, caption="blocked" if rows else "may be sent")


def review_reply(
    draft: str,
    /,
    *,
    complaint: str | None = None,
    cause: Cause | None = None,
    public: bool = True,
    automated: bool = False,
    required: Iterable[ReplyItem | str] = REQUIRED,
    allowed: Iterable[str] = (),
    known: Iterable[str] = (),
    region: str | None = None,
    sentiment: SentimentAnalyzer | None = None,
) -> ReplyReview:
    """Hold a draft against the checklist, the facts of the case, privacy and the distress of the customer.

    Parameters
    ----------
    draft : text
    complaint : text, optional
        What it answers.
    cause : Cause, optional
        What the case knows; None is nothing, and then the draft may name no cause.
    public : truth
        Whether everybody can read it: then it may hold nothing private.
    automated : truth
        Whether a machine wrote or would send it: never to somebody distressed.
    required, allowed, known, region, sentiment
        See `check_reply`, `find_private`, `read_distress`.

    Examples
    --------
    >>> print(review_reply("We are sorry, call us on 081 234 5678.", required=["apology"]))
    blocked
      private data in public: telephone number •••78 at 25
    """
    check = check_reply(draft, required=required, cause_confirmed=cause is not None and cause.confirmed)
    truth = check_truth(draft, cause)
    private = find_private(draft, allowed=allowed, known=known, region=region)
    distress = None if complaint is None else read_distress(complaint, sentiment=sentiment)
    blocks = [f"{item} is missing: {check.of(item).advice}" for item in check.missing]
    if check.language == NOT_UNDERSTOOD:
        blocks = [f"{NOT_UNDERSTOOD}: a person must read it"]
    else:
        blocks += truth.told
    if public and private:
        blocks += [f"private data in public: {find}" for find in private.finds]
    if automated and distress is not None and distress.needs_a_person:
        blocks.append(f"no automation: {str(distress).partition(':')[0]}")
    return ReplyReview(
        blocks=tuple(blocks),
        check=check,
        score=score_reply(draft, complaint=complaint),
        truth=truth,
        private=private,
        distress=distress,
    )
