"""Does the sample look like the population? A test, the distance in words, and a warning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import CrmWarning, EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import SAME, held
from crmcore.metrics.estimates import check_level, frame_of
from crmcore.metrics.scalars import above, count_of, entries, real

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Representativeness", "UnrepresentativeSample", "representativeness"]

Floats = NDArray[np.float64]


class UnrepresentativeSample(CrmWarning):
    """A sample differs from its population in a trait that is known."""


@attrs.frozen(hash=False, repr=False, kw_only=True)
class Representativeness(Document):
    """How the cells of a sample compare with those of the population.

    Parameters
    ----------
    cells : c texts
    sample, population : (c,) shares
    n : count
        Of the sample.
    chi_squared, p_value : number
        Of the test of goodness of fit with c − 1 degrees of freedom (Pearson 1900); exactness needs expected counts of
        about 5 in every cell (`least_expected`).
    p_adjusted : (c,)
        Of each cell against its population share, two-sided exact, adjusted by Holm.
    least_expected : number
        Smallest expected count of a cell.
    level : share
        1 − level is the threshold of the test.
    tolerance : share
        Distance that is let pass as too small to matter.
    """

    cells: tuple[str, ...]
    sample: Floats = attrs.field(converter=held, eq=SAME)
    population: Floats = attrs.field(converter=held, eq=SAME)
    n: int
    chi_squared: float
    p_value: float
    p_adjusted: Floats = attrs.field(converter=held, eq=SAME)
    least_expected: float
    level: float
    tolerance: float

    @property
    def distance(self) -> float:
        """Share of respondents who would have to be others for the sample to match: half the sum of all gaps."""
        return float(np.abs(self.sample - self.population).sum() / 2)

    @property
    def representative(self) -> bool:
        """Whether no more than chance, or no more than the tolerance, separates sample and population."""
        return not (self.p_value < 1 - self.level and self.distance > self.tolerance)

    @property
    def skewed(self) -> tuple[str, ...]:
        """Cells whose share differs by more than chance, the widest gap first."""
        found = np.flatnonzero(self.p_adjusted < 1 - self.level)
        gaps = np.abs(self.sample - self.population)[found]
        return tuple(self.cells[i] for i in found[np.lexsort((found, -gaps))].tolist())

    def __repr__(self) -> str:
        return f"Representativeness({len(self.cells)} cells, n = {self.n}, {100 * self.distance:.3g} points off)"

    def __str__(self) -> str:
        p = "p < 0.0001" if self.p_value < 0.0001 else f"p = {self.p_value:.3g}"
        head = "no sign of skew" if self.representative else "the sample is skewed"
        about = f"{head}: {100 * self.distance:.3g} % of {self.n} respondents would have to be others ({p})"
        lines = [
            f"  {cell}: {number_text(100 * s)} % of the sample, {number_text(100 * w)} % of the population"
            for cell, s, w in zip(self.cells, self.sample.tolist(), self.population.tolist(), strict=True)
            if cell in self.skewed
        ]
        return "\n".join([about, *lines])

    def _rows(self) -> list[dict[str, Any]]:
        columns = {
            "cell": self.cells,
            "sample": self.sample.tolist(),
            "population": self.population.tolist(),
            "index": (100 * self.sample / self.population).tolist(),
            "p_adjusted": self.p_adjusted.tolist(),
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a cell: cell, sample, population, index (population = 100), p_adjusted."""
        return frame_of(self._rows(), backend=backend)

    def chart(self) -> Chart:
        """Share in the sample minus share in the population, by cell."""
        from crmcore.charts import bar

        gaps = (self.sample - self.population).tolist()
        title = "Sample minus population"
        return bar(self.cells, gaps, title=title, description=str(self), axis="difference of shares", percent=True)

    def _repr_html_(self) -> str:
        rows = [{k: v if isinstance(v, str) else number_text(v) for k, v in row.items()} for row in self._rows()]
        return html_table(rows, caption=str(self).partition("\n")[0])


def representativeness(
    sample: Mapping[str, int],
    population: Mapping[str, float],
    /,
    *,
    level: float = 0.95,
    tolerance: float = 0.05,
    skew_ok: bool = False,
) -> Representativeness:
    """Compare the cells of a sample with their known shares in the population, and warn where they differ.

    Parameters
    ----------
    sample : mapping
        Cell to number of respondents (authors, not posts); a cell of the population that is not named has none.
    population : mapping
        Cell to its share, or its number of people, above 0; scaled to add up to 1.
    level : share
        1 − level is the threshold of the test.
    tolerance : share
        Distance up to which even a certain difference passes: with many answers everything differs "significantly".
    skew_ok : truth
        Silences `UnrepresentativeSample`, because the estimate is weighted or the skew is known.

    Returns
    -------
    Representativeness
        Matching in these traits is no proof of matching in what was asked.

    Raises
    ------
    UnknownName
        The sample holds a cell that the population does not.
    OutOfRange, EmptyInput
        Counts that are not whole, shares that are not above 0, nobody in the sample.

    Examples
    --------
    >>> print(representativeness({"young": 80, "old": 20}, {"young": 0.5, "old": 0.5}, skew_ok=True))
    the sample is skewed: 30 % of 100 respondents would have to be others (p < 0.0001)
      young: 80 % of the sample, 50 % of the population
      old: 20 % of the sample, 50 % of the population
    """
    check_level(level)
    hint = "name each cell: {'under 30': 120}"
    sample, population = entries("sample", sample, hint=hint), entries("population", population, hint=hint)
    if not 0 <= real("tolerance", tolerance) < 1:
        raise OutOfRange("tolerance", tolerance, "a share from 0", "0.05 lets 5 % of the respondents be others")
    for cell, count in sample.items():
        if cell not in population:
            raise UnknownName("cell of the sample", cell, tuple(population))
        count_of(f"sample[{cell!r}]", count, hint="pass counts, not shares")
    for cell, share in population.items():
        above(f"population[{cell!r}]", share, allowed="a share or a count above 0", hint="leave empty cells out")
    if len(population) < 2:
        raise EmptyInput("population with fewer than two cells", "one cell holds everybody: nothing to compare")
    seen = np.array([sample.get(cell, 0) for cell in population], np.float64)
    n = int(seen.sum())
    if not n:
        raise EmptyInput("sample", "count at least one respondent")
    size = np.array(list(population.values()), np.float64)
    made = _compared(tuple(population), seen, size / size.sum(), level=level, tolerance=tolerance)
    if not (made.representative or skew_ok):
        risk = f"the sample does not look like the population: {', '.join(made.skewed) or 'several cells'} off."
        hint = "weigh the answers (metrics.weighting, metrics.raking), or say skew_ok=True"
        warnings.warn(f"{risk}\n  hint: {hint}", UnrepresentativeSample, stacklevel=2)
    return made


def _compared(
    cells: tuple[str, ...], seen: Floats, share: Floats, *, level: float, tolerance: float
) -> Representativeness:
    from scipy.special import chdtrc

    from crmcore.metrics.exact import binomial_exact
    from crmcore.metrics.multiplicity import adjust

    n = float(seen.sum())
    expected = n * share
    chi = float(((seen - expected) ** 2 / expected).sum())
    return Representativeness(
        cells=cells,
        sample=seen / n,
        population=share,
        n=int(n),
        chi_squared=chi,
        p_value=float(chdtrc(len(cells) - 1, chi)),
        p_adjusted=adjust(binomial_exact(seen, n, share)),
        least_expected=float(expected.min()),
        level=level,
        tolerance=tolerance,
    )
