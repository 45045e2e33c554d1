"""Audience indices: how much more or less a group is found here than in the population."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small
from crmcore.metrics.intervals import wilson_interval
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import above, count_of, entries, real

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["AudienceIndex", "IndexTable", "audience_index", "audience_indices"]


@attrs.frozen(kw_only=True)
class AudienceIndex(Document):
    """Share of a group in an audience over its share in the population, times 100.

    `share` is that in the audience; `population_share` that in the population; `index` is 100 where both are alike.

    Examples
    --------
    >>> made = audience_index(Counts(160, 1000), 0.25)
    >>> print(made)
    index 64 [55.4, 73.6] (95 %, n = 1000, wilson, known population): under-indexes by 36 %
    """

    share: Estimate
    population_share: float
    index: Estimate

    @property
    def change(self) -> float:
        """How far above (+) or below (−) the population: −0.36 for an index of 64."""
        return self.index.value / 100 - 1

    def __str__(self) -> str:
        if math.isnan(self.change):
            return f"index {self.index}"
        way = "over" if self.change > 0 else "under"
        percent = f"{way}-indexes by {number_text(abs(100 * self.change))} %" if self.change else "as the population"
        return f"index {self.index}: {percent}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """Two rows: the share in the audience and the index, each with its interval."""
        parts = {"share": self.share, "index": self.index}
        return frame_of([{"part": name, **attrs.asdict(part)} for name, part in parts.items()], backend=backend)

    def chart(self) -> Chart:
        """The index with its interval and a line at 100."""
        from crmcore.charts import dot_interval

        return dot_interval(["index"], [self.index], title="Audience index", description=str(self), reference=100)

    def _repr_html_(self) -> str:
        few = " <em>few observations</em>" if self.index.small else ""
        return f"<figure><b>{escape(str(self))}</b>{few}<figcaption>{escape(self.index.rule)}</figcaption></figure>"


def audience_index(
    audience: Counts,
    population: float | Counts,
    /,
    *,
    level: float = 0.95,
    rule: str = "100 x share in the audience / share in the population",
    small_sample_ok: bool = False,
) -> AudienceIndex:
    """Index of a group: 100 times its share in an audience over its share in the population.

    Parameters
    ----------
    audience : Counts
        k of n people of the audience belong to the group.
    population : share or Counts
        A share above 0 that is known (a census), or counts of an independent sample, whose error then enters.
    level : share
        Coverage aimed at.
    rule : text
        What was divided by what.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when a sample is below 30.

    Returns
    -------
    AudienceIndex
        Its interval: Wilson's of the share divided by a known share; for two samples that of a ratio of proportions,
        MOVER-R with Wilson limits (Donner & Zou 2012), see `risk_ratio_interval`; it is open above where the sample of
        the population holds nobody of the group.

    Raises
    ------
    OutOfRange
        A population share that is not above 0 and at most 1.

    Examples
    --------
    >>> print(audience_index(Counts(160, 1000), 0.25))
    index 64 [55.4, 73.6] (95 %, n = 1000, wilson, known population): under-indexes by 36 %
    >>> print(audience_index(Counts(160, 1000), Counts(250, 1000)).index)
    64 [53.6, 76.4] (95 %, n = 2000, mover-r, wilson)
    """
    check_level(level)
    if not isinstance(audience, Counts):
        raise WrongType("audience", type(audience).__name__, "Counts", "Counts(160, 1000): 160 of 1000 in the audience")
    least = min(audience.n, population.n) if isinstance(population, Counts) else audience.n
    warn_if_small(least, "the audience index", ok=small_sample_ok)
    share = audience.estimate(level=level, rule="group / audience", small_sample_ok=True)
    if isinstance(population, Counts):
        from crmcore.metrics.two_by_two import risk_ratio_interval

        base = population.k / population.n if population.n else math.nan
        low, high = risk_ratio_interval(audience.k, audience.n, population.k, population.n, level=level)
        n, method = audience.n + population.n, "mover-r, wilson"
    else:
        base = real("population", population, hint="write 25 % as 0.25, or pass Counts")
        if not 0 < base <= 1:
            hint = "write 25 % as 0.25; a group that the population lacks has no index"
            raise OutOfRange("population", population, "a share above 0", hint)
        low, high = (end / base for end in wilson_interval(audience.k, audience.n, level=level))
        n, method = audience.n, "wilson, known population"
    value = share.value / base if base > 0 else math.nan
    ends = {"low": 100 * float(low), "high": 100 * float(high), "level": level}
    index = Estimate(value=100 * value, **ends, n=n, rule=rule, method=method)
    return AudienceIndex(share=share, population_share=base, index=index)


@attrs.frozen(repr=False)
class IndexTable(Document):
    """Audience indices of the groups of one trait, such as age bands; all shares of one audience."""

    groups: tuple[str, ...]
    indices: tuple[AudienceIndex, ...]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, group: str) -> AudienceIndex:
        if group not in self.groups:
            raise UnknownName("group", group, self.groups)
        return self.indices[self.groups.index(group)]

    def __repr__(self) -> str:
        return f"IndexTable({len(self)} groups, n = {self.indices[0].share.n})"

    def __str__(self) -> str:
        wide = max(map(len, self.groups))
        return "\n".join(f"{group:{wide}}  {index}" for group, index in zip(self.groups, self.indices, strict=True))

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "group": group,
                "share": made.share.value,
                "population": made.population_share,
                "index": made.index.value,
                "low": made.index.low,
                "high": made.index.high,
                "change": made.change,
                "n": made.index.n,
            }
            for group, made in zip(self.groups, self.indices, strict=True)
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a group: group, share, population, index, low, high, change, n."""
        return frame_of(self._rows(), backend=backend)

    def chart(self, *, title: str = "Audience index by group") -> Chart:
        """Indices with their intervals and a line at 100; groups with an open end are left out."""
        from crmcore.charts import dot_interval

        drawn = [
            (group, made.index)
            for group, made in zip(self.groups, self.indices, strict=True)
            if all(map(math.isfinite, (made.index.value, made.index.low, made.index.high)))
        ]
        if not drawn:
            raise EmptyInput("the table without a finite index", "sample the population more widely")
        labels, estimates = zip(*drawn, strict=True)
        return dot_interval(labels, estimates, title=title, axis="population = 100", reference=100)

    def _repr_html_(self) -> str:
        rows = [{k: v if isinstance(v, str | int) else number_text(v) for k, v in row.items()} for row in self._rows()]
        return html_table(rows, caption="audience index, population = 100")


