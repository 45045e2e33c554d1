"""Which of a million records could be this one: blocking and scoring of one record at a time, without scanning.

Records that were there at the start lie in sorted arrays, 8 bytes per record and key; later ones in dictionaries, which
are folded into the arrays as they grow. A block with more than `model.cap` records is passed over, exactly as `link`
does, so a record's candidates here are its candidates there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.linkage.blocking import KeySpace, row_bits
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Records
from crmcore.linkage.scalar import KeyHasher, PairScorer, Values
from crmcore.linkage.scoring import spread

__all__ = ["Candidate", "LinkageIndex"]

LATE = 8_192  # records that may wait in dictionaries before they are folded into the arrays


class Candidate(NamedTuple):
    """A record that may be the one asked for."""

    row: int
    log_odds: float
    p: float


class LinkageIndex:
    """Records under a model, ready to be asked which of them could be one more record.

    Rows are numbered as records come; the number of a removed record is never given again.

    Examples
    --------
    >>> from crmcore.linkage.linking import link
    >>> people = Records.from_columns(
    ...     {"name": ["anna", "bert", "carl", "dora"], "email": ["a@x.org", "b@x.org", "c@x.org", "d@x.org"]},
    ...     {"name": "given name", "email": "email"},
    ... )
    >>> index = LinkageIndex.of(people, LinkageModel.default(people.kinds))
    >>> [m.row for m in index.match(["anna", "a@x.org"])]
    [0]
    """

    def __init__(self, model: LinkageModel) -> None:
        self.model = model
        self.scorer = PairScorer(model)
        self.hasher = KeyHasher(model)
        self._names = tuple(model.fields)
        self._codes = np.zeros((0, len(self._names)), np.int32)  # of the records that lie in the arrays
        self._words: tuple[tuple[str, ...], ...] = ((),) * len(self._names)
        self._late_values: list[tuple[str | None, ...]] = []
        self._gone: set[int] = set()
        self._lost: list[dict[int, int]] = [{} for _ in range(len(self.hasher))]  # removed records of a block
        self._packed = np.zeros(0, np.uint64)
        self._bits = 1
        self._key_bits = max((len(self.hasher) - 1).bit_length(), 1)
        self._late: list[dict[int, list[int]]] = [{} for _ in range(len(self.hasher))]
        self._waiting = 0

    @classmethod
    def of(cls, records: Records, model: LinkageModel) -> LinkageIndex:
        """Build the index of many records at once.

        Raises
        ------
        MissingColumn
            The records lack a field of the model.
        """
        index = cls(model)
        chosen = model.select(records)
        index._codes = np.column_stack([c.codes for c in chosen.columns]).astype(np.int32)
        index._words = tuple(c.values for c in chosen.columns)
        index._bits = row_bits(2 * max(len(chosen), 1))
        space = KeySpace.of(chosen)

        def packed(k: int) -> NDArray[np.uint64]:
            values = space.values(model.keys[k])
            at = np.flatnonzero(values)
            found = index._prefix(values[at], k) | at.astype(np.uint64)
            found.sort()
            return found

        parts = list(spread(packed, range(len(model.keys))))
        index._packed = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        return index

    def __len__(self) -> int:
        return len(self._codes) + len(self._late_values) - len(self._gone)

    def __repr__(self) -> str:
        return f"LinkageIndex({len(self)} records, {len(self._names)} fields, {len(self.hasher)} keys)"

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and 0 <= row < self.end and row not in self._gone

    @property
    def end(self) -> int:
        """Row number that the next record gets."""
        return len(self._codes) + len(self._late_values)

    def values(self, row: int) -> tuple[str | None, ...]:
        """Normalised values of a record, in the order of the model's fields."""
        first = len(self._codes)
        if row >= first:
            return self._late_values[row - first]
        codes = self._codes[row].tolist()
        return tuple([w[c] if c >= 0 else None for w, c in zip(self._words, codes, strict=True)])

    def row_of(self, record: Values) -> tuple[str | None, ...]:
        """Check the number of values of a record; empty text is missing.

        Raises
        ------
        OutOfRange
            Not one value per field of the model.
        """
        if len(record) != len(self._names):
            hint = f"give one value (or None) for each of {', '.join(self._names)}"
            raise OutOfRange("values", f"{len(record)} values", f"{len(self._names)}", hint)
        return tuple([v or None for v in record])

    def add(self, values: Values, *, keys: Sequence[int] | None = None) -> int:
        """Hold one more record; returns its row.

        Parameters
        ----------
        values : normalised values in the order of the model's fields
        keys : what `hasher(values)` gave, where it is known already
        """
        row = self.end
        self._late_values.append(self.row_of(values))
        for held, h in zip(self._late, self.hasher(values) if keys is None else keys, strict=True):
            if h:
                found = held.get(h)
                if found is None:
                    held[h] = [row]
                else:
                    found.append(row)
        self._waiting += 1
        if self._waiting >= max(LATE, len(self._codes) // 8):
            self._fold()
        return row

    def remove(self, row: int) -> None:
        """Forget one record, as if it had never come."""
        if row not in self:
            raise OutOfRange("row", row, f"a record held, 0 to {self.end - 1}", "it was removed, or never came")
        self._gone.add(row)
        for lost, h in zip(self._lost, self.hasher(self.values(row)), strict=True):
            if h:
                lost[h] = lost.get(h, 0) + 1

    def blocks(self, keys: Sequence[int], *, most: int) -> list[tuple[int, list[int]]]:
        """Blocks of at most `most` records that these keys name: number of the key, rows in it."""
        found = self._early(keys, most) if len(self._packed) else {}
        out = []
        gone, waiting = self._gone, self._late
        for k, h in enumerate(keys):
            if h:
                rows = found.get(k)
                late = waiting[k].get(h)
                if late is not None:
                    limit = most + self._lost[k].get(h, 0) if gone else most
                    if len(late) + (0 if rows is None else len(rows)) > limit:
                        continue
                    rows = late if rows is None else rows + late
                if rows:
                    live = [r for r in rows if r not in gone] if gone else rows
                    if live and len(live) <= most:
                        out.append((k, live))
        return out

    def _early(self, keys: Sequence[int], most: int) -> dict[int, list[int]]:
        """Rows of each block in the arrays; of a block that is too large, one row too many."""
        named = [k for k, h in enumerate(keys) if h]
        at = np.array(named, np.uint64)
        prefix = self._prefix(np.array([keys[k] for k in named], np.uint64), at)
        mask = np.uint64((1 << self._bits) - 1)
        packed = self._packed
        first = packed.searchsorted(prefix)
        here = packed[np.minimum(first, len(packed) - 1)]
        hit = np.flatnonzero((here & ~mask) == prefix)
        if not len(hit):
            return {}
        first = first[hit]
        last = packed.searchsorted(prefix[hit] | mask, side="right")
        listed = [named[i] for i in hit.tolist()]
        limit = [most + 1 + self._lost[k].get(keys[k], 0) for k in listed] if self._gone else most + 1
        sizes = np.minimum(last - first, limit)
        ends = sizes.cumsum()
        rows = (packed[np.repeat(first - ends + sizes, sizes) + np.arange(ends[-1])] & mask).tolist()
        out, begin = {}, 0
        for k, end in zip(listed, ends.tolist(), strict=True):
            out[k] = rows[begin:end]
            begin = end
        return out

    def candidates(self, values: Values) -> list[int]:
        """Rows that share a block with this record, were it one more: ascending.

        Parameters
        ----------
        values : normalised values in the order of the model's fields
        """
        return self.candidates_of(self.hasher(self.row_of(values)))

    def candidates_of(self, keys: Sequence[int]) -> list[int]:
        """The same by keys."""
        rows: set[int] = set()
        for _, block in self.blocks(keys, most=self.model.cap - 1):
            rows.update(block)
        return sorted(rows)

    def match(self, values: Values, *, least: float | None = None) -> list[Candidate]:
        """Records that may be this one, most probable first.

        Parameters
        ----------
        values : normalised values in the order of the model's fields, None where missing
        least : log-odds below which a record is left out; the model's floor by default

        Returns
        -------
        list of (row, log-odds, probability)
        """
        record = self.row_of(values)
        found = self.scored(record, self.candidates(record), least=self.model.floor if least is None else least)
        return sorted((Candidate(r, x, _p(x)) for r, x in found), key=lambda c: (-c.log_odds, c.row))

    def scored(self, values: Values, rows: Iterable[int], *, least: float) -> list[tuple[int, float]]:
        """Log-odds of a record with each of several rows, where they reach `least`."""
        first = len(self._codes)
        listed = list(rows)
        early = [r for r in listed if r < first]
        probe, words = self.scorer.probe(values, least=least), self._words
        out = []
        if early:
            for row, codes in zip(early, self._codes[early].tolist(), strict=True):
                odds = probe.with_codes(codes, words)
                if odds >= least:
                    out.append((row, odds))
        for row in listed:
            if row >= first:
                odds = probe.with_(self._late_values[row - first])
                if odds >= least:
                    out.append((row, odds))
        return out

    def _prefix(self, values: NDArray[np.uint64], key: int | NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Number of the key, upper bits of its value, zeros for the row."""
        keys = np.asarray(key, np.uint64) << np.uint64(64 - self._key_bits)
        bits = np.uint64(self._bits)
        return keys | ((values >> np.uint64(self._key_bits)) >> bits) << bits

    def _fold(self) -> None:
        """Move waiting records from the dictionaries into the sorted arrays."""
        bits = max(self._bits, row_bits(2 * self.end))
        if bits > self._bits:
            mask = np.uint64((1 << self._bits) - 1)
            rows = self._packed & mask
            self._packed = ((self._packed >> np.uint64(bits)) << np.uint64(bits)) | rows
            self._packed.sort()
            self._bits = bits
        parts = [self._packed]
        for k, held in enumerate(self._late):
            sizes = [len(rows) for rows in held.values()]
            hashes = np.repeat(np.fromiter(held, np.uint64, len(held)), sizes)
            rows = np.fromiter((r for block in held.values() for r in block), np.uint64, len(hashes))
            parts.append(self._prefix(hashes, k) | rows)
            held.clear()
        self._packed = np.concatenate(parts)
        self._packed.sort(kind="stable")
        self._waiting = 0


def _p(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(log_odds, -60.0), 60.0)))
