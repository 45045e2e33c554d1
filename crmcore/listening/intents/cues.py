"""Cues of intents: words and phrases with weights, as data that a user may extend or replace."""

from __future__ import annotations

import enum
from functools import cache

import attrs

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.text import tokenize
from crmcore.values.words import word

__all__ = ["STARTING_CUES", "Cue", "Cues", "Intent"]


class Intent(enum.StrEnum):
    """What a post wants; one post may want several things."""

    COMPLAINT = "complaint"
    COMPLIMENT = "compliment"
    QUESTION = "question"
    IDEA = "idea"
    PURCHASE = "purchase"


def _intent(value: str) -> Intent:
    return word(Intent, value, "intent")


@cache
def _patterns(phrase: str) -> tuple[str, ...]:
    found: list[str] = []
    for part in phrase.split():
        star = part.endswith("*") and len(part) > 1
        forms = tokenize([part[:-1] if star else part]).normalised().forms(0)
        found += [*forms[:-1], forms[-1] + "*"] if star and forms else forms
    return tuple(found)


@attrs.frozen
class Cue(Document):
    """A phrase that speaks for an intent.

    Parameters
    ----------
    phrase : text
        One or several words in any case; a word that ends with `*` stands for all words that begin so.
    intent : Intent
    weight : number
        What it adds; a post has an intent from a sum of 1. Negative weights speak against.
    negatable : truth
        Whether a negation up to 3 words before it turns it around ("not great"): it then counts for nothing, and half
        of its weight goes to the opposite (complaint and compliment).
    at_start : truth
        Only as the first words of a post or sentence.
    """

    phrase: str
    intent: Intent = attrs.field(converter=_intent)
    weight: float = 1.0
    negatable: bool = False
    at_start: bool = False

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.phrase, str):
            raise WrongType("phrase", f"a {type(self.phrase).__name__}", "text", "such as 'still waiting'")
        if not self.patterns:
            raise EmptyInput(f"the cue {self.phrase!r}", "name at least one word or mark")
        if not -10 <= self.weight <= 10:
            raise OutOfRange("weight", self.weight, "-10 to 10", "1 is enough for an intent")

    @property
    def patterns(self) -> tuple[str, ...]:
        """Normal forms of its tokens; one that stands before a star keeps it."""
        return _patterns(self.phrase)


@attrs.frozen(repr=False)
class Cues(Document):
    """Cues of one language.

    Examples
    --------
    >>> STARTING_CUES
    Cues(256 cues)
    >>> len(STARTING_CUES.with_cues(Cue("gate closed", "complaint"))) - len(STARTING_CUES)
    1
    """

    cues: tuple[Cue, ...]
    negators: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.cues)

    def __repr__(self) -> str:
        return f"Cues({len(self)} cues)"

    def with_cues(self, *more: Cue) -> Cues:
        """These and more; one of the same phrase and intent takes the place of the old."""
        new = {(c.patterns, c.intent): c for c in (*self.cues, *more)}
        return attrs.evolve(self, cues=tuple(new.values()))

    def _repr_html_(self) -> str:
        return html_table([{"phrase": c.phrase, "intent": str(c.intent), "weight": c.weight} for c in self.cues])


def _cues(intent: Intent, weight: float, phrases: str, *, negatable: bool = False, at_start: bool = False) -> list[Cue]:
    return [Cue(p.strip(), intent, weight, negatable, at_start) for p in phrases.split(";")]