def audience_indices(
    audience: Mapping[str, int],
    population: Mapping[str, float] | Mapping[str, int],
    /,
    *,
    level: float = 0.95,
    population_is: str = "shares",
    small_sample_ok: bool = False,
) -> IndexTable:
    """Index of every group of a trait at once.

    Parameters
    ----------
    audience : mapping
        Group to count of people; together they are the audience.
    population : mapping
        Group to its share (adding up to 1), or to the count of an independent sample.
    level : share
        Coverage aimed at, of each interval.
    population_is : text
        `"shares"` (default: known) or `"counts"` (a sample).
    small_sample_ok : truth
        Silences `SmallSample`.

    Returns
    -------
    IndexTable
        In the order of `population`; a group that the audience lacks has the index 0.

    Raises
    ------
    UnknownName
        The audience holds a group that the population does not.
    OutOfRange
        Shares that do not add up to 1.

    Examples
    --------
    >>> print(audience_indices({"under 25": 160, "25 and older": 840}, {"under 25": 0.25, "25 and older": 0.75}))
    under 25      index 64 [55.4, 73.6] (95 %, n = 1000, wilson, known population): under-indexes by 36 %
    25 and older  index 112 [109, 115] (95 %, n = 1000, wilson, known population): over-indexes by 12 %
    """
    if population_is not in ("shares", "counts"):
        raise UnknownName("kind of population", population_is, ("shares", "counts"))
    hint = "name each group: {'under 25': 160}"
    audience = entries("audience", audience, hint=hint)
    sizes: Mapping[str, float] = entries("population", population, hint=hint)
    for group, share in sizes.items():
        above(f"population[{group!r}]", share, least=0, allowed="a number from 0", hint="leave empty groups out")
    for group, count in audience.items():
        if group not in population:
            raise UnknownName("group of the audience", group, tuple(population))
        count_of(f"audience[{group!r}]", count, hint="pass counts, not shares")
    total, n = sum(population.values()), sum(audience.values())
    if not population:
        raise EmptyInput("population", "name the groups and their shares")
    if population_is == "shares" and not math.isclose(total, 1, abs_tol=1e-3):
        raise OutOfRange("sum of population", total, "1", "name all groups, or say population_is='counts'")
    warn_if_small(int(n), "the table of indices", ok=small_sample_ok)
    made = tuple(
        audience_index(
            Counts(audience.get(group, 0), n),
            share if population_is == "shares" else Counts(int(share), int(total)),
            level=level,
            small_sample_ok=True,
        )
        for group, share in population.items()
    )
    return IndexTable(tuple(population), made)
