"""Near-duplicate texts: found by MinHash bands, verified by edit similarity, in a batch or in a windowed stream."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, between, html_table, reporter
from crmcore.errors import OutOfRange
from crmcore.text.patterns import TokenKind
from crmcore.text.tokens import TokenBatch, tokenize

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["DuplicateFinder", "DuplicateStream", "DuplicateTexts", "find_duplicates"]

Rows = NDArray[np.int64]
Keys = NDArray[np.uint64]
DROPPED = (TokenKind.LINK, TokenKind.HANDLE, TokenKind.EMAIL, TokenKind.PUNCTUATION)
SHARED = ("rt",)  # what people put before a text of others
STEP = 2048  # texts hashed at a time: memory stays small


@attrs.frozen(kw_only=True)
class DuplicateFinder:
    """How near-duplicates are found.

    Texts are compared in normal form without links, handles, addresses, punctuation and "rt". MinHash of runs of three
    characters (Broder 1997) proposes: texts that share a band are compared with the first and with the one before of
    that band, so that a million copies cost a million comparisons and not their square. Edit similarity decides: every
    pair that is reported has been compared sign by sign.

    Parameters
    ----------
    similarity : share
        Of signs that two texts have in common in order (2 × longest common subsequence / sum of lengths) from which
        they are near-duplicates; 1 asks for the same words.
    least_words : count
        Texts with fewer words are left alone: "so good" is said by many.
    bands, rows : counts
        A pair with Jaccard similarity J of its runs is proposed with probability 1 - (1 - J^rows)^bands.
    seed : count
        Of the hash functions.
    """

    similarity: float = attrs.field(default=0.8, validator=between(0.3, 1, hint="0.8: a typo, a tag, a word differ"))
    least_words: int = attrs.field(default=1, validator=between(1, 1000, hint="3 spares short replies"))
    bands: int = attrs.field(default=24, validator=between(1, 256, hint="24"))
    rows: int = attrs.field(default=3, validator=between(1, 16, hint="3"))
    seed: int = 0

    def find(self, texts: Sequence[str | None] | TokenBatch, /, *, progress: Progress | bool = False) -> DuplicateTexts:
        """Find the near-duplicates among n texts; a text without words has none."""
        plain = _plain(texts, self.least_words)
        unique, of = _distinct(plain)
        forms = [plain[i] for i in unique.tolist()]
        exact = self.similarity == 1  # equal forms are one already
        left, right = _proposed(self._keys([] if exact else forms, progress=progress))
        left, right, alike = _verified(forms, left, right, self.similarity)
        return DuplicateTexts(
            first=_groups(len(plain), unique, of, left, right, np.array([p != "" for p in plain], bool)),
            left=unique[left], right=unique[right], similarity=alike,
        )  # fmt: skip

    def stream(self, *, window: int = 100_000) -> DuplicateStream:
        """Find near-duplicates of a stream among the last `window` texts."""
        return DuplicateStream(self, window=window)

    def _keys(self, forms: Sequence[str], *, progress: Progress | bool = False) -> Keys:
        """(n, bands) keys of the bands."""
        tell, rng = reporter(progress), np.random.default_rng(self.seed)
        odd = rng.integers(1, 2**32, (self.bands * self.rows, 2), np.uint32) | np.uint32(1)
        found = np.empty((len(forms), self.bands), np.uint64)
        for at in range(0, len(forms), STEP):
            tell("hash texts", at, len(forms))
            part = forms[at : at + STEP]
            found[at : at + len(part)] = _band_keys(part, odd, self.bands)
        tell("hash texts", len(forms), len(forms))
        return found


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DuplicateTexts:
    """Near-duplicates among n texts.

    Attributes
    ----------
    first : (n,) rows
        First text of the group of each; its own row where it stands alone or comes first.
    left, right : (m,) rows
        Verified pairs that hold the groups together (not all pairs of a group); copies in normal form count as one text
        here, the first of them.
    similarity : (m,) shares

    Examples
    --------
    >>> found = find_duplicates(["Win a phone now!", "RT @x win a phone NOW http://a.co", "Lovely day", None])
    >>> found, found.first.tolist()
    (DuplicateTexts(4 texts: 2 in 1 group), [0, 0, 2, 3])
    """

    first: Rows
    left: Rows
    right: Rows
    similarity: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def sizes(self) -> Rows:
        """(n,) texts in the group of each."""
        return np.bincount(self.first, minlength=len(self))[self.first]

    @property
    def repeats(self) -> NDArray[np.bool_]:
        """(n,) whether an earlier text says the same."""
        return np.asarray(self.first != np.arange(len(self)))

    def groups(self, *, least: int = 2) -> list[Rows]:
        """Rows of each group of at least so many texts, the largest first."""
        order = np.argsort(self.first, kind="stable")
        cuts = np.flatnonzero(np.diff(self.first[order])) + 1
        parts = [g for g in np.split(order, cuts) if len(g) >= least] if len(order) else []
        return sorted(parts, key=lambda g: (-len(g), int(g[0])))

    def __repr__(self) -> str:
        groups = len(np.unique(self.first[self.sizes > 1]))
        return f"DuplicateTexts({len(self)} texts: {int((self.sizes > 1).sum())} in {groups} {_plural(groups)})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a text: text (its row), first, size of its group, repeats."""
        from crmcore._frames import write_frame

        return write_frame(
            {"text": np.arange(len(self)), "first": self.first, "size": self.sizes, "repeats": self.repeats},
            backend=backend,
        )

    def chart(self, *, title: str = "Copies of one text") -> Chart:
        """Sizes of the twenty largest groups."""
        from crmcore.charts import bar

        largest = self.groups()[:20]
        return bar([f"group {i + 1}" for i in range(len(largest))], [len(g) for g in largest], title=title)

    def _repr_html_(self) -> str:
        rows = [{"group of text": int(g[0]), "texts": len(g)} for g in self.groups()[:10]]
        return html_table(rows, caption=repr(self))


