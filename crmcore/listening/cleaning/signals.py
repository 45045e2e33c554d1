"""Signals of spam and of bots in posts: what they say, how often it was said, and how their authors behave."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.listening.cleaning.evidence import WeighedSignals
from crmcore.tables import MentionTable
from crmcore.text import Postings, TokenBatch, TokenKind, tokenize
from crmcore.text.duplicates import DuplicateFinder, DuplicateTexts
from crmcore.text.shape import SHAPE, text_shape

__all__ = ["STARTING_SIGNALS", "Signal", "SpamSignals", "SpamWeights", "spam_signals"]

Floats = NDArray[np.float64]
HOUR = np.timedelta64(3_600_000_000, "us")


class Signal(enum.StrEnum):
    """What speaks for spam in a post."""

    OFFER = "offer"  # words of offers and of begging for attention
    LINKS = "links"
    TAGS = "tags"  # many hashtags or handles
    CAPITALS = "capitals"
    COPIES = "copies"  # several authors post the same
    REPEATS = "repeats"  # one author posts the same again
    FLOOD = "flood"  # one author posts very often
    CLOCKWORK = "clockwork"  # one author posts at even intervals


@attrs.frozen(kw_only=True)
class SpamWeights(Document):
    """What each signal adds, from what count on; from a sum of 1 a post is spam.

    Parameters
    ----------
    offers : mapping of a phrase to its weight
        Words in normal form, one phrase once a post.
    link : weight
        Of a post with a link.
    tags, tags_from : weight, count
        Of hashtags and handles together.
    capitals : weight
        Of a post of 5 words or more that is mostly in capitals.
    copies, copies_from : weight, count
        Of a text that so many authors posted; of several such it counts once.
    repeats, repeats_from : weight, count
        Of a text that one author posted so often.
    flood, flood_from : weight, count
        Of an author with so many posts within one hour.
    clockwork, clockwork_from : weight, count
        Of an author with so many posts whose gaps vary by less than a tenth.
    least_words : count
        Shorter texts are never taken for copies: "so good" is said by many.
    """

    offers: Mapping[str, float]
    link: float = 0.3
    tags: float = 0.4
    tags_from: int = 6
    capitals: float = 0.2
    copies: float = 0.5
    copies_from: int = 3
    repeats: float = 0.7
    repeats_from: int = 3
    flood: float = 0.5
    flood_from: int = 20
    clockwork: float = 0.7
    clockwork_from: int = 10
    least_words: int = 4


_STRONG = (
    "check out my; checkout my; check my; subscribe to my; subscribe to me; sub to my; please subscribe; visit my; "
    "my channel; my new video; my latest video; my new song; my page; like my; vote for me; follow my; follow back; "
    "follow me back; follow for follow; sub for sub; sub4sub; f4f; make money; earn money; extra income; "
    "work from home; cash prize; free gift card; claim your; claim now; you have won; you have been selected; "
    "guaranteed winner; limited offer; act now; dm me for; whatsapp me; add me on; click here; click the link; "
    "link in bio; buy followers; free followers; double your; invest now; crypto giveaway; airdrop; hot singles; "
    "lose weight; no prescription; promo code; text stop; reply stop; call now; txt; gift voucher; ringtone"
)
_WEAK = (
    "free; win; winner; won; prize; cash; claim; subscribe; giveaway; bonus; discount; cheap; casino; bitcoin; crypto; "
    "loan; viagra; followers; channel; urgent; award; selected; offer; click; promo; guaranteed; entry; check out; "
    "sign up; buy now; visit; earn; money; join; share this; please help"
)
STARTING_SIGNALS = SpamWeights(
    offers={**{p.strip(): 0.3 for p in _WEAK.split(";")}, **{p.strip(): 1.0 for p in _STRONG.split(";")}}
)
"""English weights to begin with, written from what such posts say, not fitted to any data."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SpamSignals(WeighedSignals):
    """Signals of n posts, in the order of `Signal`; see `WeighedSignals`."""

    signals: ClassVar[type[enum.StrEnum]] = Signal
    row: ClassVar[str] = "post"
    flag: ClassVar[str] = "spam"

    @property
    def spam(self) -> NDArray[np.bool_]:
        """(n,) whether the signals make a post spam."""
        return self.flagged


