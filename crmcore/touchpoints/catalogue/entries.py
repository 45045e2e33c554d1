"""A catalogue of touchpoints: look up by any of their names, edit, save, and classify columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, UnknownName, WrongType
from crmcore.metrics.shares import ShareTable, share_table
from crmcore.tables import TextColumn
from crmcore.touchpoints.catalogue.kinds import Form, Media, Phase
from crmcore.values.words import word

__all__ = ["UNLISTED", "Catalogue", "Classified", "Touchpoint", "plain_name"]

UNLISTED = "(not in the catalogue)"


def plain_name(name: str) -> str:
    """Name without case, accents of width, punctuation and spaces, for look-ups.

    Examples
    --------
    >>> plain_name("LINE  OA"), plain_name("line_oa"), plain_name("E-mail"), plain_name("รีวิว")
    ('lineoa', 'lineoa', 'email', 'รีวิว')
    """
    whole = unicodedata.normalize("NFKC", name).casefold()
    # letters, digits and marks stay: a Thai vowel is a mark
    return "".join(c for c in whole if unicodedata.category(c)[0] in "LNM") or whole.strip()


def _media(value: str) -> Media:
    return word(Media, value, "media")


def _form(value: str) -> Form:
    return word(Form, value, "form")


def _phase(value: str | None) -> Phase | None:
    return None if value is None else word(Phase, value, "phase")


def _names(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise WrongType("also", "a text", "a list of names", f"write also=[{given!r}]")
    return tuple(given)


@attrs.frozen
class Touchpoint:
    """A place where customers meet the brand.

    Parameters
    ----------
    name : text
        What reports call it.
    media : Media
        Whose it is.
    form : Form
        Physical or digital.
    phase : Phase, optional
        Set where the touchpoint itself tells when it is met (an advertisement comes before, a checkout during); None
        leaves it to time and orders, see `phases`.
    also : tuple of text
        Further names in data; case, spaces and punctuation never matter.

    Examples
    --------
    >>> Touchpoint("LINE OA", "owned", "digital", also=["line official account"]).media.group
    'owned'
    """

    name: str
    media: Media = attrs.field(converter=_media)
    form: Form = attrs.field(converter=_form)
    phase: Phase | None = attrs.field(default=None, converter=_phase)
    also: tuple[str, ...] = attrs.field(default=(), converter=_names)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise WrongType("name", repr(self.name), "a text that is not empty", "name the touchpoint")


def _entries(given: Iterable[Touchpoint]) -> tuple[Touchpoint, ...]:
    return tuple(given)


@attrs.frozen(repr=False)
class Catalogue(Document):
    """Touchpoints by name; later entries of a name that is there already are an error, not a surprise.

    Examples
    --------
    >>> from crmcore.touchpoints.catalogue import standard
    >>> catalogue = standard().with_(Touchpoint("Pop-up at the fair", "owned", "physical"))
    >>> catalogue["pop-up at the FAIR"].form.value, catalogue["facebook_page"].media.value
    ('physical', 'owned')
    >>> catalogue["facebok page"]
    Traceback (most recent call last):
        ...
    crmcore.errors.UnknownName: unknown touchpoint 'facebok page': expected one of [...
    """

    entries: tuple[Touchpoint, ...] = attrs.field(converter=_entries)

    def __attrs_post_init__(self) -> None:
        taken: dict[str, int] = {}
        clashes: dict[int, str] = {}
        for i, entry in enumerate(self.entries):
            for name in {plain_name(n) for n in (entry.name, *entry.also)}:
                if taken.setdefault(name, i) != i:
                    clashes[i] = self.entries[taken[name]].name
        if clashes:
            rows = tuple(sorted(clashes))
            raise BadRows(
                "Catalogue",
                (
                    BadRow(
                        "name", "a name that another touchpoint has", rows, tuple(self.entries[i].name for i in rows)
                    ),
                ),
                "use replace(...) for a touchpoint that is there already, or drop the name from `also`",
            )

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"Catalogue({len(self)} touchpoints)"

    def __str__(self) -> str:
        wide = max((len(e.name) for e in self.entries), default=0)
        return "\n".join(
            f"{e.name:{wide}}  {e.media.value:6}  {e.form.value:8}  {e.phase.value if e.phase else 'by time'}"
            for e in self.entries
        )

    @cached_property
    def _by_name(self) -> Mapping[str, Touchpoint]:
        return {plain_name(name): entry for entry in self.entries for name in (entry.name, *entry.also)}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and plain_name(name) in self._by_name

    def __getitem__(self, name: str) -> Touchpoint:
        found = self.get(name)
        if found is None:
            raise UnknownName("touchpoint", name, tuple(e.name for e in self.entries))
        return found

    def get(self, name: str) -> Touchpoint | None:
        """Touchpoint of a name, None where the catalogue does not have it."""
        return self._by_name.get(plain_name(name))

    def with_(self, *entries: Touchpoint) -> Catalogue:
        """Catalogue with more touchpoints."""
        return Catalogue((*self.entries, *entries))

    def without(self, *names: str) -> Catalogue:
        """Catalogue without some; a name that it does not have is an error."""
        gone = {self[name].name for name in names}
        return Catalogue(tuple(e for e in self.entries if e.name not in gone))

    def replace(self, *entries: Touchpoint) -> Catalogue:
        """Catalogue in which touchpoints of the same names give way to these; their place in the order stays."""
        new = {self[e.name].name: e for e in entries}
        return Catalogue(tuple(new.get(e.name, e) for e in self.entries))

    def classify(self, names: TextColumn | Sequence[str | None], /) -> Classified:
        """Classes of a column of names; what the catalogue does not have stays unlisted and is counted.

        Parameters
        ----------
        names : (n,) text
            Such as `events.touchpoint`; None is missing.

        Examples
        --------
        >>> from crmcore.touchpoints.catalogue import standard
        >>> found = standard().classify(["google ads", "LINE OA", "smoke signal", None])
        >>> [None if m is None else m.value for m in found.media], found.unlisted
        (['paid', 'owned', None, None], {'smoke signal': 1})
        """
        column = names if isinstance(names, TextColumn) else TextColumn.of(list(names))
        return Classified(column, tuple(self.get(value) for value in column.values))

    def to_frame(self, backend: Any = None) -> Any:
        """One row a touchpoint: name, media, group, form, phase."""
        return write_frame(
            {
                "touchpoint": [e.name for e in self.entries],
                "media": [e.media.value for e in self.entries],
                "group": [e.media.group for e in self.entries],
                "form": [e.form.value for e in self.entries],
                "phase": [None if e.phase is None else e.phase.value for e in self.entries],
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        rows = ({"touchpoint": e.name, "media": e.media.value, "form": e.form.value} for e in self.entries)
        return html_table(rows, caption=repr(self))


@attrs.frozen(eq=False, repr=False)
class Classified:
    """Classes of n names, by look-up of the distinct ones.

    Attributes
    ----------
    names : TextColumn
        As they were given.
    of_value : tuple
        Touchpoint of each distinct name, None where the catalogue has none.
    """

    names: TextColumn
    of_value: tuple[Touchpoint | None, ...]

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Classified({len(self)} names, {sum(self.unlisted.values())} not in the catalogue)"

    def _each(self, of: Any) -> list[Any]:
        values = np.array([*(None if t is None else of(t) for t in self.of_value), None], object)
        return list(values[self.names.codes])

    @property
    def touchpoint(self) -> list[Touchpoint | None]:
        """(n,) entries of the catalogue."""
        return self._each(lambda t: t)

    @property
    def media(self) -> list[Media | None]:
        """(n,) whose it is; None is unlisted or missing."""
        return self._each(lambda t: t.media)

    @property
    def form(self) -> list[Form | None]:
        """(n,) physical or digital; None is unlisted or missing."""
        return self._each(lambda t: t.form)

    @property
    def unlisted(self) -> dict[str, int]:
        """Names that the catalogue does not have, with the number of rows, the most frequent first."""
        counts = np.bincount(self.names.codes[self.names.codes >= 0], minlength=len(self.names.values))
        lost = {v: int(c) for v, t, c in zip(self.names.values, self.of_value, counts, strict=True) if t is None and c}
        return dict(sorted(lost.items(), key=lambda item: (-item[1], item[0])))

    def counts(self, by: str = "media") -> dict[str, int]:
        """Rows of each class of `by` ("media", "group", "form"); unlisted and missing rows last."""
        of = {"media": lambda t: t.media.value, "group": lambda t: t.media.group, "form": lambda t: t.form.value}
        if by not in of:
            raise UnknownName("class", by, tuple(of))
        named: dict[str, int] = {}
        for label in self._each(of[by]):
            named[label or UNLISTED] = named.get(label or UNLISTED, 0) + 1
        lost = named.pop(UNLISTED, 0)
        return {**dict(sorted(named.items())), **({UNLISTED: lost} if lost else {})}

    def shares(self, by: str = "media", *, level: float = 0.95) -> ShareTable:
        """Share of rows in each class, all intervals right together; see `metrics.share_table`."""
        return share_table(self.counts(by), level=level, small_sample_ok=True)

    def to_frame(self, backend: Any = None) -> Any:
        """One row a name: touchpoint as given, entry, media, group, form."""
        return write_frame(
            {
                "name": self.names.to_list(),
                "touchpoint": self._each(lambda t: t.name),
                "media": self._each(lambda t: t.media.value),
                "group": self._each(lambda t: t.media.group),
                "form": self._each(lambda t: t.form.value),
            },
            backend=backend,
        )

    def codes(self, by: str = "media") -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """(n,) codes into the class names that are returned beside them; -1 is unlisted or missing."""
        kinds: dict[str, tuple[tuple[str, ...], Any]] = {
            "media": (tuple(Media), lambda t: t.media),
            "form": (tuple(Form), lambda t: t.form),
        }
        if by not in kinds:
            raise UnknownName("class", by, tuple(kinds))
        words, of = kinds[by]
        table = np.array([*(-1 if t is None else words.index(of(t)) for t in self.of_value), -1], np.int32)
        return table[self.names.codes], tuple(str(w) for w in words)

    def _repr_html_(self) -> str:
        rows = [{"class": k, "rows": n} for k, n in self.counts().items()]
        return html_table(rows, caption=repr(self))
