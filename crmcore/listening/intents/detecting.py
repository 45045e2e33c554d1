"""Intents by cues: which posts want what, and the words that say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import OutOfRange, UnknownName
from crmcore.listening.intents.cues import STARTING_CUES, Cue, Cues, Intent
from crmcore.metrics.columns import columns_frame
from crmcore.metrics.proportions import proportion
from crmcore.text import Postings, TokenBatch, TokenKind, tokenize
from crmcore.text.reach import within_reach

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.metrics.estimates import Estimate

__all__ = ["Evidence", "IntentFinds", "detect_intents"]

Floats = NDArray[np.float64]
INTENTS = tuple(Intent)
OPPOSITE = {Intent.COMPLAINT: Intent.COMPLIMENT, Intent.COMPLIMENT: Intent.COMPLAINT}
REACH = 3  # words over which a negation works
ENOUGH = 1.0  # sum of weights from which a post has an intent
TONE = 0.8  # what a sure polarity adds to a complaint or a compliment


@attrs.frozen
class Evidence:
    """A cue that was found in a post and what it added."""

    phrase: str
    intent: Intent
    weight: float
    negated: bool = False


@attrs.frozen(eq=False, repr=False, kw_only=True)
class IntentFinds:
    """Intents of n posts.

    Attributes
    ----------
    weight : (n, 5) numbers
        Sum of the weights of what was found, by intent in the order of `Intent`; 1 is enough.
    hit_text, hit_cue, hit_negated
        Text, cue and negation of every cue found, by text.
    tone : (n,) net scores
    """

    weight: Floats
    cues: tuple[Cue, ...]
    hit_text: NDArray[np.int64]
    hit_cue: NDArray[np.int64]
    hit_negated: NDArray[np.bool_]
    tone: Floats  # (n,) net score of an analyzer; 0 where there was none

    def __len__(self) -> int:
        return len(self.weight)

    def __repr__(self) -> str:
        counts = ", ".join(f"{int(self.has(i).sum())} {i}" for i in INTENTS)
        return f"IntentFinds({len(self)} posts: {counts})"

    def has(self, intent: str, /) -> NDArray[np.bool_]:
        """(n,) whether each post has an intent."""
        if intent not in INTENTS:
            raise UnknownName("intent", str(intent), tuple(map(str, INTENTS)))
        return np.asarray(self.weight[:, INTENTS.index(Intent(intent))] >= ENOUGH - 1e-9)

    def of(self, post: int, /) -> tuple[Intent, ...]:
        """Intents of one post, the strongest first."""
        order = np.argsort(-self.weight[post], kind="stable")
        return tuple(INTENTS[i] for i in order.tolist() if self.weight[post, i] >= ENOUGH - 1e-9)

    def evidence(self, post: int, /) -> tuple[Evidence, ...]:
        """What was found in one post; the weights of an intent add up to its weight."""
        found = []
        begin, end = np.searchsorted(self.hit_text, [post, post + 1]).tolist()
        for hit in range(begin, end):
            cue, negated = self.cues[int(self.hit_cue[hit])], bool(self.hit_negated[hit])
            found.append(Evidence(cue.phrase, *_said(cue, negated=negated), negated))
        tone = float(self.tone[post])
        if tone:
            found.append(Evidence("(tone)", Intent.COMPLIMENT if tone > 0 else Intent.COMPLAINT, TONE * abs(tone)))
        return tuple(found)

    def share(self, intent: str, /, *, level: float = 0.95) -> Estimate:
        """Share of posts with an intent, as the cues see it."""
        has = self.has(intent)
        rule = f"{intent} by cues / posts"
        return proportion(int(has.sum()), len(has), level=level, rule=rule, small_sample_ok=True)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a post: post (its row), a weight an intent, intents, evidence."""
        phrases: list[list[str]] = [[] for _ in range(len(self))]
        for text, cue in zip(self.hit_text.tolist(), self.hit_cue.tolist(), strict=True):
            phrases[text].append(self.cues[cue].phrase)
        return columns_frame(
            {
                "post": np.arange(len(self)),
                **{str(i): self.weight[:, k] for k, i in enumerate(INTENTS)},
                "intents": [", ".join(self.of(i)) for i in range(len(self))],
                "evidence": [", ".join(p) for p in phrases],
            },
            backend=backend,
        )

    def chart(self, *, title: str = "What posts want") -> Chart:
        """Share of posts by intent."""
        from crmcore.charts import dot_interval

        shares = [self.share(i) for i in INTENTS]
        return dot_interval([str(i) for i in INTENTS], shares, title=title, percent=True)

    def _repr_html_(self) -> str:
        rows = [{"intent": str(i), "posts": int(self.has(i).sum())} for i in INTENTS]
        return html_table(rows, caption=f"{len(self)} posts, by cues")


