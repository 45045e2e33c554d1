"""The customers: how many records each has, which sources know them, examples, and what deserves a look."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore import charts
from crmcore._base import mask
from crmcore.flows.page import Block, Figure, Heading, Note, Table, Text

if TYPE_CHECKING:
    from crmcore.idic.identify.people import People
    from crmcore.idic.identify.profile import Profile

__all__ = ["customers_blocks", "profiles_blocks", "review_blocks", "sources_of_customers"]

SINGLE_SIZES = 6  # customers with more records are taken together
MOST_SOURCES = 8
EXAMPLES = 3
MOST_MERGES = 8


def sources_of_customers(people: People) -> NDArray[np.bool_]:
    """(customers, sources) whether a source has a record of the customer."""
    known = np.zeros((len(people), len(people.table.sources)), np.bool_)
    known[people.labels, people.table.source] = True
    return known


def customers_blocks(people: People) -> list[Block]:
    """Sizes, and which sources share customers."""
    sizes = people.linkage.clustering.sizes
    counts = np.bincount(np.minimum(sizes, SINGLE_SIZES + 1), minlength=SINGLE_SIZES + 2)
    labels = ["1 record", *(f"{k} records" for k in range(2, SINGLE_SIZES + 1)), f"{SINGLE_SIZES + 1} and more"]
    blocks: list[Block] = [
        Heading("Customers"),
        Figure(
            charts.bar(
                labels,
                counts[1:].tolist(),
                title="Customers by records",
                description="Customers by number of records",
                axis="customers",
            ),
            f"The largest customer has {int(sizes.max())} records.",
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


def profiles_blocks(people: People) -> list[Block]:
    """A few customers as they stand in the end, values masked."""
    profiles = people.profiles
    known = sources_of_customers(people).sum(axis=1)
    sizes = people.linkage.clustering.sizes
    fit = np.flatnonzero((sizes >= 2) & (sizes <= SINGLE_SIZES))
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
    """Merges that hold by little, and merges that a rule stopped."""
    clustering = people.linkage.clustering
    ids = people.profiles.customers.ids
    blocks: list[Block] = [Heading("Worth a look")]
    for merges, said in (
        (
            clustering.bridges.weakest(MOST_MERGES),
            "Customers held together by little: the weakest join of each, weakest first",
        ),
        (clustering.blocked.weakest(MOST_MERGES), "Joins with evidence that a rule stopped"),
    ):
        if not len(merges):
            continue
        rows: list[tuple[object, ...]] = []
        stopped = any(merges.reason)
        for i in range(len(merges)):
            row = int(merges.left[i])
            sizes = f"{int(merges.left_size[i])} + {int(merges.right_size[i])}"
            probability = float(merges.mean[i])
            why = (str(merges.reason[i]) or None,) if stopped else ()
            rows.append((ids[int(people.profiles.customer[row])], sizes, probability, *why))
        headings = (
            "customer",
            "records on either side",
            "mean match probability",
            *(("stopped by",) if stopped else ()),
        )
        blocks.append(Table(headings, rows, said))
    if clustering.raised:
        blocks.append(
            Note(f"{len(clustering.raised)} groups of records were too large to be people and were taken apart.")
        )
    if len(blocks) == 1:
        return []
    blocks.insert(
        1,
        Text(
            "Decisions of people hold in every later run: `Rules(must_link=..., must_not_link=...)` takes pairs of record ids."
        ),
    )
    return blocks
