"""The section of `identify`: from raw records to customers, and how far to trust them."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmcore.flows.page import Block, KeyFigure, Section
from crmcore.flows.sections.customers import (
    customers_blocks,
    households_blocks,
    profiles_blocks,
    review_blocks,
    sources_of_customers,
)
from crmcore.flows.sections.evidence import example_blocks, model_blocks, pairs_blocks, weights_blocks
from crmcore.flows.sections.quality import Truth, quality_blocks
from crmcore.flows.sections.sources import preparation_blocks, sources_blocks

if TYPE_CHECKING:
    from crmcore.idic.identify.people import People
    from crmcore.linkage.quality import LinkageQuality

__all__ = ["identify_section"]


def identify_section(people: People, truth: Truth | None = None) -> Section:
    """Write down how records became customers.

    Parameters
    ----------
    people : People
        What `identify.resolve` found.
    truth : record id -> anything that names the true customer, optional
        Adds how close the result comes; records that are not in it are left out of the scores.

    Returns
    -------
    Section
        No personal data in clear: values are masked, customers appear by their id.

    Raises
    ------
    EmptyInput
        The truth knows none of the records.

    Examples
    --------
    >>> from crmcore.idic import identify
    >>> shop = [{"id": 1, "name": "Ann Lee", "email": "ann@example.org"}, {"id": 2, "name": "Bo Ek", "email": "bo@example.org"}]
    >>> web = [{"id": 7, "name": "Ann Lee", "email": "ann@example.org"}]
    >>> section = identify_section(identify.resolve({"shop": shop, "web": web}))
    >>> [figure.value for figure in section.key][:2]
    ['3', '2']
    """
    quality = None if truth is None else people.evaluate(truth)
    sizes = people.linkage.clustering.sizes
    joined = int(sizes[sizes > 1].sum())
    several = int((sources_of_customers(people).sum(axis=1) > 1).sum())
    n_sources = len(people.table.sources)
    lead = f"{len(people.table):,} records of {_count(n_sources, 'source')} belong to {len(people):,} customers. "
    lead += f"{joined / max(len(people.table), 1):.0%} of the records share their customer with another record"
    lead += f", and {several:,} customers are known to more than one source." if n_sources > 1 else "."
    blocks: list[Block] = []
    if truth is not None and quality is not None:
        blocks += quality_blocks(people, truth, quality)
    blocks += sources_blocks(people) + preparation_blocks(people)
    blocks += weights_blocks(people) + pairs_blocks(people) + example_blocks(people)
    blocks += customers_blocks(people) + profiles_blocks(people) + households_blocks(people)
    blocks += review_blocks(people) + model_blocks(people)
    return Section("Who our customers are", lead, key=_key(people, quality, joined), blocks=blocks)


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}" + ("" if n == 1 else "s")


def _key(people: People, quality: LinkageQuality | None, joined: int) -> list[KeyFigure]:
    n, sizes = len(people.table), people.linkage.clustering.sizes
    known = f"true: {quality.true_entities:,}" if quality is not None else f"{n / max(len(people), 1):.2f} records each"
    key = [
        KeyFigure("Records read", f"{n:,}", _count(len(people.table.sources), "source")),
        KeyFigure("Customers found", f"{len(people):,}", known),
        KeyFigure("Records joined", f"{joined / max(n, 1):.1%}", "share their customer with another record"),
    ]
    if quality is None:
        largest = int(np.max(sizes, initial=0))
        return [*key, KeyFigure("Largest customer", f"{largest:,}", "records")]
    for label, e in (("Pair F1", quality.pair_f1), ("B-cubed F1", quality.bcubed_f1)):
        if e.value == e.value:
            key.append(KeyFigure(label, f"{e.value:.3f}", f"[{e.low:.3f}, {e.high:.3f}] against the known truth"))
    return key
