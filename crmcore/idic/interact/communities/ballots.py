"""A decision by vote: who may vote, how many must, how ranked ballots become one winner, and what voters are told."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import between, check_aware, html_table, listed, mask
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.idic.interact.communities.polls import Counts, Rejected, options_of, sift
from crmcore.metrics.columns import columns_frame

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Ballot", "Decision", "DecisionResult", "Method", "Notice"]

Ints = NDArray[np.int64]
Rankings = Sequence[tuple[str, ...]]


class Method(enum.StrEnum):
    """How ranked ballots become one winner."""

    PLURALITY = "plurality"
    INSTANT_RUNOFF = "instant runoff"
    SCHULZE = "schulze"


def _ranking(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen
class Ballot(Document):
    """Options from the one somebody likes best on; those left out are all liked less, and equally so."""

    voter: str = attrs.field(repr=mask)
    ranking: tuple[str, ...] = attrs.field(converter=_ranking)
    at: datetime
    id: str = ""


@attrs.frozen
class Notice(Document):
    """What one person is told."""

    to: str = attrs.field(repr=mask)
    text: str


@attrs.frozen(kw_only=True)
class Decision:
    """A decision that a community takes.

    Parameters
    ----------
    question : text
    options : names
        At least two, in the order in which ties are broken: the earlier one wins, the later one goes.
    eligible : ids
        Who may vote.
    quorum : share
        Of the eligible who must have cast a ballot that counts; below it nothing is decided.
    method : Method
        `"instant runoff"`: the option with fewest first preferences goes, its ballots move to the next option on them,
        until one has more than half of the ballots that still name somebody. Equal at the end: fewer votes in the
        latest earlier round goes, then the later in `options`. `"schulze"`: the option that beats or ties every other
        on the strongest paths of pairwise winning votes (Schulze 2011, Social Choice and Welfare 36:267), always the
        Condorcet winner where there is one. `"plurality"`: most first preferences.
    opens_at, closes_at : aware datetimes, optional
    counts : Counts
        Which ballot of a person counts, `"last"` by default: minds change until the vote closes.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 1, tzinfo=UTC)
    >>> vote = Decision(question="New colour", options=["red", "blue", "teal"], eligible=["a", "b", "c", "d", "e"])
    >>> said = {"a": ["red", "teal"], "b": ["red", "teal"], "c": ["blue", "teal"], "d": ["blue", "teal"],
    ...         "e": ["teal", "blue"]}
    >>> found = vote.count([Ballot(voter, ranking, at) for voter, ranking in said.items()])
    >>> found.winner, found.rounds
    ('blue', ({'red': 2, 'blue': 2, 'teal': 1}, {'red': 2, 'blue': 3}))
    """

    question: str
    options: tuple[str, ...] = attrs.field(converter=options_of)
    eligible: frozenset[str] = attrs.field(converter=frozenset, repr=lambda e: f"<{len(e)}>")
    quorum: float = attrs.field(default=0.0, validator=between(0, 1, hint="a share of the eligible: 0.25"))
    method: Method = attrs.field(default=Method.INSTANT_RUNOFF, converter=Method)
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    counts: Counts = attrs.field(default=Counts.LAST, converter=Counts)

    def __attrs_post_init__(self) -> None:
        if not self.eligible:
            raise EmptyInput("eligible", "name who may vote")
        for name in ("opens_at", "closes_at"):
            if getattr(self, name) is not None:
                check_aware(getattr(self, name), name)

    def count(self, ballots: Iterable[Ballot], /) -> DecisionResult:
        """Count ballots; what does not count is told with its reason, and changes nothing."""
        given = listed(ballots, "ballots", Ballot, what="ballots", hint="Ballot(voter, ranking, at)")
        faults = {i: fault for i, b in enumerate(given) if (fault := self._fault(b))}
        kept, out = sift(
            given, faults=faults, counts=self.counts, opens_at=self.opens_at, closes_at=self.closes_at,
            eligible=self.eligible,
        )  # fmt: skip
        rankings = [b.ranking for b in kept]
        enough = bool(kept) and len(kept) >= self.quorum * len(self.eligible) - 1e-9
        winner, tied, rounds, pairs = self._decided(rankings)
        return DecisionResult(
            question=self.question, options=self.options, method=self.method, ballots=len(kept),
            eligible=len(self.eligible), quorum=self.quorum, quorum_met=enough, winner=winner if enough else None,
            tied=tied if enough else (), rounds=rounds, pairs=pairs,
            voters={b.voter: b.ranking[0] for b in kept}, rejected=out,
        )  # fmt: skip

    def _fault(self, ballot: Ballot) -> str:
        odd = [o for o in ballot.ranking if o not in self.options]
        if not ballot.ranking:
            return "an empty ballot"
        if odd:
            return f"{odd[0]!r} is no option"
        return "an option stands on it twice" if len(set(ballot.ranking)) < len(ballot.ranking) else ""

    def _decided(
        self, rankings: Rankings
    ) -> tuple[str, tuple[str, ...], tuple[dict[str, int], ...], tuple[tuple[int, ...], ...]]:
        pairs = pairwise_wins(rankings, self.options)
        if self.method is Method.SCHULZE:
            best = schulze_winners(pairs)
            names = tuple(self.options[i] for i in best)
            first = ({o: sum(r[0] == o for r in rankings) for o in self.options},)
            return names[0], names if len(names) > 1 else (), first, tuple(map(tuple, pairs.tolist()))
        if self.method is Method.PLURALITY:
            tally = {o: sum(r[0] == o for r in rankings) for o in self.options}
            top = tuple(o for o in self.options if tally[o] == max(tally.values()))
            return top[0], top if len(top) > 1 else (), (tally,), tuple(map(tuple, pairs.tolist()))
        winner, tied, rounds = instant_runoff(rankings, self.options)
        return winner, tied, rounds, tuple(map(tuple, pairs.tolist()))


@attrs.frozen(kw_only=True)
class DecisionResult(Document):
    """What was decided, how, and by how many.

    Parameters
    ----------
    winner : option, optional
        None where the quorum was missed.
    tied : options
        That were equal at the last step, among which the documented rule chose; empty where nothing was tied.
    rounds : sequence of option -> ballots
        First preferences; for instant runoff of every round.
    pairs : (m, m) counts
        Ballots that rank the option of the row above that of the column, in the order of `options`.
    voters : voter -> first choice
        Out of the repr.
    """

    question: str
    options: tuple[str, ...]
    method: Method
    ballots: int
    eligible: int
    quorum: float
    quorum_met: bool
    winner: str | None
    tied: tuple[str, ...]
    rounds: tuple[Mapping[str, int], ...]
    pairs: tuple[tuple[int, ...], ...]
    voters: Mapping[str, str] = attrs.field(repr=False)
    rejected: tuple[Rejected, ...]

    def __str__(self) -> str:
        turnout = f"{self.ballots} of {self.eligible} voted"
        if not self.quorum_met:
            return f"{self.question}: not decided, {turnout}, the quorum is {100 * self.quorum:g} %"
        tie = f", by order among {' and '.join(self.tied)}" if self.tied else ""
        return f"{self.question}: {self.winner} ({self.method}{tie}; {turnout})"

    def notices(self) -> tuple[Notice, ...]:
        """Thanks and result for everybody who voted; a sentence for those whose ballots did not count."""
        result = str(self)
        told = [
            Notice(v, f"Thank you for voting. {result}. Your first choice was {c}.")
            for v, c in sorted(self.voters.items())
        ]
        lost = {r.voter: r.reason for r in self.rejected if r.voter not in self.voters}
        return (*told, *(Notice(v, f"Your ballot did not count: {why}. {result}.") for v, why in sorted(lost.items())))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an option and round: round, option, ballots (missing once it is out)."""
        rows = [(i + 1, o, r.get(o)) for i, r in enumerate(self.rounds) for o in self.options]
        return columns_frame({k: [r[i] for r in rows] for i, k in enumerate(("round", "option", "ballots"))}, backend=backend)  # fmt: skip  # noqa: E501

    def chart(self) -> Chart:
        """First preferences of the first round."""
        from crmcore.charts import bar

        first = self.rounds[0] if self.rounds else dict.fromkeys(self.options, 0)
        return bar(list(first), list(first.values()), title=self.question)

    def _repr_html_(self) -> str:
        rows = [
            {"option": o, **{f"round {i + 1}": r.get(o) for i, r in enumerate(self.rounds[:8])}} for o in self.options
        ]
        return html_table(rows, caption=str(self))


