"""An explanation as a value: bars that add up, a verdict, and ways to look at both. Values are masked unless asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._frames import write_frame
from crmcore.linkage.fields import Kind

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["NATS_PER_BIT", "Bar", "Explanation", "Verdict"]

NATS_PER_BIT = math.log(2.0)
TELLING = math.log(2.0)  # nats of rarity from which a value is called rare or common
_NAMES = (Kind.GIVEN_NAME.value, Kind.SURNAME.value)


@attrs.frozen(kw_only=True)
class Bar:
    """What one field says.

    Attributes
    ----------
    field, kind : which
    level, agreement : how alike the two values are; level 1 is the same
    left, right : the two values, masked unless they were asked for
    level_nats, rarity_nats, names_nats : natural log-odds
        Parts of the bar: how well the values agree, how rare they are, what was learned of these two given names.
    value_nats : natural log units
        How much more (less) than an average value these say where they agree: positive is rare, negative is common.
    """

    field: str
    kind: str
    level: int
    agreement: str
    left: str = attrs.field(repr=False)
    right: str = attrs.field(repr=False)
    level_nats: float
    rarity_nats: float = 0.0
    names_nats: float = 0.0
    value_nats: float = 0.0

    @property
    def nats(self) -> float:
        """Natural log-odds that the field adds."""
        return self.level_nats + self.rarity_nats + self.names_nats

    @property
    def bits(self) -> float:
        """The same in bits: 1 doubles the odds."""
        return self.nats / NATS_PER_BIT

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is worth a word: rare or common values, given names that belong together."""
        what = "name" if self.kind in _NAMES else "value"
        said = []
        if abs(self.value_nats) > TELLING:
            said.append(f"{'rare' if self.value_nats > 0 else 'common'} {what}")
        if self.names_nats > 0:
            said.append("names known to go together")
        elif self.names_nats < 0:
            said.append("names known not to go together")
        return tuple(said)

    def __str__(self) -> str:
        """One line, such as "surname: one typo (s... / s...), +4.1 bits; rare name"."""
        head = f"{self.field}: {self.agreement} ({self.left} / {self.right}), {self.bits:+.1f} bits"
        return "; ".join([head, *self.notes])


@attrs.frozen(kw_only=True)
class Verdict:
    """What was decided about a pair.

    Attributes
    ----------
    probability : of one entity, by the evidence of this pair alone
    cut : mean probability that a merge of two single records needs
    together : whether both records ended in one entity; None where nothing was clustered
    sizes : records in the entity, or in the two entities
    group_mean, group_cut : mean probability over all pairs between the two entities, and what their merge would need
    stopped_by : the rule that forbade the merge, empty where none did
    """

    probability: float
    cut: float
    together: bool | None = None
    sizes: tuple[int, ...] = ()
    group_mean: float | None = None
    group_cut: float | None = None
    stopped_by: str = ""

    def __str__(self) -> str:
        alone = f"p = {self.probability:.3g} {'>=' if self.probability >= self.cut else '<'} {self.cut:.3g}"
        if self.together is None:
            return f"{'match' if self.probability >= self.cut else 'no match'} ({alone})"
        if self.together:
            through = "" if self.probability >= self.cut else ", joined through other records"
            return f"one entity of {self.sizes[0]} records ({alone}{through})"
        if self.stopped_by:
            return f"two entities ({alone}; kept apart by a rule: {self.stopped_by})"
        if self.group_mean is None or self.group_cut is None or sum(self.sizes) == 2:
            return f"two entities ({alone})"
        size = f"{self.sizes[0]} and {self.sizes[1]} records"
        between = f"mean between {size} {self.group_mean:.3g}, needed {self.group_cut:.3g}"
        return f"two entities ({alone}; {between})"


