"""The customers: how many records each has, which sources know them, examples, and what deserves a look."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore import charts
from crmcore._base import mask
from crmcore.flows.page import Block, Figure, Heading, Note, Share, Table, Text

if TYPE_CHECKING:
    from crmcore.idic.identify.people import People
    from crmcore.idic.identify.profile import Profile

__all__ = ["customers_blocks", "households_blocks", "profiles_blocks", "review_blocks", "sources_of_customers"]

SHOWN_SIZES = 6  # records of an example profile, at most
MOST_SOURCES = 8
EXAMPLES = 2
MOST_QUESTIONS = 8
MOST_MEMBERS = 6


def sources_of_customers(people: People) -> NDArray[np.bool_]:
    """(customers, sources) whether a source has a record of the customer."""
    known = np.zeros((len(people), len(people.table.sources)), np.bool_)
    known[people.labels, people.table.source] = True
    return known


def customers_blocks(people: People) -> list[Block]:
    """Sizes, and which sources share customers."""
    sizes = people.linkage.clustering.sizes
    blocks: list[Block] = [
        Heading("Customers"),
        Figure(
            people.chart("sizes"),
            f"Customers by how many records they have; the largest has {int(sizes.max())}.",
            "a long tail is normal where people order often. A single huge customer is a warning: a shared value, such as "
            "the telephone of a shop, may have glued strangers together.",
        ),
    ]
    known = sources_of_customers(people)
    names = people.table.sources
    if len(names) > 1:
        shared = known.T.astype(np.int64) @ known.astype(np.int64)
        shown = range(min(len(names), MOST_SOURCES))
        only = known.sum(axis=1) == 1
        rows = [
            (names[s], *(int(shared[s, t]) for t in shown), int((only & known[:, s]).sum())) for s in range(len(names))
        ]
        said = (
            f"Customers known to both sources (on the diagonal: known to the source at all). "
            f"{int((~only).sum()):,} of {len(people):,} customers are known to two sources or more."
        )
        blocks.append(Table(("source", *(names[t] for t in shown), "only here"), rows, said))
    return blocks


def households_blocks(people: People) -> list[Block]:
    """Customers who live together: entities of their own, never merged."""
    households = people.households()
    counts = np.bincount(np.minimum(households.sizes, MOST_MEMBERS))[2:]
    if not counts.sum():
        return []
    labels = [f"{k}{' and more' if k == MOST_MEMBERS else ''} customers" for k in range(2, len(counts) + 2)]
    return [
        Heading("Households"),
        Figure(
            charts.bar(
                labels,
                counts.tolist(),
                title="Households by customers",
                description="Households by how many customers live in them",
                axis="households",
            ),
            f"{int(counts.sum()):,} households hold several customers; the other {int((households.sizes == 1).sum()):,} customers "
            "are known alone.",
            "people of a household share an address or a telephone and stay customers of their own. A household is a good unit "
            "for post; it is a bad one for consent, which each person gives alone.",
        ),
    ]


def profiles_blocks(people: People) -> list[Block]:
    """A few customers as they stand in the end, values masked."""
    profiles = people.profiles
    known = sources_of_customers(people).sum(axis=1)
    sizes = people.linkage.clustering.sizes
    fit = np.flatnonzero((sizes >= 2) & (sizes <= SHOWN_SIZES))
    if not len(fit):
        return []
    chosen = []
    for label in fit[np.lexsort((fit, -sizes[fit], -known[fit]))][:EXAMPLES].tolist():
        row = int(np.flatnonzero(people.labels == label)[0])
        chosen.append(profiles[int(profiles.customer[row])])
    blocks: list[Block] = [
        Heading("Some profiles"),
        Text(
            "Each value of a profile comes from one record; source, time and rule say which and why. Values are masked here; "
            "`people.profiles` has them in clear."
        ),
    ]
    return [*blocks, *(_profile(profile) for profile in chosen)]


def _profile(profile: Profile) -> Table:
    rows: list[tuple[object, ...]] = []
    for field in profile.fields:
        cells = profile.cells(field)
        if cells and field != "text":
            best = cells[0]
            more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
            day = best.time.date().isoformat() if best.time else None
            rows.append((field, mask(best.value) + more, best.source, day, best.strategy, best.votes))
    n = len(profile.record_ids)
    said = f"`{profile.customer_id}`: {n} records of {', '.join(profile.sources)}"
    return Table(("field", "value", "from", "on", "chosen by", "records that say so"), rows, said)


def review_blocks(people: People) -> list[Block]:
    """Questions whose answers are worth most, and records that say too little."""
    blocks: list[Block] = [Heading("Worth a look")]
    review = people.review(MOST_QUESTIONS)
    if len(review):
        source = people.table.sources
        rows = []
        for item in review:
            q = item.question
            a, b = (source[people.table.source[row]] for row in (q.left, q.right))
            other = item.right_customer if item.right_customer != item.left_customer else None
            records = f"{a} and {b}" if a != b else f"two of {a}"
            rows.append((q.reason.value, records, item.left_customer, other, Share(q.probability), q.n_pairs))
        blocks += [
            Text(
                "Questions that a person can answer, most valuable first. `people.review()` lists them with their evidence, "
                "`people.review_page()` writes them to a page, and `people.decide()` obeys the answers, now and in every later run."
            ),
            Table(
                ("why it is asked", "records of", "customer", "other customer", "same person", "pairs it decides"),
                rows,
                "Are these two one person?",
            ),
        ]
    blocked = len(people.linkage.clustering.blocked)
    if blocked:
        blocks.append(Note(f"{blocked:,} joins with enough evidence were stopped by your rules."))
    if people.linkage.clustering.raised:
        n = len(people.linkage.clustering.raised)
        blocks.append(Note(f"{n:,} groups of records were too large to be people and were taken apart."))
    blocks += _silent(people)
    return blocks if len(blocks) > 1 else []


def _silent(people: People) -> list[Block]:
    """Records that could not even be matched with a copy of themselves."""
    found = people.unlinkables()
    if not len(found):
        return []
    rows = [tuple(Share(float(str(v))) if k == "share" else v for k, v in row.items()) for row in found.by_source()]
    said = (
        f"{len(found):,} records ({found.share:.1%}) say too little: not even a copy of such a record could be told from a stranger's. "
        "No linkage helps there; collecting one more field does."
    )
    return [Table(("source", "records", "say too little", "share"), rows, said)]