def instant_runoff(
    rankings: Rankings, options: Sequence[str], /
) -> tuple[str, tuple[str, ...], tuple[dict[str, int], ...]]:
    """Winner, options tied at the last step, and the ballots of each round; see `Decision`.

    Examples
    --------
    >>> instant_runoff([("a",), ("b", "c"), ("c", "b")], ["a", "b", "c"])
    ('b', (), ({'a': 1, 'b': 1, 'c': 1}, {'a': 1, 'b': 2}))
    """
    place = {o: i for i, o in enumerate(options)}
    left, rounds = list(options), list[dict[str, int]]()
    while True:
        tops = [next((o for o in r if o in left), None) for r in rankings]
        tally = {o: sum(t == o for t in tops) for o in left}
        rounds.append(tally)
        best = max(left, key=lambda o: (tally[o], -place[o]))
        if len(left) == 1 or 2 * tally[best] > sum(tally.values()):
            return best, (), tuple(rounds)
        history = {o: tuple(r[o] for r in reversed(rounds)) for o in left}
        if len(left) == 2 and history[left[0]] == history[left[1]]:
            return best, tuple(left), tuple(rounds)
        left.remove(min(left, key=lambda o: (history[o], -place[o])))


def pairwise_wins(rankings: Rankings, options: Sequence[str], /) -> Ints:
    """(m, m) ballots that rank the row's option above the column's; what a ballot leaves out stands below."""
    m = len(options)
    place = {o: i for i, o in enumerate(options)}
    rank = np.full((len(rankings), m), m, np.int64)
    for i, ranking in enumerate(rankings):
        rank[i, [place[o] for o in ranking]] = np.arange(len(ranking))
    return np.asarray((rank[:, :, None] < rank[:, None, :]).sum(axis=0), np.int64)


def schulze_winners(wins: Ints, /) -> list[int]:
    """Options that no other beats on the strongest paths, in their order.

    Examples
    --------
    >>> schulze_winners(np.array([[0, 2, 1], [1, 0, 2], [2, 1, 0]]))
    [0, 1, 2]
    """
    path = np.where(wins > wins.T, wins, 0)
    for k in range(len(path)):  # widest paths, as Floyd and Warshall would
        path = np.maximum(path, np.minimum(path[:, k : k + 1], path[k : k + 1, :]))
        np.fill_diagonal(path, 0)
    return np.flatnonzero((path >= path.T).all(axis=1)).tolist()
