"""One generated table of persons in households, of any size, with the truth: input of the speed and peer benchmarks.

Made-up names of syllables with long-tailed shares; members of a household share address, often surname and telephone,
and must not be merged. Four rows in five are distinct persons; the fifth is a second (third, ...) record of one of them
with typing slips, short forms, a move, a new telephone. Cells are missing everywhere. About .225 true pairs a record.
Everything is columns; a million records take some seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "MadePeople", "make_people"]

Texts = NDArray[np.str_]
Ints = NDArray[np.int64]

KINDS = {  # column -> what it is, in the order of the table
    "first_name": "given name", "surname": "surname", "dob": "birth date", "phone": "phone", "street": "street",
    "city": "city", "postcode": "postcode", "email": "email",
}  # fmt: skip
MISSING = {
    "first_name": 0.02, "surname": 0.02, "dob": 0.12, "phone": 0.20, "street": 0.10, "city": 0.08, "postcode": 0.10,
    "email": 0.35,
}  # fmt: skip
SLIPS = {  # share of second records with one slip, and the signs it is made of
    "first_name": (0.12, "abcdefghijklmnopqrstuvwxyz"), "surname": (0.12, "abcdefghijklmnopqrstuvwxyz"),
    "dob": (0.06, "0123456789"), "phone": (0.05, "0123456789"), "street": (0.12, "abcdefghijklmnopqrstuvwxyz"),
    "email": (0.08, "abcdefghijklmnopqrstuvwxyz"),
}  # fmt: skip
SHORT_FORM, MOVED, NEW_PHONE = 0.06, 0.12, 0.20


@attrs.frozen(eq=False)
class MadePeople:
    """Eight text columns (missing = masked), and whose each record is."""

    columns: dict[str, Texts]
    missing: dict[str, NDArray[np.bool_]]
    person: Ints

    def __len__(self) -> int:
        return len(self.person)

    def to_arrow(self) -> Any:
        """A pyarrow table: unique_id (opaque), the eight columns, and the truth as `person`."""
        import pyarrow as pa

        cells = {"unique_id": pa.array(np.char.mod("r%08d", np.arange(len(self))).astype(object), pa.string())}
        for name, values in self.columns.items():
            cells[name] = pa.array(values.astype(object), pa.string(), mask=self.missing[name])
        return pa.table(cells | {"person": pa.array(self.person)})


def make_people(n: int, *, seed: int = 2026) -> MadePeople:
    """Make a table of n records."""
    rng = np.random.default_rng(seed)
    persons = n - n // 5
    who = np.concatenate([np.arange(persons), rng.integers(0, persons, n - persons)])
    again = np.arange(n) >= persons
    home, names = _households(rng, persons), _Words(rng)
    k = int(home[-1]) + 1
    family = names.draw("surname", k)
    given = names.draw("given", persons)
    surname = np.where(rng.random(persons) < 0.85, family[home], names.draw("surname", persons))
    born = np.datetime64("1935-01-01") + rng.integers(0, 72 * 365, persons)
    shared = rng.random(persons) < 0.4
    phone = np.where(shared, _phones(rng, k)[home], _phones(rng, persons))
    email = _joined(given, ".", surname, rng.integers(1, 1000, persons).astype(str), names.draw("mail", persons))
    address = np.where(again & (rng.random(n) < MOVED), rng.integers(0, k, n), home[who])
    town = names.draw_codes("city", k)
    where = {
        "street": _joined(rng.integers(1, 300, k).astype(str), " ", names.draw("street", k)),
        "city": names.lists["city"][town],
        "postcode": (10_000 + town * 7 + rng.integers(0, 7, k)).astype(str),
    }
    columns = {
        "first_name": given[who], "surname": surname[who], "dob": born.astype(str)[who],
        "phone": np.where(again & (rng.random(n) < NEW_PHONE), _phones(rng, n), phone[who]),
        **{name: values[address] for name, values in where.items()}, "email": email[who],
    }  # fmt: skip
    short = again & (rng.random(n) < SHORT_FORM)
    columns["first_name"][short] = columns["first_name"][short].astype("U3")
    for name, (rate, signs) in SLIPS.items():
        at = np.flatnonzero(again & (rng.random(n) < rate))
        wrong = slip(columns[name][at], signs, rng)
        columns[name] = columns[name].astype(wrong.dtype)
        columns[name][at] = wrong
    order = rng.permutation(n)
    missing = {name: rng.random(n) < rate for name, rate in MISSING.items()}
    return MadePeople({name: columns[name][order] for name in KINDS}, missing, who[order])


def _households(rng: np.random.Generator, persons: int) -> Ints:
    """(persons,) household of each, ascending."""
    sizes = rng.choice(np.arange(1, 6), persons, p=[0.35, 0.30, 0.17, 0.13, 0.05])
    return np.repeat(np.arange(persons), sizes)[:persons]


def _phones(rng: np.random.Generator, n: int) -> Texts:
    return np.char.add("07", np.char.zfill(rng.integers(0, 10**9, n).astype(str), 9))


def _joined(*parts: Any) -> Texts:
    out: Texts = parts[0]
    for part in parts[1:]:
        out = np.char.add(out, part)
    return out


class _Words:
    """Lists of made-up words and their long-tailed shares."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        words: Callable[..., Texts] = self._words
        self.lists: dict[str, Texts] = {
            "given": words(3_000, 2, 4), "surname": words(20_000, 2, 5), "city": words(1_500, 3, 5),
            "street": _joined(words(8_000, 2, 4), " ", rng.choice(["street", "road", "lane", "avenue"], 8_000)),
            "mail": np.array(["@mail.example", "@post.example", "@inbox.example", "@letters.example"]),
        }  # fmt: skip
        self._tail = {"given": 0.9, "surname": 0.85, "city": 0.8, "street": 0.0, "mail": 0.5}

    def _words(self, n: int, shortest: int, longest: int) -> Texts:
        """n distinct words of some syllables."""
        syllables = np.array([c + v for c in "bcdfghjklmnprstvw" for v in "aeiou"])
        made = np.empty(0, "U1")
        while len(made) < n:
            parts = self._rng.choice(syllables, (2 * n, longest))
            parts[np.arange(longest) >= self._rng.integers(shortest, longest + 1, 2 * n)[:, None]] = ""
            end = self._rng.choice(["", "", "", "b", "n", "r", "s", "t"], 2 * n)
            made = np.unique(np.concatenate([made, _joined(*parts.T, end)]))
        return self._rng.permutation(made)[:n]

    def draw_codes(self, name: str, n: int) -> Ints:
        """(n,) positions in a list, by its shares."""
        weights = 1.0 / (np.arange(len(self.lists[name])) + 2.7) ** self._tail[name]
        return np.searchsorted(np.cumsum(weights / weights.sum())[:-1], self._rng.random(n), "right")

    def draw(self, name: str, n: int) -> Texts:
        """(n,) words."""
        return self.lists[name][self.draw_codes(name, n)]


