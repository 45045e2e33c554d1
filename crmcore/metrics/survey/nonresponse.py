"""Who did not answer, and how far that could move the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange
from crmcore.metrics.columns import cells_of, instants, numbers, truths
from crmcore.metrics.estimates import Estimate, check_level, frame_of
from crmcore.metrics.means import Moments
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import entries
from crmcore.metrics.survey.answers import check_scale, on_scale, score_column, segment_codes
from crmcore.tables.columns import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.metrics.comparing import Comparison

__all__ = ["ResponseBias", "TraitGap", "response_bias"]

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


@attrs.frozen(kw_only=True)
class TraitGap:
    """One known trait of those who answered and of those who did not.

    `trait` is a column, or "column: cell" for words; `difference` is answered minus silent; `standardised` divides it
    by the spread among all invited (below 0.1 is small, above 0.25 is large: Stuart 2010, Statistical Science 25:1).
    """

    trait: str
    answered: float
    silent: float
    difference: Estimate
    standardised: float
    p_value: float
    p_adjusted: float = math.nan


@attrs.frozen(repr=False, kw_only=True)
class ResponseBias(Document):
    """What is known about those who stayed silent, and what their silence could hide.

    Parameters
    ----------
    rate : Estimate
        Answered / invited.
    gaps : tuple of TraitGap
        Known traits, p-values adjusted by Holm over all of them.
    mean : Estimate or None
        Of the answers, where values were passed.
    early, late : Estimate or None
        Mean of the first and the last wave; None without times, or where they do not tell two waves apart.
    late_p_value : share
        Of Welch's test that both waves answer alike.
    extrapolated : number
        Mean of all invited if the silent are like the last wave; NaN without times.
    bounds : (low, high)
        Mean of all invited when nothing is assumed about the silent; NaN without values or scale.
    level : share
    """

    rate: Estimate
    gaps: tuple[TraitGap, ...]
    mean: Estimate | None
    early: Estimate | None
    late: Estimate | None
    late_p_value: float
    extrapolated: float
    bounds: tuple[float, float]
    level: float

    @property
    def suspicious(self) -> tuple[str, ...]:
        """Traits in which those who answered differ by more than chance and by at least 0.1 standard deviations."""
        return tuple(g.trait for g in self.gaps if g.p_adjusted < 1 - self.level and abs(g.standardised) >= 0.1 - 1e-12)

    def __repr__(self) -> str:
        return f"ResponseBias({100 * self.rate.value:.3g} % answered, {len(self.suspicious)} traits differ)"

    def __str__(self) -> str:
        """Sentences for a report."""
        said = [f"{number_text(100 * self.rate.value)} % of {self.rate.n} invited answered."]
        found = [g for g in self.gaps if g.trait in self.suspicious]
        known = sum(math.isfinite(g.p_value) for g in self.gaps)
        if known:
            said.append(
                "Those who answered differ from the silent in "
                + "; ".join(f"{g.trait} ({number_text(g.answered)} against {number_text(g.silent)})" for g in found)
                + "."
                if found
                else f"They differ from the silent in none of {known} known traits by more than chance."
            )
        elif self.gaps:
            said.append("No known trait tells them from the silent: nobody is silent, or nothing is known or varies.")
        return "\n".join([*said, *self._about_values()])

    def _about_values(self) -> list[str]:
        if self.mean is None:
            return []
        said = [f"Their mean is {self.mean}."]
        if self.early is not None and self.late is not None:
            way = "lower" if self.late.value < self.early.value else "higher"
            sure = "more than chance" if self.late_p_value < 1 - self.level else "no more than chance"
            said.append(
                f"The last to answer gave {number_text(self.late.value)}, the first {number_text(self.early.value)}: "
                f"{way}, {sure}. If the silent are like the last, the mean of all is {number_text(self.extrapolated)}."
            )
        if not math.isnan(self.bounds[0]):
            low, high = (number_text(b) for b in self.bounds)
            said.append(f"With nothing assumed about the silent, the mean of all lies between {low} and {high}.")
        return said

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "trait": g.trait,
                "answered": g.answered,
                "silent": g.silent,
                "difference": g.difference.value,
                "low": g.difference.low,
                "high": g.difference.high,
                "standardised": g.standardised,
                "p_adjusted": g.p_adjusted,
            }
            for g in self.gaps
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a trait: trait, answered, silent, difference, low, high, standardised, p_adjusted."""
        if not self.gaps:
            raise EmptyInput("known traits", "pass what is known of all invited: response_bias({'age': ages}, ...)")
        return frame_of(self._rows(), backend=backend)

    def chart(self, *, title: str = "Answered minus silent, in standard deviations") -> Chart:
        """Standardised differences as bars; traits that do not vary are left out."""
        from crmcore.charts import bar

        drawn = [(g.trait, g.standardised) for g in self.gaps if math.isfinite(g.standardised)]
        if not drawn:
            raise EmptyInput("known traits that vary", "pass what is known of all invited")
        return bar([t for t, _ in drawn], [v for _, v in drawn], title=title, description=str(self))

    def _repr_html_(self) -> str:
        rows = [{k: v if isinstance(v, str) else number_text(v) for k, v in row.items()} for row in self._rows()]
        return html_table(rows, caption=str(self).replace("\n", " "))


