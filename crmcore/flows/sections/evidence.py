"""What agreement says: weights of fields, evidence of pairs, one pair in detail, and how pairs were found."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import numpy as np

from crmcore import charts
from crmcore.flows.page import Block, Figure, Heading, Note, Share, Table, Text

if TYPE_CHECKING:
    from crmcore.idic.identify.people import People

__all__ = ["example_blocks", "model_blocks", "pairs_blocks", "weights_blocks"]

MOST_KEYS = 12


def weights_blocks(people: People) -> list[Block]:
    """How much agreement and disagreement on each field says."""
    rows = people.model.weight_rows()
    ends: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["level"] in ("same", "different"):
            ends.setdefault(str(row["field"]), {})[str(row["level"])] = _number(row["bits"])
    ranked = sorted(ends.items(), key=lambda item: -item[1].get("same", 0.0))
    labels = [f"{field}: {level}" for field, bits in ranked for level in bits]
    values = [b for _, bits in ranked for b in bits.values()]
    levels = [
        (r["field"], r["level"], Share(_number(r["m"])), _small(_number(r["u"])), _number(r["bits"])) for r in rows
    ]
    figure = Figure(
        charts.bar(
            labels, values, title="Evidence of each field", description="Match weight in bits, by field", axis="bits"
        ),
        "What it says for two records to have the same value, or a different one, for a value of usual frequency.",
        "each bit doubles the odds that two records are one person; ten bits make them about a thousand times higher, a "
        "negative bar halves them bit by bit. Rare values say more than the bar, common ones less. A short bar for "
        "\u201cdifferent\u201d means that people often have several of these, or that it changes.",
    )
    return [
        Heading("What each field says"),
        Text("The weights were learned from these records alone; nobody labelled any pair."),
        figure,
        Table(
            ("field", "agreement", "among pairs of one person", "among chance pairs", "bits"),
            levels,
            "All levels of agreement: how often each occurs, and its weight",
            folded=True,
        ),
    ]


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _small(share: float) -> str:
    return f"{100 * share:.2g} %" if share >= 1e-4 else f"1 in {1 / share:,.0f}" if share > 0 else "0"


def pairs_blocks(people: People) -> list[Block]:
    """Evidence of all pairs that have any."""
    linkage = people.linkage
    n = len(linkage)
    possible = n * (n - 1) // 2
    blocks: list[Block] = [
        Heading("Pairs"),
        Text(
            f"Of {possible:,} possible pairs, {linkage.n_pairs:,} share enough to be worth a comparison, and {len(linkage.lo):,} "
            "have evidence that could connect them."
        ),
    ]
    if len(linkage.lo):
        together = linkage.labels[linkage.lo] == linkage.labels[linkage.hi]
        apart = int((~together & (linkage.log_odds > 0)).sum())
        blocks.append(
            Figure(
                people.chart("scores"),
                f"Pairs by the weight of their evidence; {int(together.sum()):,} of them are one customer in the end.",
                "0 bits is an even chance that the two records are one person. Two hills with a valley between them mean that "
                "the data tell matches from non-matches well; much around the dashed line means that the records leave it open.",
            )
        )
        if apart:
            blocks.append(
                Note(
                    f"{apart:,} pairs above 0 bits were kept apart, because the rest of the records of either side speak against it."
                )
            )
    return blocks


def example_blocks(people: People) -> list[Block]:
    """Why two records of one customer belong together, field by field, values masked."""
    pair = _example(people)
    if pair is None:
        return []
    why = people.explain(*(str(people.table.record_id[row]) for row in pair))
    source = [people.table.sources[people.table.source[row]] for row in pair]
    two = f"A record of {source[0]} and one of {source[1]}" if source[0] != source[1] else f"Two records of {source[0]}"
    rows = [(b.field, b.agreement, b.left, b.right, round(b.bits, 1), "; ".join(b.notes) or None) for b in why.ranked]
    silent = f" Not compared, because one of them has no value: {', '.join(why.missing)}." if why.missing else ""
    return [
        Heading("One pair, explained"),
        Figure(
            attrs.evolve(why.chart(), title=two),  # record ids may name people
            f"Two records of one customer: {why.bits:.1f} bits in all. {_likeliest(why.classes)}.",
            "the story begins at how unlikely it is that two records drawn at random are one person. Blue bars speak for, orange "
            "ones against, strongest first, and they add up exactly to the last one. A field adds less once others have said the "
            "same: after a name, an address made of that name is no news.",
        ),
        Table(
            ("field", "agreement", "one record", "the other", "bits", "besides"),
            rows,
            f"The same in numbers; values are masked.{silent}",
        ),
    ]


def _likeliest(classes: Mapping[str, float]) -> str:
    shown = [f"{name} ({share:.0%})" for name, share in classes.items() if share >= 0.005][:3]
    return f"Why they are alike, likeliest first: {', '.join(shown)}"


def _example(people: People) -> tuple[int, int] | None:
    """Of pairs of one customer across sources with usual evidence, one with the most fields on both sides; ties by id."""
    linkage = people.linkage
    lo, hi = linkage.lo, linkage.hi
    mine = linkage.labels[lo] == linkage.labels[hi]
    across = mine & (people.table.source[lo] != people.table.source[hi])
    at = np.flatnonzero(across if across.any() else mine)
    if not len(at):
        return None
    low, high = np.quantile(linkage.log_odds[at], (0.25, 0.75))
    at = at[(linkage.log_odds[at] >= low) & (linkage.log_odds[at] <= high)]
    both = sum((c.codes[lo[at]] >= 0).astype(int) & (c.codes[hi[at]] >= 0) for c in linkage.records.columns)
    rich = at[both == np.max(both)]
    ids = people.table.record_id
    best = min(rich.tolist(), key=lambda i: (ids[lo[i]], ids[hi[i]]))
    return int(lo[best]), int(hi[best])


def model_blocks(people: People) -> list[Block]:
    """Class sizes and keys: what the model believes, and how pairs were found."""
    sizes = people.model.class_sizes()
    meaning = {
        "same person": "records of one person",
        "same person, moved": "one person whose contact values changed",
        "household": "different people who live together",
        "same place": "different people of one place",
        "namesakes": "different people who bear one name",
    }
    blocks: list[Block] = [
        Heading("The model"),
        Table(
            ("why two records are alike", "meaning", "pairs per 1,000 records"),
            [(name, meaning.get(name, ""), round(1000 * per_record)) for name, per_record in sizes.items()],
            "What the model believes about pairs that are alike. Records of a household share an address without being one "
            "person: that the model knows this class keeps families apart.",
        ),
    ]
    plan = people.linkage.plan
    if plan is None:
        blocks.append(
            Text(f"The model was given; its {len(people.model.keys)} keys decided which pairs were compared.")
        )
        return blocks
    blocks.append(
        Text(
            f"{len(plan.keys)} of {plan.tried} keys were chosen to find pairs: each compares only records that share what the key "
            f"names. By the model's own estimate, which is optimistic, they reach {plan.recall:.1%} of the matches that any key could find."
        )
    )
    ranked = sorted(plan.keys, key=lambda k: -k.matches)[:MOST_KEYS]
    rows = [(str(k.key), round(k.pairs), round(k.matches)) for k in ranked]
    said = f"The {len(rows)} keys that find the most, in the order of their yield"
    blocks.append(Table(("records that share", "pairs", "matches no earlier key found"), rows, said, folded=True))
    return blocks