def slip(values: Texts, signs: str, rng: np.random.Generator) -> Texts:
    """One slip in each value: a sign replaced, left out, added or exchanged with the next (digits: replaced).

    The result is one sign wider.

    Works on the matrix of code points: every slip is one choice of source positions, row by row.
    """
    if not len(values):
        return values
    width = values.dtype.itemsize // 4 + 1
    matrix = values.astype(f"U{width}").view(np.uint32).reshape(len(values), width)
    length = (matrix != 0).sum(axis=1)
    at = (rng.random(len(values)) * length).astype(np.int64)[:, None]
    how = (np.zeros(len(values), np.int64) if signs.isdigit() else rng.integers(0, 4, len(values)))[:, None]
    how = np.where((how == 1) & (length[:, None] < 2), 0, how)  # nothing would be left
    column = np.arange(width)[None, :]
    source = np.broadcast_to(column, matrix.shape).copy()
    source += (how == 1) & (column >= at)
    source -= (how == 2) & (column > at)
    swap = (how == 3) & (at + 1 < length[:, None])
    source += swap & (column == at)
    source -= swap & (column == at + 1)
    out = np.take_along_axis(np.pad(matrix, ((0, 0), (0, 1))), source, axis=1)
    fresh = np.array([ord(c) for c in signs], np.uint32)[rng.integers(0, len(signs), len(values))]
    write = np.flatnonzero((how == 0) | (how == 2))
    out[write, at[write, 0]] = fresh[write]
    return np.ascontiguousarray(out).view(f"U{width}").ravel()
