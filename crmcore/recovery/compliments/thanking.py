"""Thank-you drafts: as long as the praise deserves, about what was praised, never twice the same, never selling."""

from __future__ import annotations

import re
import tomllib
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

import attrs
import numpy as np

from crmcore._base import between, listed
from crmcore.documents import Document
from crmcore.errors import OutOfRange, WrongType
from crmcore.recovery.words.distress import read_distress
from crmcore.recovery.words.languages import NOT_UNDERSTOOD, code_of
from crmcore.recovery.words.private import find_private

__all__ = ["ThankYou", "draft_thanks", "praised_in"]

SHORT, MEDIUM = 12, 35
"""Words of a compliment up to which a short or a medium answer is proportionate."""

LONGEST = {"short": 16, "medium": 30, "warm": 60}
"""Most words of an answer of each size."""

_STOP = (
    r"(?:is|was|were|are|has|had|have|made|and|but|so|because|at|in|on|with|from|for|when|that|which|who|to|really|"
    r"very|just|as|last|today|yesterday|this|we|i|you|tonight|again|gave|helped|went|did|do|will|would|could|can|"
    r"while|during|after|before|every|always|too|by|of|since|than|how)"
)
_THING = rf"(?:the|your|our|that|this|those|these)\s((?:(?!{_STOP}\b)[^\W\d_][\w'-]*\s?){{1,3}})"
_LOVED = (
    r"(?:love[ds]?|loving|enjoy(?:ed|ing)?|like[ds]?|adore[ds]?|appreciat\w+|thank(?:s|\syou)(?:\sso\smuch|\sa\slot)?\sfor|"
    r"grateful\sfor|impressed\s(?:by|with)|fan\sof|recommend|praise|compliments?\s(?:to|on))"
)
_GOOD = (
    r"(?:great|amazing|fantastic|delicious|lovely|friendly|helpful|excellent|wonderful|best|perfect|super|superb|awesome|"
    r"brilliant|nice|beautiful|good|tasty|fast|quick|kind|cosy|clean|fabulous|outstanding|gorgeous)"
)
_PRAISED = (
    rf"\b{_LOVED}\s(?:\w+ly\s)?{_THING}",
    rf"\b{_THING}(?=(?:(?:for|at|in|on|with|of)\s(?:\w+\s){{1,3}}?)?"
    r"(?:is|was|were|are|has\sbeen|made|gave|helped|went|did|always|really|so)\b)",
    rf"\b{_GOOD}\s((?:(?!{_STOP}\b)[^\W\d_][\w'-]*\s?){{1,2}})",
)
_PERSON = (
    r"\b(?:thank(?:s|\syou)(?:\sso\smuch|\sa\slot)?\s(?:to\s)?|praise\s(?:to|for)\s|kudos\sto\s|shout-?out\sto\s|well\sdone\s)"
    r"(?-i:([A-Z][a-z]+))\b"
)
_NOBODY = frozenset("you for so the god all everyone".split())
_EMPTY = frozenset(
    "job work thing things one ones time times day stuff lot way everything everyone people experience bit world place "
    "it you guys team effort morning evening night".split()
)
_MIXED = re.compile(
    r"\b(?:but|however|although|though|except|unfortunately|sadly|only\scomplaint|not\s(?:so\s)?(?:good|great|happy)|"
    r"disappoint\w*|for\snothing|would\shave\sbeen|yeah\sright|worst|terrible|never\sagain)\b",
    re.IGNORECASE,
)
_SPAM = re.compile(
    r"\b(?:discount|voucher|coupon|promo\w*|% off|free|offer|sale|deal|code|subscribe|follow us|share this|tag us|"
    r"review us|rate us|next (?:order|purchase|visit)|shop now)\b|https?:|www\.|#|%",
    re.IGNORECASE,
)


@cache
def _texts() -> dict[str, tuple[str, ...]]:
    document = tomllib.loads(files("crmcore.recovery.compliments").joinpath("data/thanks_en.toml").read_text("utf-8"))
    return {name: tuple(texts) for name, texts in document.items()}


@cache
def _compiled() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p, re.IGNORECASE) for p in _PRAISED)


@attrs.frozen(kw_only=True)
class ThankYou(Document):
    """A proposal for thanks, or why a person should write it.

    Attributes
    ----------
    text : text, optional
        None where `why_not` says why: the praise is mixed, distressed, or not understood.
    praised : text, optional
        What it mentions.
    size : text
        short, medium or warm.
    """

    text: str | None = attrs.field(repr=lambda text: "None" if text is None else f"<{len(text)} characters>")
    praised: str | None = attrs.field(repr=lambda text: "None" if text is None else f"<{len(text)} characters>")
    size: str
    why_not: str = ""

    def __str__(self) -> str:
        return self.text if self.text is not None else f"no draft: {self.why_not}"


