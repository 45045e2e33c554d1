"""Binary decision diagrams of functions that only rise: at least k of, minimal sets, exact probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmcore.errors import OutOfRange

__all__ = ["Diagram"]

NEVER, ALWAYS = 0, 1
MOST_NODES = 1_000_000


class Diagram:
    """Nodes (variable, if not, if so), each kept once; a node stands after those that it leads to.

    Examples
    --------
    >>> d = Diagram()
    >>> a, b, c = d.variable(0), d.variable(1), d.variable(2)
    >>> d.names = ("a", "b", "c")
    >>> root = d.at_least(2, [a, b, c])
    >>> round(d.probabilities({"a": 0.1, "b": 0.1, "c": 0.1})[root], 12), d.minimal_sets(root, most=9)
    (0.028, ((0, 1), (0, 2), (1, 2)))
    """

    def __init__(self) -> None:
        end = 1 << 30  # ends come after all variables
        self.names: tuple[str, ...] = ()
        self._nodes: list[tuple[int, int, int]] = [(end, NEVER, NEVER), (end, ALWAYS, ALWAYS)]
        self._known: dict[tuple[int, int, int], int] = {}
        self._chosen: dict[tuple[int, int, int], int] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def _node(self, variable: int, low: int, high: int) -> int:
        if low == high:
            return low
        key = (variable, low, high)
        found = self._known.get(key)
        if found is None:
            if len(self._nodes) >= MOST_NODES:
                hint = "split the tree at a gate that shares no event with the rest, and use its probability"
                raise OutOfRange("nodes of the exact calculation", MOST_NODES, f"below {MOST_NODES:,}", hint)
            found = self._known[key] = len(self._nodes)
            self._nodes.append(key)
        return found

    def variable(self, number: int, /) -> int:
        """Node of one variable."""
        return self._node(number, NEVER, ALWAYS)

    def choose(self, condition: int, yes: int, no: int) -> int:
        """Node that is `yes` where the condition holds and `no` where it does not."""
        if condition == ALWAYS or yes == no:
            return yes
        if condition == NEVER:
            return no
        if yes == ALWAYS and no == NEVER:
            return condition
        key = (condition, yes, no)
        found = self._chosen.get(key)
        if found is not None:
            return found
        nodes = self._nodes
        first = min(nodes[condition][0], nodes[yes][0], nodes[no][0])
        low, high = (self.choose(*(nodes[x][side] if nodes[x][0] == first else x for x in key)) for side in (1, 2))
        made = self._chosen[key] = self._node(first, low, high)
        return made

    def at_least(self, k: int, inputs: Sequence[int], /) -> int:
        """Node that holds where k of the inputs or more hold; k = 1 is "any", k = n is "all"."""
        reached = [ALWAYS] + [NEVER] * k  # j or more of the inputs so far
        for node in reversed(inputs):
            reached = [ALWAYS] + [self.choose(node, reached[j - 1], reached[j]) for j in range(1, k + 1)]
        return reached[k]

    def probabilities(self, chance: Mapping[str, float], /) -> list[float]:
        """Probability of every node, for independent variables."""
        p = [chance[name] for name in self.names]
        out = [0.0, 1.0]
        for variable, low, high in self._nodes[2:]:
            share = p[variable]
            out.append((1.0 - share) * out[low] + share * out[high])
        return out

    def minimal_sets(self, root: int, /, *, most: int) -> tuple[tuple[int, ...], ...]:
        """Smallest sets of variables that make a node hold, whatever the others do.

        Raises
        ------
        OutOfRange
            More than `most` at any node.
        """
        used = self._under(root)
        sets: dict[int, frozenset[frozenset[int]]] = {NEVER: frozenset(), ALWAYS: frozenset([frozenset()])}
        for node in used:
            variable, low, high = self._nodes[node]
            without = sets[low]
            more = {s for s in sets[high] if not any(w <= s for w in without)}
            sets[node] = without | {s | {variable} for s in more}
            if len(sets[node]) > most:
                raise OutOfRange("minimal cut sets", f"more than {most}", f"at most {most}", "raise most, or split")
        return tuple(sorted((tuple(sorted(s)) for s in sets[root]), key=lambda s: (len(s), s)))

    def _under(self, root: int) -> list[int]:
        """Nodes that a node leads to, ends left out, in the order in which they were made."""
        met, stack = set[int](), [root]
        while stack:
            node = stack.pop()
            if node > ALWAYS and node not in met:
                met.add(node)
                stack += self._nodes[node][1:]
        return sorted(met)