def spam_signals(
    posts: MentionTable | Sequence[str | None], /, *, weights: SpamWeights = STARTING_SIGNALS,
    duplicates: DuplicateTexts | None = None, batch: TokenBatch | None = None, progress: Progress | bool = False,
) -> SpamSignals:  # fmt: skip
    """Find what speaks for spam in each post, without any label.

    Parameters
    ----------
    posts
        Mentions, whose authors and times count too where they are known; or n texts alone.
    weights
        In place of the English ones to begin with.
    duplicates
        Of the same posts, where they are known already.
    batch
        Tokens of the same posts as written, where they are read already.

    Examples
    --------
    >>> found = spam_signals(["Check out my channel http://a.co", "My parcel is late"])
    >>> found.spam.tolist(), [(str(s), w) for s, w in found.why(0)]
    ([True, False], [('offer', 2.6), ('links', 0.3)])
    """
    tell, n = reporter(progress), len(posts)
    if batch is None:
        batch = tokenize(posts.text.to_list() if isinstance(posts, MentionTable) else list(posts))
    elif len(batch) != n:
        raise OutOfRange("len(batch)", len(batch), f"{n}, as posts", "tokenise the same posts")
    tell("signals of spam", 0, 2)
    if duplicates is None:
        duplicates = DuplicateFinder(least_words=weights.least_words).find(batch)
    elif len(duplicates) != n:
        raise OutOfRange("len(duplicates)", len(duplicates), f"{n}, as posts", "find them in the same posts")
    tell("signals of spam", 1, 2)
    weight = np.zeros((n, len(Signal)))
    column = {signal: i for i, signal in enumerate(Signal)}
    weight[:, column[Signal.OFFER]] = _offers(batch, weights.offers)
    kinds, of = batch.kinds, batch.text_of
    weight[:, column[Signal.LINKS]] = weights.link * (np.bincount(of[kinds == TokenKind.LINK], minlength=n) > 0)
    tags = np.bincount(of[np.isin(kinds, [TokenKind.HASHTAG, TokenKind.HANDLE])], minlength=n)
    weight[:, column[Signal.TAGS]] = weights.tags * (tags >= weights.tags_from)
    weight[:, column[Signal.CAPITALS]] = weights.capitals * _loud(batch)
    same = duplicates.first
    if isinstance(posts, MentionTable):
        author = np.where(posts.author.codes >= 0, posts.author.codes, -1).astype(np.int64)
        known = author >= 0
        pair = np.stack([same[known], author[known]])
        each, inverse, often = np.unique(pair, axis=1, return_inverse=True, return_counts=True)
        authors = np.bincount(each[0], minlength=n)[same] if n else same
        own = np.zeros(n, np.int64)
        own[known] = often[inverse.ravel()]
        weight[:, column[Signal.COPIES]] = weights.copies * (authors >= weights.copies_from)
        weight[:, column[Signal.REPEATS]] = weights.repeats * (own >= weights.repeats_from)
        flood, even = _habits(author, posts.time, weights)
        weight[:, column[Signal.FLOOD]] = weights.flood * flood
        weight[:, column[Signal.CLOCKWORK]] = weights.clockwork * even
    else:
        weight[:, column[Signal.COPIES]] = weights.copies * (duplicates.sizes >= weights.copies_from)
    tell("signals of spam", 2, 2)
    return SpamSignals(weight=weight, duplicates=duplicates)


def _offers(batch: TokenBatch, offers: Mapping[str, float]) -> Floats:
    """(n,) sums of the weights of phrases, each once a text."""
    index, total = Postings.of(batch.normalised()), np.zeros(len(batch))
    phrases = tokenize(list(offers)).normalised()
    for i, weight in enumerate(offers.values()):
        forms = phrases.forms(i)
        if not forms:
            raise EmptyInput("an offer", "name words")
        total[index.texts(index.phrase(forms))] += weight
    return total


def _loud(batch: TokenBatch) -> NDArray[np.bool_]:
    """(n,) whether most words of a text of 5 words or more are in capitals."""
    shape = text_shape(batch)
    many = shape[:, SHAPE.index("words")] >= np.log1p(5) - 1e-9
    return np.asarray(many & (shape[:, SHAPE.index("whole words in capitals")] > 0.7))


def _habits(author: NDArray[np.int64], time: NDArray[np.datetime64], weights: SpamWeights) -> tuple[Any, Any]:
    """(n,) whether the author of each post floods, and whether they post like a clock."""
    n = len(author)
    flood, even = np.zeros(n, bool), np.zeros(n, bool)
    rows = np.flatnonzero((author >= 0) & ~np.isnat(time))
    rows = rows[np.lexsort((time[rows], author[rows]))]
    who, when = author[rows], time[rows]
    k = weights.flood_from
    if k >= 1 and len(rows) >= k:  # k posts of one author within an hour
        full = (who[k - 1 :] == who[: len(who) - k + 1]) & (when[k - 1 :] - when[: len(when) - k + 1] <= HOUR)
        edge = np.zeros(len(rows) + 1, np.int64)
        at = np.flatnonzero(full)
        np.add.at(edge, at, 1)
        np.add.at(edge, at + k, -1)
        flood[rows] = np.cumsum(edge)[:-1] > 0
    gaps = np.diff(when).astype(np.float64) / 1e6
    inside = np.diff(who) == 0
    m = int(author.max()) + 1 if n and author.max() >= 0 else 0
    count = np.bincount(who[1:][inside], minlength=m).astype(np.float64)
    total = np.bincount(who[1:][inside], gaps[inside], m)
    square = np.bincount(who[1:][inside], gaps[inside] ** 2, m)
    middle = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(square / np.maximum(count, 1) - middle**2, 0))
    clock = (count + 1 >= weights.clockwork_from) & (middle > 0) & (spread < 0.1 * middle)
    if m:
        even[rows] = clock[who]
    return flood, even
