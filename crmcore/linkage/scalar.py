"""The scalar twin of hashing, rarity and scoring: for one record an array costs more than its numbers.

Everything here equals its vectorised form: hashes exactly, log-odds to the last bits. The law tests hold both together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import mul
from typing import Any

from crmcore.linkage.blocking import NAMES, BlockingKey
from crmcore.linkage.compare import SWAPPED, level_function
from crmcore.linkage.encode import SOUND, WIDTH, multipliers
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.mixture import SAME_PERSON, free_fields
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.nicknames import FIRST, LAST
from crmcore.linkage.rarity import MOST
from crmcore.linkage.texts import WORD_ATOMS

__all__ = ["KeyHasher", "PairScorer", "Probe", "atom_hash", "value_hash"]

Values = Sequence[str | None]

_M = multipliers()
_FULL = (1 << 64) - 1
_HALF = (1 << 32) - 1
_C1, _C2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
KEPT = 50_000  # values remembered per field: names and places come again and again


def value_hash(value: str) -> int:
    """64-bit hash of one value: the scalar form of `value_hashes`.

    Examples
    --------
    >>> from crmcore.linkage.encode import value_hashes
    >>> value_hash("smith") == int(value_hashes(["smith"])[0])
    True
    """
    mixed = sum(map(mul, map(ord, value), _M)) & _FULL
    mixed ^= mixed >> 32
    mixed = mixed * _C2 & _FULL
    return int(mixed ^ (mixed >> 29))


def _finish(total: int) -> int:
    total &= _FULL
    return ((total ^ (total >> 31)) * _C2 & _FULL) >> 32 or 1


def _hash(part: str) -> int:
    return _finish(sum(map(mul, map(ord, part), _M))) if part else 0


def _sound(value: str) -> int:
    total = place = before = 0
    for i, letter in enumerate(value):
        code = SOUND.get(letter, 0)
        if not i and not code:
            code = 7
        if code and code != before:
            total += code << (3 * place)
            place += 1
            if place == 4:
                break
        before = code
    return _finish(total * _M[0]) if value else 0


def atom_hash(name: str, value: str) -> int:
    """Hash of one part of one value, 0 where it has no such part: the scalar form of `atom_hashes`.

    Examples
    --------
    >>> atom_hash("first 3", "anna") == atom_hash("first 3", "annika"), atom_hash("local part", "@x")
    (True, 0)
    """
    if name in WORD_ATOMS:
        return _hash(WORD_ATOMS[name](value)[:WIDTH])
    value = value[:WIDTH]
    how, _, count = name.partition(" ")
    if how == "first" and count.isdigit():
        return _hash(value[: int(count)])
    if how == "last" and count.isdigit():
        return _hash(value[-int(count) :])
    if name == "whole":
        return _hash(value)
    if name == "sound":
        return _sound(value)
    if name == "local part":
        return _hash(value.partition("@")[0])
    if name == "district":
        return _hash(value[: max(len(value) - 3, 2)] if any(c >= "a" for c in value) else value[:3])
    if name == "year and day":  # the day keeps its place behind four columns of the year
        head, tail = value[:4], value[6:8]
        return _finish(sum(map(mul, map(ord, head), _M)) + sum(map(mul, map(ord, tail), _M[4:]))) if value else 0
    letters = next((i for i, c in enumerate(value) if c < "a"), len(value))  # the area of a postcode
    return _hash(value[: letters or 2])


class KeyHasher:
    """Blocking keys of one record: the scalar form of `KeySpace.values`."""

    def __init__(self, model: LinkageModel) -> None:
        kinds = list(model.fields.values())
        place = {name: f for f, name in enumerate(model.fields)}
        atoms: dict[tuple[int, str], int] = {}
        names: dict[str, tuple[int, int]] = {}
        self._keys: list[tuple[int, int]] = []
        pending: list[tuple[BlockingKey, list[tuple[str, str]]]] = [(k, list(k.parts)) for k in model.keys]
        for _, parts in pending:
            for field, atom in parts:
                if field == NAMES:
                    for kind in (Kind.GIVEN_NAME, Kind.SURNAME):
                        atoms.setdefault((kinds.index(kind), atom), len(atoms))
                    names[atom] = (
                        atoms[kinds.index(Kind.GIVEN_NAME), atom],
                        atoms[kinds.index(Kind.SURNAME), atom],
                    )
                else:
                    atoms.setdefault((place[field], atom), len(atoms))
        self._atoms = [(f, atom) for f, atom in atoms]
        self._by_field: list[tuple[int, list[tuple[int, str]], dict[str, list[int]]]] = [
            (f, [(i, atom) for i, (g, atom) in enumerate(atoms) if g == f], {}) for f in sorted({f for f, _ in atoms})
        ]
        self._names = list(names.values())
        at_name = {atom: len(atoms) + i for i, atom in enumerate(names)}
        for _, parts in pending:
            at = [at_name[atom] if field == NAMES else atoms[place[field], atom] for field, atom in parts]
            self._keys.append((at[0], at[1] if len(at) > 1 else -1))

    def __len__(self) -> int:
        return len(self._keys)

    def __call__(self, values: Values) -> list[int]:
        """One 64-bit value per key of the model; 0 where the record has none."""
        parts = [0] * len(self._atoms)
        for f, wanted, known in self._by_field:
            value = values[f]
            if value:
                found = known.get(value)
                if found is None:
                    if len(known) >= KEPT:
                        known.clear()
                    found = known[value] = [atom_hash(atom, value) for _, atom in wanted]
                for (place, _), h in zip(wanted, found, strict=True):
                    parts[place] = h
        for g, s in self._names:
            a, b = parts[g], parts[s]
            parts.append(((a + b) & _HALF or 1) if a and b else 0)
        out = []
        for a, b in self._keys:
            one = parts[a]
            if not one:
                out.append(0)
            elif b < 0:
                out.append(one * _C1 & _FULL)
            elif two := parts[b]:
                h = ((one << 32) | two) * _C1 & _FULL
                h ^= h >> 32
                out.append(h * _C2 & _FULL)
            else:
                out.append(0)
        return out


class PairScorer:
    """Log-odds of one pair of records: the scalar form of `Scorer`."""

    def __init__(self, model: LinkageModel) -> None:
        w = model.weights
        self.kinds = w.kinds
        self._n = len(w.kinds)
        self._compare = [level_function(k) for k in w.kinds]
        ratio = w.log_ratio
        self._says = [[tuple(ratio[:, f, level].tolist()) for level in range(8)] for f in range(self._n)]
        self._log_pi = [math.log(p) for p in w.pi.tolist()]
        self._unrelated = math.log1p(-float(w.pi.sum()))
        free = free_fields(w.kinds)
        free[4] = False
        self._free = [[bool(free[c, f]) for c in range(5)] for f in range(self._n)]
        self._counted = [DEFINITIONS[k].frequency_levels for k in w.kinds]
        self._shares = model.shares
        self._mean = [math.log(float(w.u[f, 1]) + 1 / max(s.filled, 1)) for f, s in enumerate(model.shares)]
        self._known: list[dict[str, float]] = [{} for _ in w.kinds]
        kinds = list(w.kinds)
        self._given = kinds.index(Kind.GIVEN_NAME) if Kind.GIVEN_NAME in kinds else -1
        self._surname = kinds.index(Kind.SURNAME) if Kind.SURNAME in kinds else -1
        self._both = self._given >= 0 and self._surname >= 0
        self._emails = [f for f, k in enumerate(kinds) if k is Kind.EMAIL]
        self._moved = model.calibration
        self._hashed: dict[str, int] = {}
        self._nicknames: dict[tuple[int, int], float] = {}
        if model.nicknames is not None and self._given >= 0:
            n = model.nicknames
            self._nicknames = {
                (min(a, b), max(a, b)): x
                for a, b, x in zip(n.left.tolist(), n.right.tolist(), n.nats.tolist(), strict=True)
            }
        self._bounds()

    def _bounds(self) -> None:
        """Most that a level can say for one person."""
        self._top = [[max(says[0], says[1]) for says in field] for field in self._says]
        self._best_nickname = max([0.0, *self._nicknames.values()])
        self._last = [len(DEFINITIONS[k].levels) for k in self.kinds]
        self._start = max(self._log_pi[0], self._log_pi[1]) + math.log(2) - self._unrelated + 1e-6

    def excess(self, field: int, value: str) -> float:
        """How much more (or less) than average an agreement on this value says."""
        known = self._known[field]
        found = known.get(value)
        if found is None:
            shares = self._shares[field]
            count = 1.0
            if len(shares.hashes):
                h = value_hash(value)
                at = int(shares.hashes.searchsorted(shares.hashes.dtype.type(h)))
                if at < len(shares.hashes) and int(shares.hashes[at]) == h:
                    count = float(shares.counts[at])
            found = self._mean[field] - math.log(count / max(shares.filled, 1))
            if len(known) >= KEPT:
                known.clear()
            known[value] = found
        return found

    def levels(self, left: Values, right: Values) -> list[int]:
        """Agreement level of every field, swapped names included."""
        out = [
            0 if not a or not b else 1 if a == b else how(a, b)
            for how, a, b in zip(self._compare, left, right, strict=True)
        ]
        if self._both:
            g, s = self._given, self._surname
            if out[g] > 2 and out[s] > 2 and left[g] == right[s] and right[g] == left[s]:
                out[g], out[s] = SWAPPED, 0
        return out

    def log_odds(self, left: Values, right: Values) -> float:
        """Log-odds that both records are one person.

        Parameters
        ----------
        left, right : values of the model's fields, None where missing
        """
        return self._of_levels(left, right, self.levels(left, right))

    def probe(self, values: Values, *, least: float) -> Probe:
        """A record made ready to be compared with many others; pairs below `least` are given up early."""
        return Probe(self, values, least)

    def _nickname(self, a: str, b: str) -> float:
        x, y = self._hash_of(a), self._hash_of(b)
        return self._nicknames.get((x, y) if x < y else (y, x), 0.0)

    def _hash_of(self, name: str) -> int:
        found = self._hashed.get(name)
        if found is None:
            if len(self._hashed) >= KEPT:
                self._hashed.clear()
            found = self._hashed[name] = value_hash(name)
        return found

    def terms(self, left: Values, right: Values, levels: Sequence[int]) -> list[float]:
        """Nats that the rarity of each field's values adds."""
        out = [0.0] * self._n
        for f, level in enumerate(levels):
            if 0 < level <= self._counted[f]:
                a, b = left[f], right[f]
                mine = self.excess(f, a)  # type: ignore[arg-type]
                if level == 1:
                    out[f] = mine
                else:
                    least = min(mine, self.excess(f, b))  # type: ignore[arg-type]
                    out[f] = min(max(0.5 * least, -MOST), MOST)
        return out

    def says(self, field: int, level: int) -> float:
        """Nats that a level of a field speaks for one person against chance, rarity not counted."""
        return self._says[field][level][0] if level else 0.0

    def _of_levels(self, left: Values, right: Values, levels: Sequence[int]) -> float:
        scores = [0.0] * 5
        learned = 0.0
        terms = self.terms(left, right, levels)
        for f, term in enumerate(terms):
            if term:
                for c, felt in enumerate(self._free[f]):
                    if felt:
                        scores[c] += term
        g, s = self._given, self._surname
        if g >= 0 and self._nicknames and FIRST <= levels[g] <= LAST:
            learned = self._nickname(left[g], right[g])  # type: ignore[arg-type]
            for c, one_person in enumerate(SAME_PERSON.tolist()):
                if one_person:
                    scores[c] += learned
        named = self._both and (levels[g] == SWAPPED or (0 < levels[g] <= 4 and 0 < levels[s] <= 4))
        scores = [p + r for p, r in zip(self._log_pi, scores, strict=True)]
        for f, level in enumerate(levels):
            if level:
                a, b, c, d, e = self._says[f][level]
                if named and f in self._emails:
                    c = d = e
                scores[0] += a
                scores[1] += b
                scores[2] += c
                scores[3] += d
                scores[4] += e
        same = _logaddexp(scores[0], scores[1])
        other = _logaddexp(_logaddexp(scores[2], scores[3]), _logaddexp(scores[4], self._unrelated))
        return same - other if self._moved is None else self._calibrated(same - other, levels, terms, learned)

    def _calibrated(self, odds: float, levels: Sequence[int], terms: Sequence[float], learned: float) -> float:
        """What judgements made of the evidence: see `Calibration`."""
        moved = self._moved
        assert moved is not None
        odds = (1 + moved.slope) * odds + moved.shift
        for f, coefficient in enumerate(moved.fields.values()):
            odds += coefficient * (self._says[f][levels[f]][0] + terms[f] + (learned if f == self._given else 0.0))
        return odds