def _plural(n: int) -> str:
    return "group" if n == 1 else "groups"


class DuplicateStream:
    """Near-duplicates in a stream: each text is compared with those of the window, whose size bounds memory.

    As long as nothing has left the window, what is joined is what `DuplicateFinder.find` joins among the texts read so
    far, however the stream is cut into batches; groups that a later text holds together were told apart before it came.
    A call sorts the keys of the whole window: hand in texts by the thousand.
    """

    __slots__ = ("_finder", "_first", "_forms", "_keys", "_rows", "_window", "seen")

    def __init__(self, finder: DuplicateFinder, *, window: int) -> None:
        if window < 1:
            raise OutOfRange("window", window, "1 or more texts", "window=100_000")
        self._finder, self._window, self.seen = finder, window, 0
        self._forms: list[str] = []  # distinct normal forms, oldest first
        self._rows: Rows = np.empty(0, np.int64)  # last text with that form
        self._first: Rows = np.empty(0, np.int64)  # first text of its group
        self._keys: Keys = np.empty((0, finder.bands), np.uint64)

    def __repr__(self) -> str:
        return f"DuplicateStream({self.seen} texts seen, {len(self._forms)} held)"

    def add(self, texts: Sequence[str | None] | TokenBatch, /) -> Rows:
        """Read the next texts; (n,) number of the first text of the group of each, counted from the first ever read."""
        plain = _plain(texts, self._finder.least_words)
        rows = self.seen + np.arange(len(plain))
        self.seen += len(plain)
        unique, _ = _distinct(plain)
        held = {form: i for i, form in enumerate(self._forms)}
        fresh = [i for i in unique.tolist() if plain[i] not in held]
        forms = [*self._forms, *(plain[i] for i in fresh)]
        keys = np.concatenate([self._keys, self._finder._keys([plain[i] for i in fresh])])
        left, right = _proposed(keys)
        new = right >= len(self._forms)
        left, right, _ = _verified(forms, left[new], right[new], self._finder.similarity)
        first = np.concatenate([self._first, rows[fresh]])
        last = np.concatenate([self._rows, rows[fresh]])
        place = {form: i for i, form in enumerate(forms)}
        at = np.array([place.get(form, -1) for form in plain], np.int64)
        first = _joined(first, left, right)
        answer = np.where(at >= 0, first[np.maximum(at, 0)], rows) if len(forms) else rows
        np.maximum.at(last, at[at >= 0], rows[at >= 0])
        stay = last >= self.seen - self._window
        self._forms = [form for form, kept in zip(forms, stay.tolist(), strict=True) if kept]
        self._rows, self._first, self._keys = last[stay], first[stay], keys[stay]
        return answer


def find_duplicates(
    texts: Sequence[str | None] | TokenBatch, /, *, similarity: float = 0.8, least_words: int = 1,
    progress: Progress | bool = False,
) -> DuplicateTexts:  # fmt: skip
    """Find near-duplicates among n texts; see `DuplicateFinder`."""
    return DuplicateFinder(similarity=similarity, least_words=least_words).find(texts, progress=progress)


def _plain(texts: Sequence[str | None] | TokenBatch, least: int) -> list[str]:
    """Normal forms of texts as one string each; empty where there are too few words."""
    batch = (texts if isinstance(texts, TokenBatch) else tokenize(texts)).normalised()
    shared = [c for c in map(batch.vocabulary.find, SHARED) if c >= 0]
    batch = batch.where(~np.isin(batch.kinds, DROPPED) & ~np.isin(batch.codes, shared))
    forms, starts = [batch.vocabulary[c] for c in batch.codes.tolist()], batch.starts.tolist()
    return [" ".join(forms[a:b]) if b - a >= least else "" for a, b in pairwise(starts)]


