"""Paths to conversion, counted: equal paths are one row, and the counts of two periods add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import read_frame
from crmcore.errors import BadDocument, EmptyInput, MissingColumn, OutOfRange, UnknownName
from crmcore.metrics.columns import SAME, columns_frame, held, held_floats, held_whole, not_negative, numbers, refuse

__all__ = ["PathCounts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NUL = "\0"


@attrs.frozen(kw_only=True, hash=False, repr=False)
class PathCounts:
    """Touches in their order, one row a distinct path, with how often it led to a conversion and how often not.

    Attributes
    ----------
    channels : C names
    start : (m + 1,)
        Path j is `touch[start[j]:start[j + 1]]`; no path is empty.
    touch : (n,) codes into channels
        First touch of a path first.
    conversions, nulls : (m,) counts, 0 or more
        Journeys along the path that ended in a conversion, and that did not.
    value : (m,) money
        Sum over the conversions of the path, any unit; the number of conversions where nothing else is known.
    days_before : (n,) days from the touch to the end of its path; NaN = not known
        Paths with times are not merged.
    """

    channels: tuple[str, ...]
    start: Ints = attrs.field(converter=held_whole, eq=SAME)
    touch: NDArray[np.int32] = attrs.field(converter=held, eq=SAME)
    conversions: Floats = attrs.field(converter=held_floats, eq=SAME)
    nulls: Floats = attrs.field(converter=held_floats, eq=SAME)
    value: Floats = attrs.field(converter=held_floats, eq=SAME)
    days_before: Floats | None = attrs.field(default=None, converter=attrs.converters.optional(held_floats), eq=SAME)

    @classmethod
    def of(
        cls, paths: Sequence[str | Sequence[str]], *, conversions: ArrayLike | None = None,
        nulls: ArrayLike | None = None, value: ArrayLike | None = None, separator: str = ">",
        channels: Sequence[str] | None = None, merge: bool = True,
    ) -> PathCounts:  # fmt: skip
        """Read paths: texts such as "search > e-mail", or lists of channels.

        Parameters
        ----------
        paths : m paths
            An empty path (no touch before the conversion) is a bad row: name it "direct" or leave it out.
        conversions, nulls : (m,) counts, optional
            How often each ended in a conversion and how often not. Without both, every path is one conversion.
        value : (m,) money, optional
            Of all conversions of the path together; None counts each conversion as 1.
        separator : text
            Between the channels of a text.
        channels : names, optional
            All there are, in the order wanted; a touch of another one is refused. None takes those that occur.
        merge : bool
            Make equal paths one row; False keeps row j path j.

        Raises
        ------
        BadRows
            Empty paths, missing or negative counts, value without a conversion; all rows at once.
        UnknownName
            A touch outside `channels`.

        Examples
        --------
        >>> PathCounts.of(["search > e-mail", "search"], conversions=[3, 1], nulls=[5, 9])
        PathCounts(2 paths of 2 channels, 4 conversions, 14 nulls)
        """
        if not len(paths):
            raise EmptyInput("paths", "pass at least one path with a touch")
        names, flat, lengths = _read(list(paths), separator)
        bad = np.bincount(np.repeat(np.arange(len(lengths)), lengths)[flat < 0], minlength=len(lengths)) > 0
        hint = 'a path without touches may be named "direct"'
        refuse("paths", hint, path=(bad | (lengths == 0), "empty, or a touch without name"))
        if channels is not None:
            odd = [c for c in names if c not in set(channels)]
            if odd:
                raise UnknownName("channel", odd[0], tuple(channels))
            place = {c: i for i, c in enumerate(channels)}
            flat, names = np.array([place[c] for c in names], np.int32)[flat], tuple(channels)
        return cls.of_codes(
            flat, np.concatenate([[0], np.cumsum(lengths)]), channels=names, conversions=conversions, nulls=nulls,
            value=value, merge=merge,
        )  # fmt: skip

    @classmethod
    def from_frame(
        cls, frame: Any, *, path: str = "path", conversions: str | None = "conversions", nulls: str | None = "nulls",
        value: str | None = "value", separator: str = ">",
    ) -> PathCounts:  # fmt: skip
        """Read any frame of paths and counts; arguments are names of columns, those but `path` may be absent.

        Examples
        --------
        >>> PathCounts.from_frame({"path": ["search > e-mail", "search"], "conversions": [3, 1], "nulls": [5, 9]})
        PathCounts(2 paths of 2 channels, 4 conversions, 14 nulls)
        """
        read = read_frame(frame)
        if path not in read.columns:
            raise MissingColumn(path, read.columns)
        given = {"conversions": conversions, "nulls": nulls, "value": value}
        cells: dict[str, Any] = {k: read.column(c) for k, c in given.items() if c is not None and c in read.columns}
        listed: list[Any] = ["" if p is None else p for p in read.column(path)]
        return cls.of(listed, separator=separator, **cells)

    @classmethod
    def of_codes(
        cls, touch: ArrayLike, start: ArrayLike, *, channels: Sequence[str], conversions: ArrayLike | None = None,
        nulls: ArrayLike | None = None, value: ArrayLike | None = None, days_before: ArrayLike | None = None,
        merge: bool = True,
    ) -> PathCounts:  # fmt: skip
        """Read coded paths; equal ones are merged, unless times are given.

        Parameters
        ----------
        touch : (n,) codes into `channels`
        start : (m + 1,)
            Path j is `touch[start[j]:start[j + 1]]`.
        conversions, nulls, value, days_before, merge
            As in the class; see `of`. Paths with times are never merged.

        Examples
        --------
        >>> PathCounts.of_codes([0, 1, 0, 1], [0, 2, 4], channels=["search", "e-mail"])
        PathCounts(1 paths of 2 channels, 2 conversions, 0 nulls)
        """
        codes, edges = np.asarray(touch), np.asarray(start)
        m = len(edges) - 1
        if codes.dtype.kind not in "iu" or edges.dtype.kind not in "iu":
            raise OutOfRange("touch, start", f"{codes.dtype}, {edges.dtype}", "whole numbers", "pass codes, not names")
        if m < 1 or edges[0] != 0 or edges[-1] != len(codes):
            raise OutOfRange("start", edges[[0, -1]].tolist() if len(edges) else [], f"0 to {len(codes)}", "(m + 1,)")
        refuse("paths", "every path holds a touch; start ascends", path=(np.diff(edges) < 1, "empty"))
        refuse(
            "paths", f"codes run from 0 to {len(channels) - 1}",
            touch=((codes < 0) | (codes >= len(channels)), "no channel"),
        )  # fmt: skip
        made, lost, money = _counts(m, conversions, nulls, value)
        ago = None if days_before is None else numbers("days_before", days_before, infinite_ok=False)
        if ago is not None:
            refuse("paths", "days count back from the end of the path", days_before=(ago < 0, "after the end"))
        found = cls(
            channels=tuple(channels), start=edges, touch=codes.astype(np.int32), conversions=made, nulls=lost,
            value=money, days_before=ago,
        )  # fmt: skip
        return found.merged() if merge and ago is None else found

    def __len__(self) -> int:
        return len(self.start) - 1

    def __repr__(self) -> str:
        counts = f"{number_text(self.conversions.sum())} conversions, {number_text(self.nulls.sum())} nulls"
        return f"PathCounts({len(self)} paths of {len(self.channels)} channels, {counts})"

    @property
    def lengths(self) -> Ints:
        """(m,) touches of each path."""
        return np.diff(self.start)

    @property
    def path_of(self) -> Ints:
        """(n,) path of each touch."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def total(self) -> float:
        """Conversions of all paths."""
        return float(self.conversions.sum())

    def path(self, row: int) -> tuple[str, ...]:
        """Channels of one path."""
        return tuple(self.channels[c] for c in self.touch[self.start[row] : self.start[row + 1]].tolist())

    def merged(self) -> PathCounts:
        """Equal paths as one row; times are dropped. The order is that of first appearance."""
        group = self.groups()
        size = int(group.max()) + 1
        first = np.full(size, len(self), np.int64)
        np.minimum.at(first, group, np.arange(len(self)))
        lengths = self.lengths[first]
        edges = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.start[first] - edges[:-1], lengths) + np.arange(edges[-1])
        sums = [np.bincount(group, c, size) for c in (self.conversions, self.nulls, self.value)]
        return PathCounts(
            channels=self.channels, start=edges, touch=self.touch[places], conversions=sums[0], nulls=sums[1],
            value=sums[2],
        )  # fmt: skip

    def groups(self) -> Ints:
        """(m,) number of the distinct path that each row is, by first appearance."""
        lengths, group = self.lengths, np.empty(len(self), np.int64)
        base = 0
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            cells = np.ascontiguousarray(self.touch[self.start[rows][:, None] + np.arange(length)])
            keys = cells.view(np.dtype((np.void, cells.itemsize * length))).ravel() if length > 1 else cells.ravel()
            _, code = np.unique(keys, return_inverse=True)
            group[rows] = base + code.ravel()
            base += int(code.max()) + 1
        _, first, dense = np.unique(group, return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first, kind="stable")] = np.arange(len(first))
        found: Ints = rank[dense]
        return found

    def take(self, rows: ArrayLike, /) -> PathCounts:
        """Paths by position or mask; channels stay as they are."""
        keep = np.arange(len(self))[np.asarray(rows)]
        lengths = self.lengths[keep]
        edges = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.start[keep] - edges[:-1], lengths) + np.arange(edges[-1])
        return attrs.evolve(
            self, start=edges, touch=self.touch[places], conversions=self.conversions[keep], nulls=self.nulls[keep],
            value=self.value[keep], days_before=None if self.days_before is None else self.days_before[places],
        )  # fmt: skip

    def __add__(self, other: PathCounts) -> PathCounts:
        names = {c: i for i, c in enumerate(self.channels)}
        coded = np.array([names.setdefault(c, len(names)) for c in other.channels], np.int32)
        both = (self, other)
        timed = all(p.days_before is not None for p in both)
        joined = PathCounts(
            channels=tuple(names), start=np.concatenate([self.start, other.start[1:] + self.start[-1]]),
            touch=np.concatenate([self.touch, coded[other.touch]]),
            **{k: np.concatenate([getattr(p, k) for p in both]) for k in ("conversions", "nulls", "value")},
            days_before=np.concatenate([p.days_before for p in both if p.days_before is not None]) if timed else None,
        )  # fmt: skip
        return joined if timed else joined.merged()

    def within(self, days: float, /) -> PathCounts:
        """Paths cut to the touches of the last `days` before their end: a look-back window.

        Paths of which nothing is left are dropped; their conversions are nobody's. Touches of unknown time stay.
        """
        if self.days_before is None:
            raise EmptyInput("days_before", "read the paths with times: a look-back window needs them")
        if not days >= 0:
            raise OutOfRange("days", days, "0 or more", "30 is usual")
        keep = ~(self.days_before > days)
        left = np.bincount(self.path_of[keep], minlength=len(self))
        rows = left > 0
        if not rows.any():
            raise EmptyInput("paths within the look-back window", "take a longer window")
        return attrs.evolve(
            self, start=np.concatenate([[0], np.cumsum(left[rows])]), touch=self.touch[keep],
            conversions=self.conversions[rows], nulls=self.nulls[rows], value=self.value[rows],
            days_before=self.days_before[keep],
        )  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a path: path, conversions, nulls, value."""
        texts = [" > ".join(self.path(j)) for j in range(len(self))]
        rest = {k: getattr(self, k) for k in ("conversions", "nulls", "value")}
        return columns_frame({"path": texts, **rest}, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = [f.name for f in attrs.fields(PathCounts) if f.name != "channels"]
        cells = {k: None if getattr(self, k) is None else getattr(self, k).tolist() for k in names}
        if self.days_before is not None:
            cells["days_before"] = [None if d != d else d for d in self.days_before.tolist()]
        return {"channels": list(self.channels), **cells}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> PathCounts:
        """Read what `to_dict` wrote."""
        try:
            return cls.of_codes(
                np.asarray(document["touch"], np.int32), np.asarray(document["start"], np.int64),
                merge=False, **{k: document[k] for k in ("channels", "conversions", "nulls", "value", "days_before")},
            )  # fmt: skip
        except KeyError as error:
            raise BadDocument("PathCounts", (f"{error.args[0]}: missing",), "pass what to_dict wrote") from None

    def _repr_html_(self) -> str:
        best = np.argsort(-self.conversions, kind="stable")[:10].tolist()
        rows = [
            {"path": " > ".join(self.path(j))[:120], "conversions": self.conversions[j], "nulls": self.nulls[j]}
            for j in best
        ]
        return html_table(rows, caption=repr(self))


def _read(paths: list[str | Sequence[str]], separator: str) -> tuple[tuple[str, ...], NDArray[np.int32], Ints]:
    """Names by first appearance, code of every touch (-1 = no name), touches of each path."""
    if not all(isinstance(p, str) for p in paths):  # names in a list may hold the separator
        paths = [p.replace(separator, NUL) if isinstance(p, str) else NUL.join(map(_name, p or ())) for p in paths]
        separator = NUL
    texts = [str(p) for p in paths]
    # one long text is split in one go; a path of nothing but blanks has one touch without a name
    words = separator.join(texts).split(separator)
    names: dict[str, int] = {}
    seen = {word: names.setdefault(name, len(names)) if (name := word.strip()) else -1 for word in dict.fromkeys(words)}
    flat = np.fromiter(map(seen.__getitem__, words), np.int32, len(words))
    return tuple(names), flat, np.fromiter((t.count(separator) + 1 for t in texts), np.int64, len(texts))


def _name(channel: object) -> str:
    """Name of a touch in a list; anything but text has none."""
    return channel if isinstance(channel, str) else ""


def _counts(
    m: int, conversions: ArrayLike | None, nulls: ArrayLike | None, value: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Counts of m paths, checked; without any, each path is one conversion."""
    if conversions is None and nulls is not None:
        raise EmptyInput("conversions", "pass conversions= beside nulls=, zeros where a path never converted")
    made = np.ones(m) if conversions is None else numbers("conversions", conversions, infinite_ok=False)
    lost = np.zeros(m) if nulls is None else numbers("nulls", nulls, infinite_ok=False)
    money = made if value is None else numbers("value", value, infinite_ok=False)
    for name, column in (("conversions", made), ("nulls", lost), ("value", money)):
        if len(column) != m:
            raise OutOfRange(f"len({name})", len(column), f"{m}, one a path", "row i of all columns is one path")
    not_negative("paths", conversions=made, nulls=lost)
    hint = "money comes with conversions; NaN is refused, write 0"
    refuse("paths", hint, value=(np.isnan(money) | ((money != 0) & (made == 0)), "missing, or without a conversion"))
    return made, lost, money
