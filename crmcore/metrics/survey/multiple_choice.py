"""Questions with several answers: "choose all that apply", with the base stated and options compared as pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.columns import SAME, held, is_missing, numbers
from crmcore.metrics.estimate_tables import EstimateTable
from crmcore.metrics.estimates import Estimate, check_level, warn_if_small
from crmcore.metrics.intervals import wilson_interval
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import count_of, hold_counts, real

if TYPE_CHECKING:
    from crmcore.metrics.comparing import Comparison, ComparisonTable

__all__ = ["MultiAnswers", "MultiCounts", "multi_answer"]

EACH, ALL = "each", "all"


@attrs.frozen
class MultiCounts:
    """How many of n respondents chose each option: addable, and the shares may sum to more than 100 %.

    Parameters
    ----------
    options : k texts
    chosen : k counts
        Respondents who chose the option, each at most n.
    n : count
        Respondents who answered the question, also those who chose nothing.

    Examples
    --------
    >>> MultiCounts(("price", "service"), (30, 20), 40) + MultiCounts(("price", "service"), (1, 0), 2)
    MultiCounts(options=('price', 'service'), chosen=(31, 20), n=42)
    """

    options: tuple[str, ...]
    chosen: tuple[int, ...]
    n: int

    def __attrs_post_init__(self) -> None:
        hold_counts(self, "n", hint="n counts respondents")
        if not self.options:
            raise EmptyInput("options", "name the answers that could be chosen")
        again = sorted({o for o in self.options if self.options.count(o) > 1})
        if again:
            raise OutOfRange("options", again, "each option once", "add the counts of repeated options")
        if len(self.options) != len(self.chosen):
            raise OutOfRange("len(chosen)", len(self.chosen), f"{len(self.options)}, one an option", "pass 0 for none")
        for option, count in zip(self.options, self.chosen, strict=True):
            if count_of(f"chosen[{option!r}]", count, hint="count respondents") > self.n:
                hint = "n counts respondents, not answers"
                raise OutOfRange(f"chosen[{option!r}]", count, f"a whole number from 0 to n = {self.n}", hint)

    @classmethod
    def of_shares(cls, shares: Mapping[str, float], n: int, /) -> MultiCounts:
        """Counts behind published shares of n respondents, to the nearest whole respondent.

        Examples
        --------
        >>> MultiCounts.of_shares({"engage": 0.75, "measure": 0.18}, 400).chosen
        (300, 72)
        """
        n = count_of("n", n, hint="n counts respondents")
        for option, share in shares.items():
            if not 0 <= real(f"shares[{option!r}]", share) <= 1:
                raise OutOfRange(f"shares[{option!r}]", share, "a share from 0 to 1", "write 75 % as 0.75")
        return cls(tuple(shares), tuple(round(share * n) for share in shares.values()), n)

    def __add__(self, other: MultiCounts) -> MultiCounts:
        if self.options != other.options:
            hint = "count both with the same options=, in one order"
            raise OutOfRange("options of the other", other.options, f"{self.options}, as here", hint)
        return MultiCounts(
            self.options, tuple(a + b for a, b in zip(self.chosen, other.chosen, strict=True)), self.n + other.n
        )

    def counts(self, option: str) -> Counts:
        """One option as a proportion: comparable with the same option of another group by `compare`."""
        if option not in self.options:
            raise UnknownName("option", option, self.options)
        return Counts(self.chosen[self.options.index(option)], self.n)

    def table(
        self,
        *,
        level: float = 0.95,
        together: str = EACH,
        base: str = "respondents who answered",
        small_sample_ok: bool = False,
    ) -> EstimateTable:
        """Share of respondents who chose each option, with Wilson intervals.

        Parameters
        ----------
        level : share
            Coverage aimed at.
        together : text
            `"each"` (default): each interval holds with `level`; `"all"`: all of them hold together (Bonferroni).
        base : text
            Who the n respondents are.
        small_sample_ok : truth
            Silences `SmallSample`, which warns below 30 respondents.

        Examples
        --------
        >>> print(MultiCounts.of_shares({"engage": 0.75, "listen": 0.60, "measure": 0.18}, 400).table())
        base: 400 respondents who answered, 1.53 answers each, several answers possible
        engage   0.75 [0.705, 0.79] (95 %, n = 400, wilson)
        listen   0.6 [0.551, 0.647] (95 %, n = 400, wilson)
        measure  0.18 [0.145, 0.221] (95 %, n = 400, wilson)
        """
        check_level(level)
        if together not in (EACH, ALL):
            raise UnknownName("coverage", together, (EACH, ALL))
        warn_if_small(self.n, "the table of answers", ok=small_sample_ok)
        each = level if together == EACH else 1 - (1 - level) / len(self.options)
        low, high = wilson_interval(self.chosen, self.n, level=each)
        rule, method = f"chose it / {base}", "wilson" if together == EACH else "wilson, bonferroni"
        estimates = tuple(
            Estimate(
                value=k / self.n if self.n else float("nan"),
                low=float(lo),
                high=float(hi),
                level=level,
                n=self.n,
                rule=rule,
                method=method,
            )
            for k, lo, hi in zip(self.chosen, low, high, strict=True)
        )
        mentions = f", {sum(self.chosen) / self.n:.3g} answers each" if self.n else ""
        about = f"base: {self.n} {base}{mentions}, several answers possible"
        return EstimateTable(labels=self.options, estimates=estimates, what="option", about=about, percent=True)

    def minus(self, other: MultiCounts, /, *, adjust: str = "holm", level: float = 0.95) -> ComparisonTable:
        """Every option of this group against the same option of another, independent group.

        Examples
        --------
        >>> young, old = (MultiCounts(("price", "care"), k, 200) for k in ((120, 60), (80, 64)))
        >>> young.minus(old).found()
        ('price',)
        """
        if self.options != other.options:
            raise OutOfRange("options of the other", other.options, f"{self.options}, as here", "use the same options=")
        pairs = [(self.counts(option), other.counts(option)) for option in self.options]
        each = _each(len(pairs), adjust=adjust, level=level)
        made = tuple(a.minus(b, level=each) for a, b in pairs)
        return _table(self.options, made, against="the other group", adjust=adjust, level=level)


def _each(k: int, *, adjust: str, level: float) -> float:
    from crmcore.metrics.multiplicity import ADJUSTMENTS, FAMILY_WISE

    check_level(level)
    if adjust not in ADJUSTMENTS:
        raise UnknownName("adjustment", adjust, tuple(ADJUSTMENTS))
    return 1 - (1 - level) / k if adjust in FAMILY_WISE else level


def _table(
    labels: tuple[str, ...], made: tuple[Comparison, ...], *, against: str, adjust: str, level: float
) -> ComparisonTable:
    from crmcore.metrics.comparing import ComparisonTable
    from crmcore.metrics.multiplicity import adjust as adjusted

    p = tuple(adjusted([c.p_value for c in made], method=adjust).tolist())
    return ComparisonTable(
        labels=labels, comparisons=made, p_adjusted=p, against=against, adjustment=adjust, level=level
    )


def _rows(rows: Iterable[object]) -> list[Sequence[str] | None]:
    """Rows of plain sequences, out of lists, arrays or the list columns of a frame library."""
    hint = "one list of options a respondent, None where nobody answered"
    to_list = getattr(rows, "to_pylist", getattr(rows, "to_list", None))  # pyarrow; polars and pandas
    listed = to_list() if callable(to_list) else rows
    if isinstance(listed, str | bytes | Mapping) or not isinstance(listed, Iterable):
        raise WrongType("rows", type(rows).__name__, "one sequence of options a respondent", hint)
    read: list[Any] = [None if not isinstance(row, Iterable) and is_missing(row) else row for row in listed]
    odd = tuple(i for i, row in enumerate(read) if row is not None and not isinstance(row, Iterable))
    if odd:
        raise BadRows("rows", (BadRow("chosen", "no list of options", odd),), hint)
    made: list[Sequence[str] | None] = [row if row is None or isinstance(row, str) else list(row) for row in read]
    odd = tuple(i for i, row in enumerate(made) if row and not all(isinstance(option, str) for option in row))
    if odd:
        raise BadRows("rows", (BadRow("chosen", "options that are no text", odd),), "write each option as text")
    return made


@attrs.frozen(hash=False, repr=False)
class MultiAnswers:
    """Which options each respondent chose: rows are respondents, so options can be compared within one sample.

    Parameters
    ----------
    options : k texts
    chosen : (n, k) truths
        False too where the question was not answered.
    answered : (n,) truths
        Who answered; the base of all shares.

    Examples
    --------
    >>> answers = MultiAnswers.of([["price", "care"], ["price"], [], None])
    >>> answers, answers.counts()
    (MultiAnswers(2 options, 3 of 4 answered), MultiCounts(options=('care', 'price'), chosen=(1, 2), n=3))
    """

    options: tuple[str, ...]
    chosen: NDArray[np.bool_] = attrs.field(converter=held, eq=SAME)
    answered: NDArray[np.bool_] = attrs.field(converter=held, eq=SAME)

    def __attrs_post_init__(self) -> None:
        if self.chosen.shape != (len(self.answered), len(self.options)):
            want = f"({len(self.answered)}, {len(self.options)}), respondents and options"
            raise OutOfRange("shape of chosen", self.chosen.shape, want, "one row a respondent, one column an option")

    def __len__(self) -> int:
        return len(self.answered)

    def __repr__(self) -> str:
        return f"MultiAnswers({len(self.options)} options, {int(self.answered.sum())} of {len(self)} answered)"

    @classmethod
    def of(cls, rows: Sequence[Sequence[str] | None], *, options: Sequence[str] | None = None) -> MultiAnswers:
        """Read what each respondent chose.

        Parameters
        ----------
        rows : n sequences of text, or None
            None was not asked or did not answer; an empty sequence answered and chose nothing. An option that a row
            repeats counts once.
        options : k texts, optional
            All that could be chosen, in the order of the table; None takes what was chosen, sorted.

        Raises
        ------
        BadRows
            Rows that chose what is not among the options, all at once.
        EmptyInput
            Nobody chose anything and no options are named.
        """
        rows = _rows(rows)
        words = tuple(i for i, row in enumerate(rows) if isinstance(row, str))
        if words:
            bad = BadRow("chosen", "text instead of a list", words, tuple(str(rows[i]) for i in words[:5]))
            raise BadRows("rows", (bad,), "wrap a single choice, ['price']; split text at its separator first")
        known = sorted({o for row in rows if row is not None for o in row}) if options is None else list(options)
        if not known:
            raise EmptyInput("options", "name the answers that could be chosen: options=[...]")
        place = {option: i for i, option in enumerate(known)}
        strange = [(i, o) for i, row in enumerate(rows) for o in row or () if o not in place]
        if strange:
            found = tuple(sorted({o for _, o in strange}))
            bad = BadRow("options", "not among the options", tuple(sorted({i for i, _ in strange})), found)
            raise BadRows("rows", (bad,), f"correct the spelling, or add to options={known}")
        chosen = np.zeros((len(rows), len(known)), bool)
        for i, row in enumerate(rows):
            for option in row or ():
                chosen[i, place[option]] = True
        return cls(tuple(known), chosen, np.array([row is not None for row in rows], bool))

    @classmethod
    def of_columns(cls, columns: Mapping[str, ArrayLike], /) -> MultiAnswers:
        """Read one column of 0 and 1 for each option; a row counts as answered where any cell is not missing.

        Examples
        --------
        >>> MultiAnswers.of_columns({"price": [1, 0, None], "care": [0, 0, None]}).counts()
        MultiCounts(options=('price', 'care'), chosen=(1, 0), n=2)
        """
        read = {name: numbers(name, column) for name, column in columns.items()}
        sizes = {name: len(column) for name, column in read.items()}
        if not sizes:
            raise EmptyInput("columns", "pass one column of 0 and 1 for each option")
        if len(set(sizes.values())) > 1:
            raise OutOfRange("columns", sizes, "one length", "row i of every column is one respondent")
        matrix = np.stack(list(read.values()), axis=1)
        there = ~np.isnan(matrix)
        wrong = there & (matrix != 0) & (matrix != 1)
        if wrong.any():
            problems = tuple(
                BadRow(name, "neither 0 nor 1", tuple(np.flatnonzero(wrong[:, j]).tolist()))
                for j, name in enumerate(columns)
                if wrong[:, j].any()
            )
            raise BadRows("columns", problems, "write 1 for chosen, 0 for not chosen, None for not answered")
        return cls(tuple(columns), there & (matrix == 1), np.asarray(there.any(axis=1), bool))

    def counts(self) -> MultiCounts:
        """Addable counts of all who answered."""
        chosen = self.chosen[self.answered].sum(axis=0).tolist()
        return MultiCounts(self.options, tuple(chosen), int(self.answered.sum()))

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_], /) -> MultiAnswers:
        """Select respondents by position or mask, such as one segment."""
        return MultiAnswers(self.options, self.chosen[rows], self.answered[rows])

    def _column(self, option: str) -> NDArray[np.bool_]:
        if option not in self.options:
            raise UnknownName("option", option, self.options)
        column: NDArray[np.bool_] = self.chosen[self.answered, self.options.index(option)]
        return column

    def compare_options(self, first: str, second: str, /, *, level: float = 0.95) -> Comparison:
        """Is one option chosen more often than another by the same respondents? A paired comparison.

        Parameters
        ----------
        first, second : options
        level : share
            Coverage aimed at.

        Returns
        -------
        Comparison
            Paired, see `paired.PairedCounts`: Newcombe's interval for two shares of the same respondents, McNemar's
            exact test; NaN where nobody chose just one of the two.

        Examples
        --------
        >>> rows = [["price"]] * 30 + [["care"]] * 12 + [["price", "care"]] * 40 + [[]] * 18
        >>> print(MultiAnswers.of(rows).compare_options("price", "care"))
        difference 0.18 [0.0543, 0.298] (95 %, n = 100, newcombe paired), p = 0.00792 (mcnemar exact)
        """
        from crmcore.metrics.paired import PairedCounts

        pairs = PairedCounts.of(self._column(first), self._column(second))
        made = pairs.compare(level=level, small_sample_ok=True)
        rules = {"first": f"{first} / answered", "second": f"{second} / answered", "difference": f"{first} - {second}"}
        return attrs.evolve(
            made, **{part: attrs.evolve(getattr(made, part), rule=rule) for part, rule in rules.items()}
        )

    def compare_all(self, baseline: str, /, *, adjust: str = "holm", level: float = 0.95) -> ComparisonTable:
        """Every other option against one of them, as pairs, p-values adjusted for their number.

        Parameters
        ----------
        baseline : option
        adjust, level
            As in `compare_many`.
        """
        self._column(baseline)
        others = tuple(o for o in self.options if o != baseline)
        if not others:
            raise EmptyInput("options besides the baseline", "a single option has nothing to be compared with")
        each = _each(len(others), adjust=adjust, level=level)
        made = tuple(self.compare_options(o, baseline, level=each) for o in others)
        return _table(others, made, against=baseline, adjust=adjust, level=level)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "options": list(self.options),
            "chosen": [[o for o, c in zip(self.options, row, strict=True) if c] for row in self.chosen.tolist()],
            "answered": self.answered.tolist(),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> MultiAnswers:
        """Read what `to_dict` wrote."""
        rows = [row if there else None for row, there in zip(fields["chosen"], fields["answered"], strict=True)]
        return cls.of(rows, options=fields["options"])


def multi_answer(
    rows: Sequence[Sequence[str] | None],
    *,
    options: Sequence[str] | None = None,
    level: float = 0.95,
    together: str = EACH,
    base: str = "respondents who answered",
    small_sample_ok: bool = False,
) -> EstimateTable:
    """Table of a question with several answers: share of respondents for each option, base stated.

    Parameters
    ----------
    rows : n sequences of text, or None
        See `MultiAnswers.of`.
    options, level, together, base, small_sample_ok
        See `MultiAnswers.of` and `MultiCounts.table`.

    Returns
    -------
    EstimateTable
        Shares of respondents, not of answers: they may sum to more than 100 %.

    Examples
    --------
    >>> print(multi_answer([["price", "care"], ["price"], [], None] * 20))
    base: 60 respondents who answered, 1 answers each, several answers possible
    care   0.333 [0.227, 0.459] (95 %, n = 60, wilson)
    price  0.667 [0.541, 0.773] (95 %, n = 60, wilson)
    """
    counts = MultiAnswers.of(rows, options=options).counts()
    warn_if_small(counts.n, "the table of answers", ok=small_sample_ok)
    return counts.table(level=level, together=together, base=base, small_sample_ok=True)