def _distinct(plain: list[str]) -> tuple[Rows, Rows]:
    """(u,) first row of each distinct form that is not empty, in order, and (n,) which of them each text is, or -1."""
    place: dict[str, int] = {}
    unique: list[int] = []
    of = np.full(len(plain), -1, np.int64)
    for i, form in enumerate(plain):
        if form:
            at = place.setdefault(form, len(unique))
            if at == len(unique):
                unique.append(i)
            of[i] = at
    return np.array(unique, np.int64), of


def _band_keys(forms: Sequence[str], odd: NDArray[np.uint32], bands: int) -> Keys:
    """(n, bands) keys: MinHash of runs of three characters, blanks at both ends, by multiply and shift."""
    stream = np.frombuffer(("  ".join(["", *forms, ""])).encode("utf-32-le", "replace"), np.uint32)
    lengths = np.array([len(f) for f in forms], np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths + 2)))[:-1] + 1  # one blank before the form
    runs = lengths  # as many runs as characters: each with its two neighbours
    begin = np.concatenate(([0], np.cumsum(runs)))
    at = np.repeat(starts - begin[:-1], runs) + np.arange(begin[-1])
    code = stream[at] * np.uint32(0x9E3779B1) ^ stream[at + 1] * np.uint32(0x85EBCA77) ^ stream[at + 2]
    code = (code ^ code >> np.uint32(15)) * np.uint32(0x2C1B3C6D)
    code ^= code >> np.uint32(12)
    least = np.empty((len(odd), len(forms)), np.uint32)
    for k, (by, plus) in enumerate(odd):
        mixed = (code ^ plus) * by
        mixed ^= mixed >> np.uint32(16)
        least[k] = np.minimum.reduceat(mixed, begin[:-1])
    keys = np.zeros((bands, len(forms)), np.uint64)
    for row in least.reshape(bands, -1, len(forms)).swapaxes(0, 1):
        keys = (keys ^ row) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys.T


def _proposed(keys: Keys) -> tuple[Rows, Rows]:
    """(m,) pairs left < right: each text with the first and with the one before that share a band."""
    n = len(keys)
    pairs = [np.empty(0, np.int64)]
    for band in keys.T:
        order = np.argsort(band, kind="stable")
        same = band[order][1:] == band[order][:-1]
        if not same.any():
            continue
        at = np.flatnonzero(same) + 1
        heads = np.concatenate(([True], ~same))
        head = np.flatnonzero(heads)[np.cumsum(heads)[at] - 1]
        pairs += [order[at - 1] * n + order[at], order[head] * n + order[at]]
        if len(pairs) > 8:
            pairs = [_ascending(pairs)]
    found = _ascending(pairs)
    return found // max(n, 1), found % max(n, 1)


def _ascending(parts: Sequence[Rows]) -> Rows:
    """Distinct numbers of all parts; by sorting, which beats hashing many times over here."""
    every = np.sort(np.concatenate(parts))
    fresh = np.concatenate((np.ones(min(len(every), 1), bool), every[1:] != every[:-1]))
    return np.asarray(every[fresh], np.int64)


def _verified(forms: Sequence[str], left: Rows, right: Rows, least: float) -> tuple[Rows, Rows, NDArray[np.float64]]:
    """Pairs whose edit similarity is high enough."""
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cpdist

    if not len(left):
        return left, right, np.empty(0)
    keep, alike = [], []
    for at in range(0, len(left), 100_000):
        one = [forms[i] for i in left[at : at + 100_000].tolist()]
        two = [forms[i] for i in right[at : at + 100_000].tolist()]
        score = np.asarray(cpdist(one, two, scorer=Indel.normalized_similarity, score_cutoff=least), np.float64)
        good = np.flatnonzero(score >= least - 1e-7)
        keep.append(good + at)
        alike.append(score[good])
    kept = np.concatenate(keep)
    return left[kept], right[kept], np.concatenate(alike)


def _groups(n: int, unique: Rows, of: Rows, left: Rows, right: Rows, worded: NDArray[np.bool_]) -> Rows:
    """(n,) first text of the group of each."""
    first = _joined(unique, left, right)
    rows = np.arange(n)
    return np.asarray(np.where(worded, first[np.maximum(of, 0)], rows), np.int64) if len(unique) else rows


def _joined(first: Rows, left: Rows, right: Rows) -> Rows:
    """Least of `first` over what pairs hold together, or what already shares a first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(first)
    if not n:
        return first
    _, group = np.unique(first, return_inverse=True)
    size = int(group.max()) + 1
    graph = coo_array((np.ones(len(left), np.int8), (group[left], group[right])), shape=(size, size))
    _, label = connected_components(graph.tocsr(), directed=False)
    least = np.full(int(label.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, label[group], first)
    return np.asarray(least[label[group]], np.int64)