def detect_intents(
    texts: Sequence[str | None] | TokenBatch, /, *, cues: Cues = STARTING_CUES, tone: ArrayLike | None = None
) -> IntentFinds:
    """Find what posts want by cues.

    Parameters
    ----------
    texts : n texts, a missing one None; or their tokens as written
    cues : Cues
        In place of the English ones to begin with.
    tone : (n,) net scores in [-1, 1], optional
        Of a sentiment analyzer: adds 0.8 × tone to a compliment, or its opposite to a complaint. NaN counts as 0.

    Returns
    -------
    IntentFinds
        An intent is there where the weights of its cues add up to 1; a cue counts once a post.

    Examples
    --------
    >>> found = detect_intents(["Still waiting for my refund!", "Do you ship to Laos?", "Not great, not helpful."])
    >>> [list(map(str, found.of(i))) for i in range(3)]
    [['complaint'], ['question', 'purchase'], ['complaint']]
    >>> found.evidence(0)[0]
    Evidence(phrase='still waiting', intent=<Intent.COMPLAINT: 'complaint'>, weight=1.2, negated=False)
    """
    batch = (texts if isinstance(texts, TokenBatch) else tokenize(texts)).normalised()
    n = len(batch)
    net = np.zeros(n) if tone is None else np.nan_to_num(np.asarray(tone, np.float64))
    if net.shape != (n,) or (np.abs(net) > 1).any():
        raise OutOfRange("tone", f"shape {net.shape}", f"({n},) net scores in [-1, 1]", "P(positive) - P(negative)")
    index = Postings.of(batch)
    negators = np.isin(batch.codes, [batch.vocabulary.find(w) for w in cues.negators])
    marks = batch.kinds == TokenKind.PUNCTUATION
    negated, starts = within_reach(batch, negators, stops=marks, reach=REACH), _begins(batch)
    text, cue_of, turned = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.bool_)]
    stems = _stems(batch, cues)
    for k, cue in enumerate(cues.cues):
        at = index.sequence([index.positions(stems[p]) for p in cue.patterns])
        at = at[starts[at]] if cue.at_start else at
        off = negated[at] & cue.negatable
        rows = index.text_of[at].astype(np.int64)
        distinct, first = np.unique(rows, return_index=True)
        plain = np.zeros(n, bool)
        plain[rows[~off]] = True  # found once without a negation counts
        text.append(distinct)
        cue_of.append(np.full(len(distinct), k))
        turned.append(off[first] & ~plain[distinct])
    hit_text, hit_cue, hit_negated = np.concatenate(text), np.concatenate(cue_of), np.concatenate(turned)
    order = np.argsort(hit_text, kind="stable")
    hits = (hit_text[order], hit_cue[order], hit_negated[order])
    weight = _weights(n, cues, *hits)
    weight[:, INTENTS.index(Intent.COMPLIMENT)] += TONE * np.maximum(net, 0)
    weight[:, INTENTS.index(Intent.COMPLAINT)] += TONE * np.maximum(-net, 0)
    return IntentFinds(weight=weight, cues=cues.cues, hit_text=hits[0], hit_cue=hits[1], hit_negated=hits[2], tone=net)


def _said(cue: Cue, *, negated: bool) -> tuple[Intent, float]:
    """What a cue speaks for and how much: a negated complaint is half a compliment, and the other way round."""
    if not negated:
        return cue.intent, cue.weight
    return (OPPOSITE[cue.intent], 0.5 * cue.weight) if cue.intent in OPPOSITE else (cue.intent, 0.0)


def _weights(n: int, cues: Cues, text: NDArray[np.int64], cue: NDArray[np.int64], negated: NDArray[np.bool_]) -> Floats:
    """(n, 5) sums of the weights of cues."""
    if not len(cues.cues):
        return np.zeros((n, len(INTENTS)))
    said = [[_said(c, negated=turned) for c in cues.cues] for turned in (False, True)]
    column = np.array([[INTENTS.index(intent) for intent, _ in row] for row in said])[negated.astype(np.intp), cue]
    value = np.array([[weight for _, weight in row] for row in said])[negated.astype(np.intp), cue]
    sums = np.bincount(text * len(INTENTS) + column, weights=value, minlength=n * len(INTENTS))
    return sums.astype(np.float64).reshape(n, len(INTENTS))


def _stems(batch: TokenBatch, cues: Cues) -> dict[str, list[int]]:
    """Codes of the forms that each pattern stands for; patterns with a star share one pass over the vocabulary."""
    patterns = {p for cue in cues.cues for p in cue.patterns}
    found = {p: [batch.vocabulary.find(p)] for p in patterns if not (p.endswith("*") and len(p) > 1)}
    starred = sorted(p[:-1] for p in patterns - set(found))
    found |= {s + "*": [] for s in starred}
    begins = tuple(starred)
    for code, form in enumerate(batch.vocabulary):
        if begins and form.startswith(begins):
            for stem in starred:
                if form.startswith(stem):
                    found[stem + "*"].append(code)
    return found


def _begins(batch: TokenBatch) -> NDArray[np.bool_]:
    """(n_tokens,) whether a token is the first word of its post or of a sentence, handles and tags before it aside."""
    n = len(batch.codes)
    skipped = np.isin(batch.kinds, [TokenKind.PUNCTUATION, TokenKind.HANDLE, TokenKind.HASHTAG])
    begins = np.zeros(n, bool)
    if n:
        at = np.arange(n)
        last_word = np.concatenate(([-1], np.maximum.accumulate(np.where(~skipped, at, -1))[:-1]))
        ends = [c for c in (batch.vocabulary.find(m) for m in (".", "!", "?", "!!", "??", "...")) if c >= 0]
        last_end = np.concatenate(([-1], np.maximum.accumulate(np.where(np.isin(batch.codes, ends), at, -1))[:-1]))
        first = batch.starts[:-1][batch.text_of]
        begins = ~skipped & ((last_word < first) | (last_end > last_word))
    return begins
