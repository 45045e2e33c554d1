"""The ecology of a customer: platforms, groups, reviews and peers around somebody, and how much each of them weighs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, mask
from crmcore._frames import read_frame
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange, UnknownName
from crmcore.graphs import Graph
from crmcore.metrics.columns import held_floats
from crmcore.metrics.estimates import frame_of
from crmcore.tables import EventTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Ecology", "ecology", "ecology_of_events"]

Floats = NDArray[np.float64]
PERSONS = frozenset({"peer", "peer group member", "person", "customer", "friend"})


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Ecology:
    """Who and what is around one customer.

    Attributes
    ----------
    customer : id
        Masked wherever it is printed, as are nodes of the types that name persons.
    nodes : n names without the customer
    types : n words, such as "social platform", "community group", "reviews", "peer"
    influence : (n,) shares that sum to 1
        Of the time that a walk along the links spends on each, which goes back to the customer now and then.
    links : (source, target, weight) by name
    """

    customer: str
    nodes: tuple[str, ...]
    types: tuple[str, ...]
    influence: Floats = attrs.field(converter=held_floats)
    links: tuple[tuple[str, str, float], ...]

    def __len__(self) -> int:
        return len(self.nodes)

    def by_type(self) -> dict[str, float]:
        """Influence of each type, the strongest first; sums to 1."""
        found: dict[str, float] = {}
        for kind, share in zip(self.types, self.influence.tolist(), strict=True):
            found[kind] = found.get(kind, 0.0) + share
        return dict(sorted(found.items(), key=lambda x: -x[1]))

    def strongest(self, n: int = 5) -> list[tuple[str, str, float]]:
        """Name, type and influence of the strongest nodes; persons are masked."""
        order = np.argsort(-self.influence, kind="stable")[:n].tolist()
        return [(self._shown(i), self.types[i], float(self.influence[i])) for i in order]

    def _shown(self, i: int) -> str:
        return mask(self.nodes[i]) if self.types[i] in PERSONS else self.nodes[i]

    def __str__(self) -> str:
        kinds = ", ".join(f"{k} {v:.0%}" for k, v in self.by_type().items())
        lines = [f"around {mask(self.customer)}: {kinds}"]
        return "\n".join([*lines, *(f"  {v:>6.1%}  {name} ({kind})" for name, kind, v in self.strongest())])

    def __repr__(self) -> str:
        return f"Ecology({len(self.nodes)} nodes, {len(self.links)} links)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a node: node, type, influence."""
        rows = [
            {"node": n, "type": t, "influence": float(v)}
            for n, t, v in zip(self.nodes, self.types, self.influence, strict=True)
        ]
        return frame_of(rows, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, with names."""
        return {
            "customer": self.customer, "nodes": list(self.nodes), "types": list(self.types),
            "influence": self.influence.tolist(), "links": [list(x) for x in self.links],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Ecology:
        """Read what `to_dict` wrote."""
        return cls(
            customer=document["customer"], nodes=tuple(document["nodes"]), types=tuple(document["types"]),
            influence=document["influence"], links=tuple((a, b, float(w)) for a, b, w in document["links"]),
        )  # fmt: skip

    def chart(self) -> Chart:
        """The customer in the middle, the others around, larger with more influence, coloured by type."""
        from crmcore.charts import network

        order = sorted(range(len(self)), key=lambda i: (self.types[i], -self.influence[i]))
        drawn: list[dict[str, Any]] = [{"id": self.customer, "x": 0, "y": 0, "label": "customer", "group": "customer"}]
        top = float(self.influence.max(initial=0.0)) or 1.0
        for place, i in enumerate(order):
            turn = 2 * math.pi * place / len(order)
            drawn.append(
                {
                    "id": self.nodes[i], "x": math.cos(turn), "y": math.sin(turn), "label": self._shown(i),
                    "group": self.types[i], "size": 0.2 + self.influence[i] / top,
                }
            )  # fmt: skip
        return network(drawn, list(self.links), title="What is around a customer", description=str(self))

    def _repr_html_(self) -> str:
        rows = [{"node": n, "type": t, "influence": f"{v:.1%}"} for n, t, v in self.strongest(20)]
        return html_table(rows, caption=f"around {mask(self.customer)}")


def ecology(
    links: Any, /, *, customer: str, types: Mapping[str, str] | None = None, source: str = "source",
    target: str = "target", weight: str = "weight", kind: str = "type", reach: int = 2, restart: float = 0.15,
) -> Ecology:  # fmt: skip
    """Influence of everything that a customer is linked to, within some steps.

    Parameters
    ----------
    links : frame, dict of columns, or list of dicts
        One row a link; `weight` (1 where there is none) says how often or how strongly. Links work both ways.
    customer : name of a node
    types : node -> type, optional
        None reads the column `kind` as the type of the target.
    reach : steps
        1 keeps what the customer touches itself, 2 also what is around that.
    restart : share
        How readily the walk goes back to the customer: near things count more where it is high.

    Returns
    -------
    Ecology

    Raises
    ------
    MissingColumn, EmptyInput, OutOfRange
        Columns that are not there; a customer without links.

    Examples
    --------
    >>> links = [
    ...     {"source": "ann", "target": "Facebook", "type": "social platform", "weight": 6},
    ...     {"source": "ann", "target": "runners' group", "type": "community group", "weight": 2},
    ...     {"source": "ben", "target": "runners' group", "type": "community group", "weight": 2},
    ... ]
    >>> found = ecology(links, customer="ann", types={"ben": "peer"})
    >>> list(found.by_type())
    ['social platform', 'community group', 'peer']
    """
    read = read_frame(links)
    for name in (source, target):
        if name not in read.columns:
            raise MissingColumn(name, read.columns)
    if not isinstance(reach, int) or reach < 1:
        raise OutOfRange("reach", reach, "whole steps from 1", "2 shows the groups of one's groups")
    a, b = ([str(c) if c is not None else "" for c in read.column(name)] for name in (source, target))
    w = read.column(weight) if weight in read.columns else np.ones(len(a))
    known: dict[str, str] = {}
    if kind in read.columns:
        known = {node: str(t) for node, t in zip(b, read.column(kind), strict=True) if t is not None}
    known |= dict(types or {})
    graph = Graph.of(a, b, np.asarray(w, np.float64)).undirected()
    if customer not in graph.nodes:
        raise EmptyInput(f"the links of {mask(customer)}", "pass links that touch the customer")
    return _around(graph, customer, known, reach=reach, restart=restart)


def _around(graph: Graph, customer: str, known: Mapping[str, str], *, reach: int, restart: float) -> Ecology:
    near = np.array([n == customer for n in graph.nodes])
    for _ in range(reach):
        more = near.copy()
        more[graph.target[near[graph.source]]] = True
        near = more
    keep = near[graph.source] & near[graph.target]
    names = [n for n, x in zip(graph.nodes, near, strict=True) if x]
    untyped = [n for n in names if n != customer and n not in known]
    if untyped:
        raise UnknownName("type of the node", mask(untyped[0]), tuple(sorted(set(known.values()))))
    inner = Graph.of(
        [graph.nodes[i] for i in graph.source[keep]], [graph.nodes[i] for i in graph.target[keep]],
        graph.weight[keep], nodes=names,
    )  # fmt: skip
    share = inner.walk_shares(customer, restart=restart)
    own = inner.nodes.index(customer)
    others = [i for i in range(len(inner)) if i != own]
    influence = share[others] / share[others].sum()
    once = inner.source < inner.target
    ends = (inner.source[once].tolist(), inner.target[once].tolist(), inner.weight[once].tolist())
    links = tuple((inner.nodes[i], inner.nodes[j], float(x)) for i, j, x in zip(*ends, strict=True))
    return Ecology(
        customer=customer, nodes=tuple(inner.nodes[i] for i in others),
        types=tuple(known[inner.nodes[i]] for i in others),
        influence=influence, links=links,
    )  # fmt: skip


def ecology_of_events(
    events: EventTable, /, *, customer: str, types: Mapping[str, str], by: str = "touchpoint",
    peers: Sequence[tuple[str, str]] = (), weights: ArrayLike | None = None, restart: float = 0.15,
) -> Ecology:  # fmt: skip
    """Ecology of a customer from events: where it was seen how often, and who was seen there too.

    Parameters
    ----------
    events : EventTable
    customer : id
    types : touchpoint -> type
        Other customers at the same touchpoints are of the type "peer".
    by : {"touchpoint", "channel"}
    peers : (who, whom), optional
        Further links between persons, such as referrals and replies.
    weights : (n,) numbers, optional
        Of each event; 1 each.

    Examples
    --------
    >>> events = EventTable.from_frame(
    ...     {"customer": ["ann", "ann", "ben"], "time": ["2026-03-01"] * 3, "touchpoint": ["LINE", "forum", "forum"]},
    ...     zone="UTC",
    ... )
    >>> found = ecology_of_events(events, customer="ann", types={"LINE": "social platform", "forum": "community group"})
    >>> round(sum(found.by_type().values()), 12), len(found)
    (1.0, 3)
    """
    if by not in ("touchpoint", "channel"):
        raise UnknownName("column of the events", by, ("touchpoint", "channel"))
    column = events.touchpoint if by == "touchpoint" else events.channel
    if customer not in events.customers:
        raise EmptyInput(f"the events of {mask(customer)}", "pass events of the customer")
    own = np.unique(column.codes[(events.customer == events.customers.code(customer)) & (column.codes >= 0)])
    rows = np.flatnonzero((events.customer >= 0) & np.isin(column.codes, own))
    w = np.ones(len(events)) if weights is None else np.asarray(weights, np.float64)
    links = {
        "source": [*(events.customers.ids[c] for c in events.customer[rows].tolist()), *(a for a, _ in peers)],
        "target": [*(column.values[c] for c in column.codes[rows].tolist()), *(b for _, b in peers)],
        "weight": np.concatenate([w[rows], np.ones(len(peers))]),
    }
    everybody = dict.fromkeys((*events.customers.ids, *(p for pair in peers for p in pair)), "peer")
    return ecology(links, customer=customer, types={**everybody, **types}, restart=restart)