_COMPLAINT = [
    *_cues(
        Intent.COMPLAINT, 1.2,
        "still waiting; no response; no reply; no one answers; never again; not working; doesn't work; didn't work; "
        "does not work; stopped working; charged twice; overcharged; ripped off; rip off; scam; unacceptable; "
        "worst; complain*; on hold for; waste of money; want my money back; lost my; missing item*; never arrived; "
        "hasn't arrived; has not arrived; not received; never received; damaged; ruined; disgust*; refuse* to; "
        "hung up on; fix this; fix your; get your act together; poor service; bad service; terrible service; "
        "customer service is; false advertising; shame on; how dare",
    ),
    *_cues(
        Intent.COMPLAINT, 1.0,
        "terrible; horrible; awful; appalling; pathetic; rude; useless; incompetent; disappoint*; frustrat*; "
        "annoy*; broken; defective; faulty; unprofessional; unhelpful; ridiculous; nightmare; outrage*; fail; "
        "angry; furious; joke; lied; lying; stolen; rotten; dirty",
        negatable=True,
    ),
    *_cues(
        Intent.COMPLAINT, 0.6,
        "refund; cancelled; canceled; delay*; late; waiting; hours; again; wrong; problem*; issue*; error*; slow; "
        "crash*; hold; sucks; worse; bad; poor; cold; lost; missing; can't; cannot; won't; unable",
    ),
]  # fmt: skip
_COMPLIMENT = [
    *_cues(
        Intent.COMPLIMENT, 1.0,
        "thank you; thanks; thx; love; loved; amazing; awesome; excellent; fantastic; wonderful; brilliant; perfect; "
        "great; best; kudos; well done; good job; great job; impressed; delighted; appreciate*; outstanding; superb; "
        "helpful; friendly; recommend*; rocks; grateful; shout out; shoutout",
        negatable=True,
    ),
    *_cues(
        Intent.COMPLIMENT, 0.6, "good; nice; happy; glad; enjoy*; beautiful; kind; quick; fast; easy", negatable=True
    ),
    *_cues(Intent.COMPLIMENT, -1.0, "thanks for nothing; no thanks; would be great; would be nice; would love"),
]  # fmt: skip
_QUESTION = [
    *_cues(Intent.QUESTION, 0.7, "?"),
    *_cues(Intent.QUESTION, 1.0, "??; ???; does anyone know; anyone know; can someone; can you tell; do you know"),
    *_cues(
        Intent.QUESTION, 0.6,
        "how; what; when; where; which; who; why; can; could; do; does; did; is; are; will; any; has; have",
        at_start=True,
    ),
    *_cues(Intent.QUESTION, 0.5, "how do; how can; how to; is there; are there; do you; can i; could you; what time"),
]  # fmt: skip
_IDEA = [
    *_cues(
        Intent.IDEA, 1.0,
        "would be nice if; would be great if; would be good if; it would be; suggest*; suggestion; feature request; "
        "please add; please bring; should add; should have; should offer; should make; should let; should allow; "
        "you should; they should; why don't you; why not add; could you add; how about; wish you; i wish; if only "
        "you; idea; would love to see; would love it if; consider adding; please make; needs to have",
    ),
]  # fmt: skip
_PURCHASE = [
    *_cues(
        Intent.PURCHASE, 1.0,
        "want to buy; wanna buy; looking to buy; looking to book; looking to order; where can i buy; where can i get; "
        "where to buy; how much is; how much are; how much does; how much for; in stock; back in stock; do you sell; "
        "do you ship; thinking of buying; thinking about buying; about to order; about to buy; ready to buy; ready "
        "to order; i'll take; need a quote; price list; pre order; preorder; take my money; can i order; can i book; "
        "interested in buying; planning to buy; going to buy",
    ),
    *_cues(Intent.PURCHASE, 0.5, "price; buy; order; book; available; discount; interested in; shipping"),
    *_cues(Intent.PURCHASE, -1.0, "my order; ordered; bought; booked; never buy; won't buy; refund; cancel*"),
]  # fmt: skip

NEGATORS = (
    "not", "no", "never", "nothing", "nobody", "without", "hardly", "isn't", "wasn't", "aren't", "weren't", "don't",
    "didn't", "doesn't", "can't", "cannot", "couldn't", "won't", "wouldn't", "ain't", "isnt", "wasnt", "dont", "didnt",
)  # fmt: skip

STARTING_CUES = Cues((*_COMPLAINT, *_COMPLIMENT, *_QUESTION, *_IDEA, *_PURCHASE), NEGATORS)
"""English cues to begin with, written from how people word such posts, not fitted to any data."""
