"""Given names and surnames of eight cultures with spellings, nicknames and long-tailed frequencies."""

from __future__ import annotations

import itertools
from functools import lru_cache

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets import words_names as words
from crmcore.datasets.columns import Objects, draw, long_tail, texts

__all__ = ["CULTURES", "NameTable", "given_names", "surnames"]

CULTURES = ("thai", "english", "german", "french", "spanish", "indian", "arabic", "chinese")
FEMALE, MALE = 0, 1


@attrs.frozen(eq=False, repr=False)
class NameTable:
    """Names of all cultures; a person holds a code into it, text is made only when a record is written."""

    latin: Objects  # (k,) the usual spelling in Latin letters, with accents
    native: Objects  # (k,) Thai, Chinese or Arabic script, None for Latin cultures
    slug: Objects  # (k,) plain ASCII, lower case: what stands in an e-mail address
    other: Objects  # (k m) all rival spellings, name by name
    other_start: NDArray[np.int64]  # (k + 1,)
    nick: Objects  # all nicknames, name by name
    nick_start: NDArray[np.int64]  # (k + 1,)
    pools: dict[tuple[str, int], tuple[NDArray[np.int64], NDArray[np.float64]]]  # culture, gender -> codes, weights

    def __len__(self) -> int:
        return len(self.latin)

    def __repr__(self) -> str:
        return f"NameTable({len(self)} names, {len(self.pools)} pools)"

    def draw(self, rng: np.random.Generator, culture: str, gender: int, n: int) -> NDArray[np.int64]:
        """Codes of n names of one culture and gender, by their frequency."""
        codes, weights = self.pools[culture, gender]
        return codes[draw(rng, weights, n)]

    def spelled(self, codes: NDArray[np.int64], where: NDArray[np.bool_], rng: np.random.Generator) -> Objects:
        """Usual spellings, and a rival one (where there is one) at the rows of `where`."""
        return _choose(self.latin[codes], codes, where, self.other, self.other_start, rng)

    def nicknamed(self, codes: NDArray[np.int64], where: NDArray[np.bool_], rng: np.random.Generator) -> Objects:
        """Usual spellings, and a nickname (where there is one) at the rows of `where`."""
        return _choose(self.latin[codes], codes, where, self.nick, self.nick_start, rng)


def _choose(
    usual: Objects,
    codes: NDArray[np.int64],
    where: NDArray[np.bool_],
    pool: Objects,
    start: NDArray[np.int64],
    rng: np.random.Generator,
) -> Objects:
    """Replace `usual` at rows of `where` by a random entry of the name's slice of `pool`."""
    count = start[codes + 1] - start[codes]
    turn = (rng.random(len(codes)) * count).astype(np.int64)  # drawn for all rows: `where` moves no stream
    rows = np.flatnonzero(where & (count > 0))
    usual[rows] = pool[start[codes[rows]] + turn[rows]]
    return usual


@attrs.frozen
class _Name:
    latin: str
    native: str | None = None
    other: tuple[str, ...] = ()
    nick: tuple[str, ...] = ()


def _parse(token: str) -> _Name:
    """`native=Latin/Other:Nick/Nick`."""
    native, _, rest = token.rpartition("=")
    spelled, _, nicks = rest.partition(":")
    first, *others = spelled.split("/")
    return _Name(first, native or None, tuple(others), tuple(nicks.split("/")) if nicks else ())


def _joined(parts: tuple[_Name, ...], *, glue: str = "") -> _Name:
    """One name from elements; rival spellings change one or more elements."""
    spellings = itertools.product(*((p.latin, *p.other) for p in parts))
    words_of = (glue.join(s).replace("_", " ") for s in itertools.islice(spellings, 5))
    first, *others = (w[:1].upper() + w[1:] for w in words_of)
    native = "".join(p.native or "" for p in parts) if any(p.native for p in parts) else None
    return _Name(first, native, tuple(o for o in dict.fromkeys(others) if o != first))


def _products(*elements: str, keep: int, glue: str = "") -> list[_Name]:
    """At most `keep` combinations of elements, in a fixed shuffled order, each spelling once."""
    lists = [[_parse(t) for t in e.split()] for e in elements]
    sizes = [len(x) for x in lists]
    order = np.random.default_rng(2024).permutation(int(np.prod(sizes)))[: 2 * keep]
    picks = np.stack(np.unravel_index(order, sizes), axis=1).tolist()
    made: dict[str, _Name] = {}
    for pick in picks:
        name = _joined(tuple(x[i] for x, i in zip(lists, pick, strict=True)), glue=glue)
        made.setdefault(name.latin, name)
    return list(made.values())[:keep]