def praised_in(compliment: str, /) -> str | None:
    """What a compliment praises, as an answer would name it; None where it names nothing.

    Examples
    --------
    >>> [praised_in(t) for t in ("The coffee was amazing", "Great service!", "Thanks to Nok!", "Wow")]
    ['the coffee', 'the service', 'Nok', None]
    """
    if find_private(compliment):
        return None
    person = re.search(_PERSON, compliment, re.IGNORECASE)
    if person and person[1].casefold() not in _NOBODY:
        return person[1]
    for pattern in _compiled():
        for match in pattern.finditer(compliment):
            words = [w.strip("'-") for w in match[1].split()]
            if words and words[-1].casefold() not in _EMPTY and all(len(w) > 1 for w in words):
                return "the " + " ".join(w if w[1:] != w[1:].lower() else w.lower() for w in words)
    return None


def draft_thanks(
    compliments: Sequence[str],
    /,
    *,
    seed: int,
    used: Iterable[str] = (),
    window: int = 50,
    praised: Sequence[str | None] | None = None,
) -> tuple[ThankYou, ...]:
    """Propose a thank you for each compliment: short for short praise, warm for long, each different.

    Nothing is sold, linked or tagged, and nothing private is said. The same seed, compliments and history give the same
    drafts. Mixed praise ("lovely, but ...") and praise in a language that is not understood get none.

    Parameters
    ----------
    compliments : n texts
        In the order in which they are answered.
    seed : whole number
    used : texts
        Thanks that were sent before, oldest first.
    window : count
        How many earlier drafts none may repeat.
    praised : n texts, optional
        What each praises, where the caller knows better (an aspect, a product); None reads it from the compliment.

    Examples
    --------
    >>> first, second = draft_thanks(["Great coffee!", "Great coffee!"], seed=7)
    >>> print(first)
    This made us smile. Thank you for mentioning the coffee.
    >>> print(second)
    Thank you so much, it matters to us that you valued the coffee.
    """
    texts = listed(compliments, "compliments", str, what="texts", hint="['Great coffee!']")
    between(1, 10_000, hint="50 is plenty for a page")(None, _WINDOW, window)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise WrongType("seed", f"a {type(seed).__name__}", "a whole number", "seed=7")
    topics = [None] * len(texts) if praised is None else list(praised)
    if len(topics) != len(texts):
        raise OutOfRange("praised", f"{len(topics)} entries", f"{len(texts)}, one a compliment", "None where unknown")
    recent = deque((_form(t) for t in listed(used, "used", str, what="texts", hint="[]")), maxlen=window)
    drafts = []
    for text, topic in zip(texts, topics, strict=True):
        draft = _draft(text, topic, recent, seed)
        if draft.text is not None:
            recent.append(_form(draft.text))
        drafts.append(draft)
    return tuple(drafts)


@attrs.frozen
class _Named:
    name: str


_WINDOW = _Named("window")


def _form(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _draft(compliment: str, topic: str | None, recent: deque[str], seed: int) -> ThankYou:
    words = len(compliment.split())
    size = "short" if words <= SHORT else "medium" if words <= MEDIUM else "warm"
    why = _why_not(compliment)
    if why:
        return ThankYou(text=None, praised=None, size=size, why_not=why)
    thing = topic if topic is not None else praised_in(compliment)
    rng = np.random.default_rng([abs(seed), zlib.crc32(compliment.encode()), len(recent)])
    for text in _candidates(thing, size, rng):
        if _form(text) not in recent and not _SPAM.search(text) and len(text.split()) <= LONGEST[size]:
            return ThankYou(text=text, praised=thing, size=size)
    return ThankYou(text=None, praised=thing, size=size, why_not="every draft was used within the window")


def _why_not(compliment: str) -> str:
    if code_of(compliment) != "en":
        return NOT_UNDERSTOOD
    if read_distress(compliment).evidence:
        return "it shows distress: a person should answer"
    return "the praise is mixed: a person should answer" if _MIXED.search(compliment) else ""


def _candidates(thing: str | None, size: str, rng: np.random.Generator) -> Iterable[str]:
    """Drafts in a random order, every one once; without the mention when those with it are used up."""
    texts = _texts()
    groups = (texts["plain"],) if thing is None else (texts["mentioning"], texts["plain"])
    for group in groups:
        for i in rng.permutation(len(group)).tolist():
            first = group[i] if thing is None else group[i].format(it=thing, It=thing[:1].upper() + thing[1:])
            more = [texts["more"][k] for k in rng.permutation(len(texts["more"])).tolist()]
            if size == "short":
                yield first
            elif size == "medium":
                yield from (f"{first} {line}" for line in more)
            else:
                yield from (
                    f"{first} {texts['warm'][k]} {line}"
                    for k in rng.permutation(len(texts["warm"])).tolist()
                    for line in more
                )
