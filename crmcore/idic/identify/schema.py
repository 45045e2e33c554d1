"""Which column of which source means what: inferred, explained, and open to correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import attrs
import numpy as np

from crmcore._base import html_table
from crmcore.errors import MissingColumn, WrongType
from crmcore.idic.identify import evidence
from crmcore.idic.identify.roles import Meaning, Role, meaning_of
from crmcore.idic.identify.source_table import columns_of, rows_of
from crmcore.linkage.fields import Kind
from crmcore.tables import RecordTable

__all__ = ["Schema"]

ENOUGH = 0.4
"""Least confidence with which a column is used; below it the column is ignored and says so."""

_BIRTH_PARTS = (Meaning.BIRTH_YEAR, Meaning.BIRTH_MONTH, Meaning.BIRTH_DAY)
_TIME_RANK = ("updat", "modif", "chang", "geander", "last", "creat", "erstell", "regist", "sign", "join", "time", "ts")


@attrs.frozen(repr=False)
class Schema:
    """Roles of the columns of every source.

    A schema is *bound* when it holds roles, and *deferred* when it was made without data (`Schema.infer()`); a deferred
    one infers when records are read. Corrections (`override`) work on both.

    Examples
    --------
    >>> schema = Schema.infer({"fname": ["Anna", "Bo"], "mail": ["anna@example.org", "bo@example.org"]})
    >>> {name: role.kind.value for name, role in schema.roles["records"].items()}
    {'fname': 'given name', 'mail': 'email'}
    """

    roles: Mapping[str, Mapping[str, Role]] = attrs.field(factory=dict)
    overrides: Mapping[str, Meaning] = attrs.field(factory=dict)

    @classmethod
    def infer(cls, *sources: Any, overrides: Mapping[str, str | Meaning | Kind | None] | None = None) -> Schema:
        """Decide what each column means, from its heading and its values.

        Parameters
        ----------
        *sources : frames, paths or one mapping of name -> frame
            None given: infer later, when records are read.
        overrides : mapping, optional
            As in `override`.

        Errors
        ------
        MissingColumn, UnknownName
            An override names a column or a kind that does not exist.
        """
        schema = cls().override(overrides or {})
        if not sources:
            return schema
        from crmcore.idic.identify.readers import read_columns

        return schema.bind(read_columns(sources[0] if len(sources) == 1 else list(sources)))

    @property
    def is_bound(self) -> bool:
        """Whether roles are known already."""
        return bool(self.roles)

    def bind(self, table: RecordTable) -> Schema:
        """Infer roles for the sources of a table that have none yet, and obey the overrides.

        A bound schema keeps its roles and learns new sources, so one schema serves many reads.
        """
        missing = [s for s in table.sources if s not in self.roles]
        if not missing:
            return self
        roles = {s: _infer_source(table, table.sources.index(s)) for s in missing}
        return attrs.evolve(self, roles=_apply({**self.roles, **roles}, self.overrides))

    def override(self, changes: Mapping[str, str | Meaning | Kind | None]) -> Schema:
        """Correct roles.

        Parameters
        ----------
        changes : mapping
            `"source.column"` or `"column"` (in all sources that have it) -> kind; None leaves the column out.

        Errors
        ------
        UnknownName
            The kind does not exist; the nearest is proposed.
        MissingColumn
            No source has the column; the nearest is proposed. A deferred schema finds out when it is bound.

        Examples
        --------
        >>> schema = Schema.infer([{"ref": "A-17"}]).override({"ref": "identifier"})
        >>> schema.roles["records"]["ref"].kind.value
        'identifier'
        """
        read = {column: meaning_of(kind) for column, kind in changes.items()}
        overrides = {**self.overrides, **read}
        return attrs.evolve(self, overrides=overrides, roles=_apply(self.roles, read) if self.is_bound else self.roles)

    def columns(self, source: str, *kinds: Meaning) -> tuple[str, ...]:
        """Columns of a source with one of these meanings, ordered by part and then as they stand in the source."""
        found = [
            (role.part, i, name) for i, (name, role) in enumerate(self.roles[source].items()) if role.kind in kinds
        ]
        return tuple(name for _, _, name in sorted(found))

    def id_column(self, source: str) -> str | None:
        """Column that names each record, or None: rows are then numbered."""
        return next(iter(self.columns(source, Meaning.RECORD_ID)), None)

    def time_column(self, source: str) -> str | None:
        """Column that says when a record was made or last changed, or None."""
        return next(iter(self.columns(source, Meaning.UPDATED_AT)), None)

    def _rows(self) -> list[dict[str, object]]:
        return [
            {
                "source": source,
                "column": name,
                "kind": role.kind.value,
                "part": role.part,
                "confidence": role.confidence,
                "reasons": "; ".join(role.reasons),
            }
            for source, roles in self.roles.items()
            for name, role in roles.items()
        ]

    def __repr__(self) -> str:
        if not self.is_bound:
            return f"Schema(deferred, {len(self.overrides)} overrides)"
        return f"Schema({len(self.roles)} sources, {sum(map(len, self.roles.values()))} columns)"

    def __str__(self) -> str:
        if not self.is_bound:
            return "Schema: infers when records are read" + "".join(
                f"\n  {c}: {k.value}" for c, k in self.overrides.items()
            )
        lines = []
        for source, roles in self.roles.items():
            lines.append(f"{source}:")
            wide = max((len(name) for name in roles), default=0)
            lines += [
                f"  {name:<{wide}}  {role.kind.value:<13} {role.confidence:4.2f}  {'; '.join(role.reasons)}"
                for name, role in roles.items()
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption="Schema", limit=40) if self.is_bound else f"<p>{escape(str(self))}</p>"

    def to_frame(self, *, backend: Any) -> Any:
        """One row per column, with its meaning, confidence and reasons, in the flavour of `backend` ("polars", ...)."""
        import narwhals.stable.v2 as nw

        rows = self._rows()
        names = ("source", "column", "kind", "part", "confidence", "reasons")
        return nw.from_dict({k: [r[k] for r in rows] for k in names}, backend=backend).to_native()

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON; `from_dict` reads it back.

        Examples
        --------
        >>> schema = Schema.infer([{"email": "a@example.org"}])
        >>> Schema.from_dict(schema.to_dict()) == schema
        True
        """
        roles = {
            source: {
                name: {
                    "kind": r.kind.value,
                    "confidence": r.confidence,
                    "reasons": list(r.reasons),
                    "part": r.part,
                    "chosen": r.chosen,
                }
                for name, r in columns.items()
            }
            for source, columns in self.roles.items()
        }
        return {"roles": roles, "overrides": {c: k.value for c, k in self.overrides.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Read what `to_dict` wrote.

        Errors
        ------
        WrongType, UnknownName
            The data are not a schema, or name an unknown kind.
        """
        if not isinstance(data, Mapping) or not isinstance(data.get("roles", {}), Mapping):
            raise WrongType("data", type(data).__name__, "a mapping with roles", "pass what Schema.to_dict() returned")
        roles = {
            source: {
                name: Role(
                    meaning_of(r["kind"]),
                    float(r["confidence"]),
                    tuple(r.get("reasons", ())),
                    int(r.get("part", 1)),
                    bool(r.get("chosen", False)),
                )
                for name, r in columns.items()
            }
            for source, columns in data.get("roles", {}).items()
        }
        return cls(roles, {c: meaning_of(k) for c, k in data.get("overrides", {}).items()})


def _apply(roles: Mapping[str, Mapping[str, Role]], changes: Mapping[str, Meaning]) -> dict[str, dict[str, Role]]:
    """Set the roles that a person chose; a key is a column of any source, or `source.column`."""
    out = {source: dict(columns) for source, columns in roles.items()}
    for key, kind in changes.items():
        source, _, column = key.partition(".")
        places = [(s, key) for s in out if key in out[s]]
        if not places and column and source in out and column in out[source]:
            places = [(source, column)]
        if not places:
            known = tuple(
                dict.fromkeys([*(c for cs in out.values() for c in cs), *(f"{s}.{c}" for s in out for c in out[s])])
            )
            where = f"source {source!r}" if column and source in out else "the sources"
            raise MissingColumn(
                key, tuple(f"{source}.{c}" for c in out[source]) if column and source in out else known, where
            )
        for s, c in places:
            if kind in {Meaning.RECORD_ID, Meaning.UPDATED_AT}:  # a source has one of each
                for other, role in out[s].items():
                    if role.kind is kind and other != c:
                        out[s][other] = attrs.evolve(role, kind=Meaning.IGNORE, reasons=(f"{c!r} was chosen instead",))
            out[s][c] = Role(kind, 1.0, ("chosen by you",), out[s][c].part, chosen=True)
    return out


def _infer_source(table: RecordTable, source: int) -> dict[str, Role]:
    rows = rows_of(table, source)
    whole = len(rows) == len(table)
    roles: dict[str, Role] = {}
    for name in columns_of(table, source):
        column = table.columns[name]
        codes = column.codes if whole else column.codes[rows]
        counts = np.bincount(codes[codes >= 0], minlength=0)
        present = np.flatnonzero(counts)
        values = column.values if whole else [column.values[i] for i in present]
        roles[name] = _decide(name, values, rows=len(rows), filled=int(counts.sum()))
    return _settle(roles)


def _decide(name: str, values: Sequence[str], *, rows: int, filled: int) -> Role:
    """Weigh heading against values for one column."""
    if not filled:
        return Role(Meaning.IGNORE, 1.0, ("no value in any row",))
    look = evidence.look_at(values, rows=rows, filled=filled)
    if not look.shares:
        return Role(Meaning.IGNORE, 1.0, ("no value in any row: all are words for 'missing'",))
    headed, part = evidence.heading_evidence(name)
    seen = evidence.value_evidence(look)
    if Meaning.RECORD_ID in headed and look.unique <= evidence.UNIQUE and evidence.names_a_person(name):
        headed[Meaning.IDENTIFIER] = evidence.Evidence(0.6, f"heading {name!r} numbers people, and values repeat")
    scores: dict[Meaning, tuple[float, tuple[str, ...]]] = {}
    for meaning in Meaning:  # in a fixed order, so that ties never depend on the data's order
        head, body = headed.get(meaning), seen.get(meaning)
        if head is None and body is None:
            continue
        fits = evidence.fits(meaning, look)
        weight = (head.score if fits else 0.15 * head.score) if head else 0.0
        reasons = tuple(e.reason for e in (head, body) if e) + (() if fits else ("but the values do not look like it",))
        # a heading that says something else, and that the values could be, counts against the values' guess
        doubt = (
            0.55 if head is None and any(h.score > 0.6 and evidence.fits(m, look) for m, h in headed.items()) else 1.0
        )
        scores[meaning] = (1.0 - (1.0 - weight) * (1.0 - doubt * (body.score if body else 0.0)), reasons)
    if not scores:
        return Role(Meaning.IGNORE, 0.5, ("neither heading nor values are known",), part)
    best = max(scores, key=lambda m: scores[m][0])
    score, reasons = scores[best]
    if score < ENOUGH:
        return Role(
            Meaning.IGNORE, round(1.0 - score, 2), (f"too unsure for {best.value!r} ({score:.2f})", *reasons), part
        )
    return Role(best, round(score, 2), reasons, part)


def _settle(roles: dict[str, Role]) -> dict[str, Role]:
    """Make the columns of one source agree: one record id, one time, whole birth dates, numbered parts."""

    def named(*kinds: Meaning) -> list[str]:
        return [n for n, r in roles.items() if r.kind in kinds]

    def turn(name: str, kind: Meaning, reason: str) -> None:
        roles[name] = attrs.evolve(roles[name], kind=kind, reasons=(*roles[name].reasons, reason))

    ids = sorted(named(Meaning.RECORD_ID), key=lambda n: -roles[n].confidence)
    for name in ids[1:]:
        turn(name, Meaning.IGNORE, f"{ids[0]!r} is the record id")
    times = sorted(named(Meaning.UPDATED_AT), key=lambda n: (_time_rank(n), -roles[n].confidence))
    for name in times[1:]:
        turn(name, Meaning.IGNORE, f"{times[0]!r} is the time of the record")
    genders = sorted(named(Meaning.GENDER), key=lambda n: -roles[n].confidence)
    for name in genders[1:]:
        turn(name, Meaning.IGNORE, f"{genders[0]!r} says the gender")
    if not named(Meaning.BIRTH_YEAR):
        for name in named(Meaning.BIRTH_MONTH, Meaning.BIRTH_DAY):
            turn(name, Meaning.IGNORE, "a month or day of birth without a year")
    parts = [named(m) for m in _BIRTH_PARTS]
    if all(parts) and not named(Meaning.BIRTH_DATE):
        for name in (p[0] for p in parts):
            sure = max(roles[name].confidence, 0.8)
            roles[name] = attrs.evolve(roles[name], confidence=sure)
            turn(name, roles[name].kind, "year, month and day stand side by side")
    if named(*_BIRTH_PARTS) and named(Meaning.BIRTH_DATE):
        for name in named(*_BIRTH_PARTS):
            turn(name, Meaning.IGNORE, "the whole birth date is there")
    names = named(Meaning.FULL_NAME)
    if names and not named(Meaning.GIVEN_NAME) and named(Meaning.SURNAME):
        # "name" beside "surname" is the given name, as in many European forms
        turn(names[0], Meaning.GIVEN_NAME, "stands beside a surname column")
    return roles


def _time_rank(name: str) -> int:
    low = name.casefold()
    return next((i for i, stem in enumerate(_TIME_RANK) if stem in low), len(_TIME_RANK))
