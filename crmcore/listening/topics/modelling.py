"""Topics of many short texts: every text gets a probability of each, nothing is thrown into a bin of outliers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.listening.topics.factoring import factor, loads_of, refined
from crmcore.metrics.columns import columns_frame, held_floats
from crmcore.metrics.scalars import count_of, share_of
from crmcore.text import Tokenizer, TokenKind, count_terms
from crmcore.text.nearness import FUNCTION_WORDS
from crmcore.text.ngrams import TermCounts

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from crmcore.charts import Chart

__all__ = ["Topic", "TopicModel", "TopicTable", "find_topics"]

Floats = NDArray[np.float64]
STEP = 20_000  # texts whose loads are computed at a time
KINDS = (TokenKind.WORD, TokenKind.HASHTAG, TokenKind.CHARACTER, TokenKind.EMOJI)


@attrs.frozen(kw_only=True)
class Topic(Document):
    """One topic.

    Parameters
    ----------
    number : position
    name : words
        The three terms that tell it apart best.
    terms : words
        Ten of them, best first.
    share : share
        Of the texts that it was learned from: mean probability.
    coherence : number
        How much more often its ten terms stand together in a text than by chance: mean normalised pointwise mutual
        information, -1 to 1, 0 = chance (Bouma 2009). NaN where fewer than two of them occur.
    """

    number: int
    name: str
    terms: tuple[str, ...]
    share: float
    coherence: float

    def __str__(self) -> str:
        return f"{self.number}. {', '.join(self.terms[:6])} ({100 * self.share:.0f} %)"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TopicTable:
    """Probabilities of topics for n texts; rows sum to 1."""

    model: TopicModel
    probability: Floats = attrs.field(converter=held_floats)  # (n, k)

    def __len__(self) -> int:
        return len(self.probability)

    def __repr__(self) -> str:
        return f"TopicTable({len(self)} texts, {self.probability.shape[1]} topics)"

    @property
    def best(self) -> NDArray[np.int64]:
        """(n,) number of the most likely topic."""
        best: NDArray[np.int64] = np.argmax(self.probability, axis=1)
        return best

    def counts(self) -> NDArray[np.int64]:
        """(k,) texts whose most likely topic it is."""
        return np.bincount(self.best, minlength=self.probability.shape[1]).astype(np.int64)

    def quotes(self, topic: int, /, *, limit: int = 3) -> NDArray[np.int64]:
        """Rows of the texts that belong to a topic most clearly."""
        column = self.probability[:, topic]
        order: NDArray[np.int64] = np.lexsort((np.arange(len(column)), -column))
        return order[:limit]

    def to_frame(self, backend: Any = None) -> Any:
        """One row a text: topic, name, and the probability of it."""
        best = self.best
        names = np.array([topic.name for topic in self.model.topics], object)
        return columns_frame(
            {"topic": best, "name": names[best].tolist(), "probability": self.probability.max(axis=1)}, backend=backend
        )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TopicModel(Document):
    """Topics that were found; made by `find_topics`. It saves as JSON and never changes: `updated` gives a new one.

    Parameters
    ----------
    terms : words
        What it knows, in the order of the alphabet.
    weight : (m,) numbers
        Rarity of each term: ln((1 + texts) / (1 + texts with it)).
    profiles : (k, m) numbers
        What each topic says, of unit length.
    cross, gram : (k, m) and (k, k) statistics
        Of the texts seen: they add up, and an update starts from them.
    prior : (k,) shares
        Of texts without any known term.
    topics
        In words.
    texts : count
        Seen so far.
    """

    terms: tuple[str, ...]
    weight: NDArray[np.float64] = attrs.field(converter=held_floats)
    profiles: NDArray[np.float64] = attrs.field(converter=held_floats)
    cross: NDArray[np.float64] = attrs.field(converter=held_floats)
    gram: NDArray[np.float64] = attrs.field(converter=held_floats)
    prior: NDArray[np.float64] = attrs.field(converter=held_floats)
    topics: tuple[Topic, ...]
    texts: int

    def __len__(self) -> int:
        return len(self.topics)

    def __repr__(self) -> str:
        return f"TopicModel({len(self)} topics, {len(self.terms)} terms, {self.texts} texts)"

    def __str__(self) -> str:
        return "\n".join([repr(self), *(f"  {topic}" for topic in self.topics)])

    @cached_property
    def _column(self) -> dict[str, int]:
        return {term: i for i, term in enumerate(self.terms)}

    def _matrix(self, texts: Sequence[str | None]) -> csr_array:
        found = _counted(texts, least_texts=1)
        column = np.array([self._column.get(term, -1) for term in found.terms], np.int64)
        known = np.flatnonzero(column >= 0)
        return _weighed(_placed(found.counts[:, known], column[known], len(self.terms)), self.weight)

    def probabilities(self, texts: Sequence[str | None], /) -> Floats:
        """(n, k) probabilities; a text without any known term gets the shares of the topics.

        Each text decides its row alone.
        """
        parts = [self._probable(self._matrix(texts[i : i + STEP])) for i in range(0, len(texts), STEP)]
        return np.concatenate(parts) if parts else np.empty((0, len(self)))

    def _probable(self, x: csr_array) -> Floats:
        loads = loads_of(x, self.profiles) + 1e-3 * self.prior  # so that nothing is impossible
        return np.asarray(loads / loads.sum(axis=1, keepdims=True), np.float64)

    def assign(self, texts: Sequence[str | None], /) -> TopicTable:
        """Sort texts into the topics."""
        return TopicTable(model=self, probability=self.probabilities(texts))

    def updated(self, texts: Sequence[str | None], /, *, forget: float = 0.0) -> TopicModel:
        """Learn from more texts: topics keep their numbers and may drift; terms stay those of the first fit.

        The statistics of all texts so far are kept, not the texts (online factorisation, Mairal and others 2010).

        Parameters
        ----------
        texts : (n,) texts
        forget : share
            Of what was learned before that is let go first.
        """
        if not 0 <= forget <= 1:
            raise OutOfRange("forget", forget, "0 to 1", "0 keeps everything, 0.5 halves the weight of the past")
        x = self._matrix(texts)
        loads = loads_of(x, self.profiles)
        cross = (1 - forget) * self.cross + (x.T @ loads).T
        gram = (1 - forget) * self.gram + loads.T @ loads
        profiles = refined(self.profiles, cross, gram, rounds=5)
        length = np.sqrt((profiles**2).sum(axis=1)) + 1e-12
        seen = (1 - forget) * self.texts
        prior = (seen * self.prior + loads_share(loads) * x.shape[0]) / max(seen + x.shape[0], 1e-9)
        made = attrs.evolve(self, profiles=profiles / length[:, None], cross=cross, gram=gram, prior=prior)
        return _described(attrs.evolve(made, texts=self.texts + x.shape[0]), x)

    def to_frame(self, backend: Any = None) -> Any:
        """One row a topic: name, terms, share, coherence."""
        return columns_frame(
            {
                "topic": [t.number for t in self.topics],
                "name": [t.name for t in self.topics],
                "terms": [", ".join(t.terms) for t in self.topics],
                "share": np.array([t.share for t in self.topics]),
                "coherence": np.array([t.coherence for t in self.topics]),
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        rows = [
            {"topic": t.number, "terms": ", ".join(t.terms[:6]), "share": round(t.share, 3)} for t in self.topics[:20]
        ]
        return html_table(rows, caption=f"{len(self)} topics")

    def chart(self) -> Chart:
        """Shares of the topics, by name."""
        from crmcore.charts import bar

        labels = [f"{t.number}. {t.name}" for t in self.topics]
        return bar(labels, [t.share for t in self.topics], title="Topics by share of texts", percent=True)


def _counted(texts: Sequence[str | None], *, least_texts: int) -> TermCounts:
    batch = Tokenizer().tokenize(texts).normalised()
    return count_terms(batch, orders=(1, 2), least_texts=least_texts, kinds=KINDS)


def _placed(counts: csr_array, column: NDArray[np.int64], m: int) -> csr_array:
    """Columns moved to their places among m."""
    from scipy.sparse import csr_array

    rows = counts.tocsr()
    return csr_array((rows.data, column[rows.indices], rows.indptr), shape=(rows.shape[0], m))


def _weighed(counts: csr_array, weight: Floats) -> csr_array:
    """Rarity times 1 + ln(count), rows of unit length."""
    from scipy.sparse import csr_array

    data = (1 + np.log(np.maximum(counts.data, 1))) * weight[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(row, data**2, counts.shape[0]))
    data = data / np.maximum(length, 1e-12)[row]
    return csr_array((data, counts.indices, counts.indptr), shape=counts.shape)


def loads_share(loads: Floats, /) -> Floats:
    """(k,) mean probability of each topic; rows without a load are left out."""
    total = loads.sum(axis=1)
    known = total > 0
    if not known.any():
        return np.full(loads.shape[1], 1 / loads.shape[1])
    return np.asarray((loads[known] / total[known, None]).mean(axis=0), np.float64)


def _described(model: TopicModel, x: csr_array) -> TopicModel:
    """Model whose topics are put in words, their coherence measured on the texts x."""
    together = (x > 0).astype(np.float64).tocsc()
    profiles, terms = model.profiles, model.terms
    telling = profiles * np.log1p(profiles / (profiles.mean(axis=0) + 1e-12))
    topics = list[Topic]()
    for j, share in enumerate(model.prior.tolist()):
        best = _distinct(np.argsort(-telling[j], kind="stable")[:40], telling[j], terms)
        words = tuple(terms[i] for i in best)
        coherence = _coherence(together[:, best].toarray())
        topics.append(Topic(number=j, name=", ".join(words[:3]), terms=words, share=share, coherence=coherence))
    return attrs.evolve(model, topics=tuple(topics))


def _distinct(order: NDArray[np.int64], telling: Floats, terms: tuple[str, ...]) -> list[int]:
    """Ten best terms; one that lies within a better one, or holds it, says nothing new."""
    kept = list[int]()
    for i in order.tolist():
        words = set(terms[i].split())
        if telling[i] > 0 and not any(words <= set(terms[j].split()) or set(terms[j].split()) <= words for j in kept):
            kept.append(i)
        if len(kept) == 10:
            break
    return kept


def _coherence(held: Floats) -> float:
    pairs = held.T @ held / max(len(held), 1)
    alone = np.diag(pairs)
    left, right = np.triu_indices(len(alone), 1)
    there = (alone[left] > 0) & (alone[right] > 0)
    left, right = left[there], right[there]
    if not len(left):
        return float("nan")
    both = pairs[left, right]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.log(both / (alone[left] * alone[right])) / -np.log(both)
    return float(np.where(both <= 0, -1.0, np.where(both >= 1, 1.0, score)).mean())


def find_topics(
    texts: Sequence[str | None],
    /,
    *,
    n_topics: int = 10,
    least_texts: int | None = None,
    most_share: float = 0.3,
    leave_out: Collection[str] | None = None,
    progress: Progress | bool = False,
) -> TopicModel:
    """Find what many short texts are about.

    Non-negative factors of the rarity-weighted counts of words and pairs of words. No draw of chance is made: the same
    texts give the same topics. Numbers are by share, largest first.

    Parameters
    ----------
    texts : (n,) texts
    n_topics : count
        `topic_stability` compares several.
    least_texts : count
        Terms in fewer texts are left out; None takes 3, or one in 20,000 where that is more.
    most_share : share
        Terms in more of the texts are left out: they tell nothing apart.
    leave_out : words
        Terms that hold one of them, in normal form, are left out; None takes English function words.
    progress
        True shows a bar; a callable is told stage, done, total.

    Raises
    ------
    EmptyInput
        No term occurs in enough texts.
    OutOfRange
        More topics than the texts can tell apart.

    Examples
    --------
    >>> cats, cars = ["cat purrs", "my cat sleeps", "cat sleeps"], ["red car", "fast car drives", "car drives fast"]
    >>> model = find_topics(cats + cars, n_topics=2, least_texts=1, most_share=0.6)
    >>> model.assign(["the cat", "a car"]).best.tolist() == model.assign(["cat purrs", "fast car"]).best.tolist()
    True
    """
    count_of("n_topics", n_topics, least=2)
    share_of("most_share", most_share, hint="0.3 leaves out what stands in more than 30 % of the texts")
    tell = reporter(progress)
    tell("count terms", 0, 3)
    least = max(3, len(texts) // 20_000) if least_texts is None else count_of("least_texts", least_texts, least=1)
    found = _counted(texts, least_texts=least)
    held = found.texts_with()
    silent = FUNCTION_WORDS if leave_out is None else frozenset(leave_out)
    speaks = np.array([silent.isdisjoint(term.split(" ")) for term in found.terms], np.bool_)
    kept = np.flatnonzero(speaks & (held <= most_share * max(len(texts), 1)))
    if len(kept) < 2:
        hint = f"give more texts, lower least_texts (now {least}) or raise most_share"
        raise EmptyInput("terms", hint)
    if n_topics > min(len(texts), len(kept)):
        raise OutOfRange(
            "n_topics", n_topics, f"2 to {min(len(texts), len(kept))}", "give more texts, or ask for fewer"
        )
    weight = np.log((1 + len(texts)) / (1 + held[kept]))
    x = _weighed(found.counts[:, kept].tocsr(), weight)
    tell("factor", 1, 3)
    loads, profiles = factor(x, n_topics)
    order = np.argsort(-loads_share(loads), kind="stable")
    loads, profiles = loads[:, order], profiles[order]
    tell("describe", 2, 3)
    made = TopicModel(
        terms=tuple(found.terms[i] for i in kept),
        weight=weight,
        profiles=profiles,
        cross=(x.T @ loads).T,
        gram=loads.T @ loads,
        prior=loads_share(loads),
        topics=(),
        texts=len(texts),
    )
    described = _described(made, x)
    tell("describe", 3, 3)
    return described