def _table(pools: dict[tuple[str, int], list[_Name]], exponents: dict[str, tuple[float, float]]) -> NameTable:
    """Lay pools out as columns; names are listed from common to rare."""
    from anyascii import anyascii

    names: list[_Name] = []
    laid: dict[tuple[str, int], tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
    for key, pool in pools.items():
        exponent, shift = exponents.get(key[0], (1.0, 2.7))
        codes = np.arange(len(names), len(names) + len(pool))
        laid[key] = (codes, long_tail(len(pool), exponent=exponent, shift=shift))
        names += pool

    def flat(lists: list[tuple[str, ...]]) -> tuple[Objects, NDArray[np.int64]]:
        start = np.concatenate([[0], np.cumsum([len(x) for x in lists])]).astype(np.int64)
        return texts([word for x in lists for word in x]), start

    other, other_start = flat([n.other for n in names])
    nick, nick_start = flat([n.nick for n in names])
    slugs = ["".join(c for c in anyascii(n.latin).lower() if c.isalnum()) for n in names]
    return NameTable(
        texts([n.latin for n in names]),
        texts([n.native for n in names]),
        texts(slugs),
        other,
        other_start,
        nick,
        nick_start,
        laid,
    )


@lru_cache(maxsize=1)
def given_names() -> NameTable:
    """All given names, one pool per culture and gender.

    Examples
    --------
    >>> table = given_names()
    >>> len(table) > 5000, ("thai", FEMALE) in table.pools
    (True, True)
    """
    pools: dict[tuple[str, int], list[_Name]] = {}
    thai = words.THAI_GIVEN_PARTS
    nicks = [_parse(t) for t in words.THAI_NICKNAMES.split()]
    for gender, part in ((FEMALE, "female"), (MALE, "male")):
        made = _products(thai["first"], thai[part], keep=560)
        # A Thai nickname has nothing to do with the given name; three per name keep the link one-to-many.
        picks = np.random.default_rng(77 + gender).integers(len(nicks), size=(len(made), 3)).tolist()
        pools["thai", gender] = [
            attrs.evolve(m, nick=tuple(w for i in p for w in (nicks[i].latin, nicks[i].native or "")))
            for m, p in zip(made, picks, strict=True)
        ]
        single = _products(words.CHINESE_GIVEN_PARTS, keep=60)
        double = _products(words.CHINESE_GIVEN_PARTS, words.CHINESE_GIVEN_PARTS.lower(), keep=2500)
        pools["chinese", gender] = [*single[gender::2], *double[gender::2]]
        for culture, lists in words.GIVEN.items():
            common = [_parse(t) for t in lists[gender].split()]
            pools[culture, gender] = common + _doubled(culture, common)
    exponents = {"thai": (0.6, 5.0), "chinese": (0.5, 5.0)}
    return _table(pools, exponents)


def _doubled(culture: str, common: list[_Name]) -> list[_Name]:
    """Double names (Anna-Lena, Jean-Luc, María Carmen), the tail of the list."""
    glue = {"german": "-", "french": "-", "spanish": " ", "english": "-", "indian": " ", "arabic": " "}[culture]
    pairs = [(a, b) for a in common[:20] for b in common[:20] if a.latin != b.latin]
    order = np.random.default_rng(31).permutation(len(pairs))[: 30 if culture == "english" else 90].tolist()
    made = [pairs[i] for i in order]
    return [
        _Name(
            f"{a.latin}{glue}{b.latin}",
            f"{a.native} {b.native}" if a.native else None,
            (f"{a.latin} {b.latin}",) if glue == "-" else (f"{a.latin}{b.latin.lower()}",),
            (a.latin, *a.nick[:1]),
        )
        for a, b in made
    ]


@lru_cache(maxsize=1)
def surnames() -> NameTable:
    """All surnames, one pool per culture (gender 0); heads are common, composed ones form the tail.

    Examples
    --------
    >>> len(surnames()) > 20_000
    True
    """
    keep = {
        "thai": 22_000,
        "english": 2500,
        "german": 2000,
        "french": 1500,
        "spanish": 3000,
        "indian": 1500,
        "arabic": 230,
    }
    pools: dict[tuple[str, int], list[_Name]] = {}
    for culture in CULTURES:
        head = [_parse(t) for t in words.SURNAME_HEADS[culture].split()]
        parts = words.SURNAME_PARTS.get(culture)
        tail = _products(*parts, keep=keep[culture]) if parts else []
        seen = {n.latin for n in head}
        pools[culture, 0] = head + [n for n in tail if n.latin not in seen]
    exponents = {
        "thai": (0.3, 20.0),
        "english": (0.85, 8.0),
        "german": (0.8, 8.0),
        "french": (0.7, 8.0),
        "indian": (0.8, 4.0),
    }
    return _table(pools, exponents)