def response_bias(
    invited: Mapping[str, TextColumn | ArrayLike],
    answered: ArrayLike,
    /,
    *,
    values: ArrayLike | None = None,
    times: ArrayLike | None = None,
    scale: tuple[float, float] | None = None,
    level: float = 0.95,
) -> ResponseBias:
    """Compare those who answered with all who were invited, and say how far the silent could move the result.

    Parameters
    ----------
    invited : mapping of trait to (n,) numbers or words
        What is known of everybody who was invited; NaN and None are unknown. May be empty.
    answered : (n,) truths
        Who answered.
    values : (n,) numbers, optional
        What was answered; must be there exactly for those who answered.
    times : (n,) datetime64 or numbers, optional
        When each answer came; needed of all who answered. The first and the last third are compared, and the silent are
        taken to be like the last third ("wave extrapolation").
    scale : (lowest, highest), optional
        Of the values: gives the bounds that hold whatever the silent think.
    level : share
        Coverage aimed at.

    Returns
    -------
    ResponseBias
        Its text says the findings in sentences. Traits: Welch's t for numbers, pooled z for each cell of words, Holm
        over all. Waves: Armstrong & Overton (1977), Journal of Marketing Research 14:396. Bounds:
        r x̄ + (1 − r) lowest to r x̄ + (1 − r) highest at response rate r: Manski (1989), Journal of Human Resources
        24:343; sampling error comes on top.

    Raises
    ------
    OutOfRange
        Columns of different lengths.
    BadRows
        Values or times that are missing where somebody answered; values of those who did not; values off the scale.
    EmptyInput
        Nobody was invited, or nobody answered.

    Examples
    --------
    >>> age = np.array([30, 40, 50, 60] * 50)
    >>> answered = np.arange(200) % 4 > 1
    >>> score = np.where(answered, age / 10, np.nan)
    >>> print(response_bias({"age": age}, answered, values=score, scale=(0, 10)))
    50 % of 200 invited answered.
    Those who answered differ from the silent in age (55 against 35).
    Their mean is 5.5 [5.4, 5.6] (95 %, n = 100, t).
    With nothing assumed about the silent, the mean of all lies between 2.75 and 7.75.
    """
    check_level(level)
    said = truths("answered", answered)
    invited = entries("invited", invited, hint="name each trait: {'years': column}")
    n = len(said)
    if not said.any():
        raise EmptyInput("answers" if n else "invited", "pass at least one row with answered = True")
    rate = Counts(int(said.sum()), n).estimate(level=level, rule="answered / invited", small_sample_ok=True)
    gaps = _adjusted([gap for name, column in invited.items() for gap in _gaps(name, column, said, level)])
    mean = early = late = None
    p, extrapolated, bounds = math.nan, math.nan, (math.nan, math.nan)
    if values is not None:
        column = _values(values, said, scale)
        given = column[said]
        mean = Moments.of(given).estimate(level=level, rule="mean of the answers", small_sample_ok=True)
        share = rate.value
        if times is not None:
            waves = _waves(given, _times(times, said), level)
            if waves is not None:
                early, late, p = waves.first, waves.second, waves.p_value
                extrapolated = share * mean.value + (1 - share) * late.value
        if scale is not None:
            bounds = (share * mean.value + (1 - share) * scale[0], share * mean.value + (1 - share) * scale[1])
    return ResponseBias(
        rate=rate,
        gaps=gaps,
        mean=mean,
        early=early,
        late=late,
        late_p_value=p,
        extrapolated=extrapolated,
        bounds=bounds,
        level=level,
    )