_Field = tuple[int, str, float, float, list[float], Callable[[str, str], int]]


class Probe:
    """One record against many: what each level of each field could say at most is worked out once."""

    def __init__(self, scorer: PairScorer, values: Values, least: float) -> None:
        self._scorer = scorer
        self._values = values
        self._least = least if scorer._moved is None else -math.inf  # a bound on evidence says nothing after judgements
        self._fields: list[_Field] = []
        for f, value in enumerate(values):
            if value:
                top, counted = scorer._top[f], scorer._counted[f]
                excess = scorer.excess(f, value) if counted else 0.0
                fuzzy = min(max(0.5 * excess, -MOST), MOST)
                most = [x + (fuzzy if i <= counted else 0.0) for i, x in enumerate(top)]
                if f == scorer._given:
                    for i in range(FIRST, LAST + 1):
                        most[i] += scorer._best_nickname
                unequal = max(most[2 : scorer._last[f] + 1])
                self._fields.append((f, value, top[1] + excess, unequal, most, scorer._compare[f]))
        # fields whose disagreement lowers the bound most come first: they end hopeless comparisons soonest
        self._fields.sort(key=lambda x: x[4][scorer._last[x[0]]] - x[3])
        g, s = scorer._given, scorer._surname
        self._swap = (g, s) if scorer._both and values[g] and values[s] else None

    def with_(self, others: Values) -> float:
        """Log-odds with another record; -inf where they are proved to lie below the least."""
        bound = self._scorer._start
        odd = []
        for field in self._fields:
            other = others[field[0]]
            if other:
                if field[1] == other:
                    bound += field[2]
                else:
                    odd.append((field, other))
                    bound += field[3]
        return self._judged(bound, odd, others)

    def with_codes(self, codes: Sequence[int], words: Sequence[Sequence[str]]) -> float:
        """The same where the other record's values stand as codes."""
        bound = self._scorer._start
        odd = []
        for field in self._fields:
            code = codes[field[0]]
            if code >= 0:
                other = words[field[0]][code]
                if field[1] == other:
                    bound += field[2]
                else:
                    odd.append((field, other))
                    bound += field[3]
        return self._judged(bound, odd, _Decoded(codes, words))

    def _judged(self, bound: float, odd: list[tuple[_Field, str]], others: Values) -> float:
        """Compare values that differ, those that can lower the bound most first, until nothing is left to hope for."""
        if self._swap is not None:
            g, s = self._swap
            if self._values[g] == others[s] and self._values[s] == others[g]:
                return self._scorer.log_odds(self._values, [others[f] for f in range(self._scorer._n)])
        least = self._least
        if bound < least:
            return -math.inf
        for (_, value, _, unequal, most, compare), other in odd:
            bound += most[compare(value, other)] - unequal
            if bound < least:
                return -math.inf
        return self._scorer.log_odds(self._values, [others[f] for f in range(self._scorer._n)])


class _Decoded(Sequence[str | None]):
    """Values of a record that stand as codes, read when they are asked for."""

    def __init__(self, codes: Sequence[int], words: Sequence[Sequence[str]]) -> None:
        self._codes, self._words = codes, words

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, field: Any) -> Any:
        code = self._codes[field]
        return self._words[field][code] if code >= 0 else None


def _logaddexp(a: float, b: float) -> float:
    return a + math.log1p(math.exp(b - a)) if a >= b else b + math.log1p(math.exp(a - b))
