"""A small world of customers in two sources, simulated, normalised and linked once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from crmcore.datasets import simulate_records
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.linkage import Linkage, Records, link


@attrs.frozen
class World:
    """Records ready to be linked, who they are in truth, and what `link` made of them."""

    records: Records
    truth: np.ndarray
    raw: dict[str, Any]

    @property
    def true_pairs(self) -> set[tuple[int, int]]:
        i, j = np.triu_indices(len(self.truth), 1)
        same = self.truth[i] == self.truth[j]
        return set(zip(i[same].tolist(), j[same].tolist(), strict=True))


def build_world(n_customers: int, *, seed: int, **how: float) -> World:
    made = simulate_records(n_customers, seed=seed, **how)
    raw = {name: made.sources[name] for name in ("members", "web_orders")}
    table = read(raw)
    records, _ = prepare(table, Schema.infer().bind(table))
    person = dict(zip(map(str, made.truth.record_id), made.truth.person.tolist(), strict=True))
    truth = np.array([person[str(r).partition(":")[2]] for r in table.record_id])
    return World(records, truth, raw)


@pytest.fixture(scope="session")
def world() -> World:
    return build_world(300, seed=3)


@pytest.fixture(scope="session")
def linked(world: World) -> Linkage:
    return link(world.records)


@pytest.fixture
def make_world() -> Callable[..., World]:
    """Build another world: `make_world(customers, seed=...)`."""
    return build_world