def _gaps(name: str, column: TextColumn | ArrayLike, said: Truths, level: float) -> list[TraitGap]:
    cells = cells_of(name, column)
    words = cells.dtype.kind in "US" or (cells.dtype == object and any(isinstance(c, str) for c in cells.tolist()))
    if len(cells) != len(said):
        raise OutOfRange(f"len({name})", len(cells), f"{len(said)}, one an invited person", "pass traits of everybody")
    if words:
        codes, labels = segment_codes(cells, n=len(said))
        return [_cell_gap(f"{name}: {label}", codes, i, said, level) for i, label in enumerate(labels)]
    numbers = score_column(cells, what=name)
    there = ~np.isnan(numbers)
    yes, no = Moments.of(numbers[said & there]), Moments.of(numbers[~said & there])
    spread = float(np.std(numbers[there])) if there.any() else math.nan
    return [_gap(name, yes.minus(no, level=level), spread)]


def _cell_gap(name: str, codes: NDArray[np.int64], cell: int, said: Truths, level: float) -> TraitGap:
    there, here = codes >= 0, codes == cell
    yes = Counts(int((here & said).sum()), int((there & said).sum()))
    no = Counts(int((here & ~said).sum()), int((there & ~said).sum()))
    share = here[there].mean()
    return _gap(name, yes.minus(no, level=level), math.sqrt(share * (1 - share)))


def _gap(name: str, made: Comparison, spread: float) -> TraitGap:
    return TraitGap(
        trait=name,
        answered=made.first.value,
        silent=made.second.value,
        difference=made.difference,
        standardised=made.difference.value / spread if spread > 0 else math.nan,
        p_value=made.p_value,
    )


def _adjusted(gaps: list[TraitGap]) -> tuple[TraitGap, ...]:
    from crmcore.metrics.multiplicity import adjust

    if not gaps:
        return ()
    p = adjust([g.p_value for g in gaps]).tolist()
    return tuple(attrs.evolve(g, p_adjusted=q) for g, q in zip(gaps, p, strict=True))


def _values(values: ArrayLike, said: Truths, scale: tuple[float, float] | None) -> Floats:
    if scale is None:
        column = score_column(values, what="values")
    else:
        check_scale(scale)
        column = on_scale(values, scale, hint=f"correct them, or the scale {scale}", what="values")
    if len(column) != len(said):
        raise OutOfRange("len(values)", len(column), f"{len(said)}, one an invited person", "NaN for the silent")
    problems = [
        BadRow("values", reason, tuple(rows.tolist()))
        for reason, rows in (
            ("missing where somebody answered", np.flatnonzero(said & np.isnan(column))),
            ("there where nobody answered", np.flatnonzero(~said & ~np.isnan(column))),
        )
        if rows.size
    ]
    if problems:
        raise BadRows("values", tuple(problems), "answered says who answered: answered=~np.isnan(values)")
    return column


def _times(times: ArrayLike, said: Truths) -> NDArray[Any]:
    column = cells_of("times", times)
    if column.dtype == object:
        column = instants("times", column, missing_ok=True)
    elif column.dtype.kind not in "iufM":
        column = numbers("times", column)
    if column.shape != said.shape:
        raise OutOfRange("len(times)", column.shape, f"{len(said)}, one an invited person", "NaT for the silent")
    given = column[said]
    gone = np.isnat(given) if given.dtype.kind in "Mm" else np.isnan(np.asarray(given, np.float64))
    if gone.any():
        row = BadRow("times", "missing where somebody answered", tuple(np.flatnonzero(said)[gone].tolist()))
        raise BadRows("times", (row,), "leave times out, or pass when each answer came")
    return given


def _waves(given: Floats, at: NDArray[Any], level: float) -> Comparison | None:
    """First against last third; answers of one moment stay in one wave, so there may be no two waves."""
    place = np.unique(at, return_inverse=True)[1]
    first, last = np.quantile(place, [1 / 3, 2 / 3])
    if first == last:
        return None
    early, late = Moments.of(given[place <= first]), Moments.of(given[place >= last])
    return early.minus(late, level=level)