@attrs.frozen(kw_only=True, repr=False)
class Explanation:
    """The evidence for and against two records being one entity: `start` + bars + `judgements` = `log_odds`.

    Attributes
    ----------
    left, right : record ids
    start : natural log-odds before any field is known
    bars : one per field that both records fill, in the order of the model's fields
    judgements : natural log-odds that judged pairs taught the model to add here; 0 where nobody judged
    n_judgements : how many pairs were judged
    log_odds : natural log-odds
    classes : reason -> probability, likeliest first
    missing : fields that a record does not fill
    verdict : what was decided
    """

    left: str
    right: str
    start: float
    bars: tuple[Bar, ...]
    judgements: float
    n_judgements: int
    log_odds: float
    classes: Mapping[str, float]
    missing: tuple[str, ...]
    verdict: Verdict

    @property
    def bits(self) -> float:
        """Log-odds in bits."""
        return self.log_odds / NATS_PER_BIT

    @property
    def ranked(self) -> tuple[Bar, ...]:
        """Bars, those that say most first; ties by name."""
        return tuple(sorted(self.bars, key=lambda b: (-abs(b.nats), b.field)))

    @property
    def likeliest(self) -> str:
        """The likeliest reasons in words: "household: 62 %, same person: 30 %"."""
        shown = [f"{name}: {_percent(p)}" for name, p in self.classes.items() if p >= 0.005][:3]
        return ", ".join(shown)

    def __str__(self) -> str:
        lines = [
            f"{self.left} and {self.right}: {self.verdict}",
            f"  {'before any field':<28}{self.start / NATS_PER_BIT:+.1f} bits",
        ]
        lines += [f"  {bar}" for bar in self.ranked]
        if self.n_judgements:
            lines.append(f"  learned from {self.n_judgements} judgements: {self.judgements / NATS_PER_BIT:+.1f} bits")
        if self.missing:
            lines.append(f"  not compared: {', '.join(self.missing)} (missing)")
        lines.append(f"  together {self.bits:+.1f} bits; {self.likeliest}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Explanation({self.left!r}, {self.right!r}, {self.bits:+.1f} bits, {len(self.bars)} fields)"

    def rows(self) -> list[dict[str, object]]:
        """One row per step of the waterfall, start and missing fields included; columns in bits."""

        def row(step: str, kind: str, agreement: str, level: float, rarity: float, names: float) -> dict[str, object]:
            total = (level + rarity + names) / NATS_PER_BIT
            parts = {"level": level / NATS_PER_BIT, "rarity": rarity / NATS_PER_BIT, "names": names / NATS_PER_BIT}
            return {"step": step, "kind": kind, "agreement": agreement, **parts, "bits": total}

        listed = [row("before any field", "", "", self.start, 0.0, 0.0)]
        listed += [
            {
                **row(b.field, b.kind, b.agreement, b.level_nats, b.rarity_nats, b.names_nats),
                "left": b.left,
                "right": b.right,
            }
            for b in self.bars
        ]
        listed += [row(name, "", "missing", 0.0, 0.0, 0.0) for name in self.missing]
        if self.n_judgements:
            listed.append(row("judgements", "", "", self.judgements, 0.0, 0.0))
        return [{"left": None, "right": None, **r} for r in listed]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per step of the waterfall, in bits, in a frame of `backend`."""
        rows = self.rows()
        return write_frame({k: [r[k] for r in rows] for k in rows[0]}, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**attrs.asdict(self), "classes": dict(self.classes)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], /) -> Explanation:
        """Read what `to_dict` wrote, or JSON made of it."""
        verdict = {**plain["verdict"], "sizes": tuple(plain["verdict"]["sizes"])}
        given = {**plain, "bars": tuple(Bar(**b) for b in plain["bars"]), "missing": tuple(plain["missing"])}
        return cls(**{**given, "verdict": Verdict(**verdict)})

    def _repr_html_(self) -> str:
        title = f"<b>{escape(self.left)}</b> and <b>{escape(self.right)}</b>: {escape(str(self.verdict))}"
        return f"<figure><figcaption>{title}</figcaption>{self.html_bars()}</figure>"

    def html_bars(self) -> str:
        """The waterfall as a small static table: field, agreement, values, bits and a bar."""
        steps = [("before any field", "", self.start, "")]
        steps += [
            (b.field, f"{b.agreement} ({b.left} / {b.right})", b.nats, "; ".join(b.notes)) for b in self.ranked[:14]
        ]
        rest = sum(b.nats for b in self.ranked[14:])
        if len(self.bars) > 14:
            steps.append((f"{len(self.bars) - 14} more fields", "", rest, ""))
        if self.n_judgements:
            steps.append((f"learned from {self.n_judgements} judgements", "", self.judgements, ""))
        largest = max(abs(s[2]) for s in steps) or 1.0
        body = "".join(
            f"<tr><td>{escape(what)}<td>{escape(_short(said))}<td align=right>{nats / NATS_PER_BIT:+.1f}"
            f"<td>{_meter(nats / largest)}<td>{escape(note)}"
            for what, said, nats, note in steps
        )
        gone = f" Not compared: {escape(', '.join(self.missing))}." if self.missing else ""
        return (
            f"<table><thead><tr><th>field<th>agreement<th>bits<th><th></thead><tbody>{body}"
            f"<tr><th>together<td><td align=right><b>{self.bits:+.1f}</b><td><td></tbody></table>"
            f"<p>{escape(self.likeliest)}.{gone}</p>"
        )

    def chart(self) -> Chart:
        """The waterfall as a picture, with the score that a merge of two records needs."""
        from crmcore.linkage.charts import explanation_chart

        return explanation_chart(self)


def _meter(share: float) -> str:
    """A small bar; what speaks against is of another colour, and the number beside it says so too."""
    against = "" if share >= 0 else ";filter:hue-rotate(270deg)"
    return f'<meter max=1 value={abs(share):.2f} style="width:6em{against}"></meter>'


def _percent(p: float) -> str:
    return f"{100 * p:.2g} %" if p < 0.995 else "over 99 %"


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
