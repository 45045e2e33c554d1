"""Before the campaign: how many customers, what chance of seeing an effect, and after it whether the split was fair."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from crmcore._base import number_text
from crmcore.errors import OutOfRange, WrongType
from crmcore.metrics.assignment import SampleRatio, sample_ratio
from crmcore.metrics.estimates import check_level
from crmcore.metrics.scalars import above, count_of, hold_reals, real, share_of

__all__ = [
    "Means",
    "Proportions",
    "Question",
    "SampleRatio",
    "SampleSize",
    "minimum_detectable_effect",
    "power_of",
    "sample_ratio",
    "sample_size",
]

LARGEST = 10**10  # customers of one arm: what needs more cannot be seen


@runtime_checkable
class Question(Protocol):
    """What is to be seen: a difference between a new arm and the control.

    `power` takes the n of control and new arm and the two-sided (with a margin: one-sided) error; `with_effect` is the
    same question about another effect.
    """

    @property
    def effect(self) -> float: ...
    def power(self, n_control: float, n_new: float, /, *, alpha: float) -> float:
        """Probability of seeing the effect."""
        ...

    def with_effect(self, effect: float, /) -> Question:
        """The same question about another effect."""
        ...


def _check_finite(name: str, value: float) -> None:
    if not math.isfinite(real(name, value)):
        raise OutOfRange(name, value, "a finite number", "state the effect that would matter to the business")


def _check_margin(margin: float | None, effect: float) -> None:
    if margin is None:
        if effect == 0:
            hint = "an effect of 0 is never detected; to show 'not worse' pass margin="
            raise OutOfRange("effect", effect, "a number other than 0", hint)
    elif not (margin > 0 and effect + margin > 0):
        hint = "margin is the loss that would still be accepted, effect what is expected"
        raise OutOfRange("margin", margin, "more than 0 and more than the expected loss", hint)


@attrs.frozen(kw_only=True)
class Proportions:
    """A share that should rise (or fall) from `base` by `lift`, in absolute points.

    Parameters
    ----------
    base : share
        Of the control, in (0, 1): the conversion of today.
    lift : difference of shares
        New minus base: 0.02 for "from 10 % to 12 %".
    margin : difference of shares, optional
        Non-inferiority: the loss that would still be accepted; the question is then one-sided, "not worse than this".

    Notes
    -----
    Power Φ((abs(d) − z √(p̄q̄(1/n₁ + 1/n₂)))/√(p₁q₁/n₁ + p₂q₂/n₂)), p̄ the pooled share; for equal n it inverts to
    n = (z₁₋α/₂ √(2p̄q̄) + z₁₋β √(p₁q₁ + p₂q₂))²/d²: Fleiss, Levin & Paik (2003), Statistical Methods for Rates and
    Proportions, equation (4.14) without continuity correction. With a margin the unpooled error stands in both places.

    Examples
    --------
    >>> print(sample_size(Proportions(base=0.10, lift=0.02), power=0.8))
    3841 per arm, 7682 in all (effect 0.02, power 80 %, level 95 %, 2 arms)
    """

    base: float
    lift: float
    margin: float | None = None

    def __attrs_post_init__(self) -> None:
        hold_reals(self, "base", "lift", hint="10 % is base=0.10")
        share_of("base", self.base, hint="10 % is base=0.10")
        if not 0 < self.base + self.lift < 1:
            hint = "lift is in absolute points: from 10 % to 12 % is lift=0.02"
            raise OutOfRange("lift", self.lift, f"{-self.base:g} to {1 - self.base:g}, both left out", hint)
        _check_margin(self.margin, self.lift)

    @property
    def effect(self) -> float:
        """The lift."""
        return self.lift

    def with_effect(self, effect: float, /) -> Proportions:
        """The same base and margin with another lift."""
        return attrs.evolve(self, lift=effect)

    def power(self, n_control: float, n_new: float, /, *, alpha: float) -> float:
        """Probability of seeing the lift with these numbers of customers."""
        p, q = self.base, self.base + self.lift
        pooled = (n_control * p + n_new * q) / (n_control + n_new)
        error = math.sqrt(p * (1 - p) / n_control + q * (1 - q) / n_new)
        if self.margin is not None:
            return _normal_power(self.lift + self.margin, error, error, tail=alpha)
        null = math.sqrt(pooled * (1 - pooled) * (1 / n_control + 1 / n_new))
        return _normal_power(abs(self.lift), null, error, tail=alpha / 2)


def _normal_power(distance: float, null: float, error: float, *, tail: float) -> float:
    from scipy.special import ndtr, ndtri

    return float(ndtr((distance + float(ndtri(tail)) * null) / error))


@attrs.frozen(kw_only=True)
class Means:
    """A mean that should move by `difference`, where single values spread by `sd`.

    Parameters
    ----------
    difference : number
        New minus control, in the unit of the values: money, minutes, NPS points.
    sd : number
        Standard deviation of one value. For NPS points it is 100 √((P + D)/n − ((P − D)/n)²), about 70 to 90.
    margin : number, optional
        Non-inferiority: the loss that would still be accepted.

    Notes
    -----
    Student's two-sample test by the non-central t distribution, n₁ + n₂ − 2 degrees of freedom.

    Examples
    --------
    >>> print(sample_size(Means(difference=5, sd=10), power=0.8))
    64 per arm, 128 in all (effect 5, power 80.1 %, level 95 %, 2 arms)
    >>> print(sample_size(Means(difference=5, sd=75), power=0.8))  # NPS points
    3533 per arm, 7066 in all (effect 5, power 80 %, level 95 %, 2 arms)
    """

    difference: float
    sd: float
    margin: float | None = None

    def __attrs_post_init__(self) -> None:
        hold_reals(self, "difference", "sd", hint="in the unit of the values")
        _check_finite("difference", self.difference)
        above("sd", self.sd, hint="standard deviation of single values: math.sqrt(m.variance)")
        _check_margin(self.margin, self.difference)

    @property
    def effect(self) -> float:
        """The difference."""
        return self.difference

    def with_effect(self, effect: float, /) -> Means:
        """The same spread and margin with another difference."""
        return attrs.evolve(self, difference=effect)

    def power(self, n_control: float, n_new: float, /, *, alpha: float) -> float:
        """Probability of seeing the difference with these numbers of customers."""
        from scipy.special import nctdtr, stdtrit

        error = self.sd * math.sqrt(1 / n_control + 1 / n_new)
        distance = abs(self.difference) if self.margin is None else self.difference + self.margin
        tail = alpha / 2 if self.margin is None else alpha
        df = n_control + n_new - 2
        if df < 1:
            return 0.0
        if df > 1e6 or distance / error > 30:  # there the t distribution is normal, or the power 1
            return _normal_power(distance, error, error, tail=tail)
        cut = float(stdtrit(df, 1 - tail))
        return 1 - float(nctdtr(df, distance / error, cut))


@attrs.frozen(kw_only=True)
class SampleSize:
    """Customers that each arm needs, and the power that they give."""

    n_control: int
    n_new: int
    arms: int
    effect: float
    power: float
    level: float

    @property
    def total(self) -> int:
        """All arms together."""
        return self.n_control + (self.arms - 1) * self.n_new

    def __str__(self) -> str:
        even = self.n_control == self.n_new
        each = f"{self.n_new} per arm" if even else f"{self.n_control} control, {self.n_new} per new arm"
        facts = f"effect {number_text(self.effect)}, power {100 * self.power:.3g} %, level {100 * self.level:g} %"
        return f"{each}, {self.total} in all ({facts}, {self.arms} arms)"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return attrs.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SampleSize:
        """Read what `to_dict` wrote."""
        return cls(**fields)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row."""
        from crmcore.metrics.estimates import frame_of

        return frame_of([{**attrs.asdict(self), "total": self.total}], backend=backend)

    def _repr_html_(self) -> str:
        return f"<figure><b>{self}</b></figure>"


def _alpha(level: float, arms: int) -> float:
    check_level(level)
    arms = count_of("arms", arms, least=2, hint="the control counts as one arm")
    return (1 - level) / (arms - 1)


def _check_question(question: object) -> None:
    if not isinstance(question, Question):
        hint = "Proportions(base=0.1, lift=0.02) or Means(difference=5, sd=75)"
        raise WrongType("question", type(question).__name__, "a question", hint)


def _check_share(name: str, value: float, hint: str) -> None:
    share_of(name, value, hint=hint)


def _check_allocation(allocation: float) -> None:
    hint = "customers in each new arm for one in the control: 0.25 is a quarter of the control"
    above("allocation", allocation, hint=hint)


def sample_size(
    question: Question, *, power: float = 0.8, level: float = 0.95, arms: int = 2, allocation: float = 1.0
) -> SampleSize:
    """Smallest number of customers that shows the effect with the given probability.

    Parameters
    ----------
    question : Proportions, Means or other `Question`
        The effect that matters.
    power : share
        Probability of seeing the effect if it is there.
    level : share
        1 − probability of a false alarm over all arms (Bonferroni: each new arm is compared with the control).
    arms : count
        Control included.
    allocation : number
        Customers in each new arm for one in the control.

    Returns
    -------
    SampleSize

    Raises
    ------
    OutOfRange
        Shares outside (0, 1), fewer than two arms, an effect too small for 10 thousand million customers.

    Examples
    --------
    >>> print(sample_size(Proportions(base=0.10, lift=0.02), power=0.9, arms=3))
    6074 per arm, 18222 in all (effect 0.02, power 90 %, level 95 %, 3 arms)
    >>> print(sample_size(Proportions(base=0.10, lift=0.0, margin=0.01), power=0.8))
    11129 per arm, 22258 in all (effect 0, power 80 %, level 95 %, 2 arms)
    """
    _check_question(question)
    _check_share("power", power, "80 % is power=0.8")
    _check_allocation(allocation)
    alpha = _alpha(level, arms)

    def enough(n: int) -> bool:
        return question.power(n, math.ceil(n * allocation), alpha=alpha) >= power

    n = _smallest(enough)
    new = math.ceil(n * allocation)
    reached = question.power(n, new, alpha=alpha)
    return SampleSize(n_control=n, n_new=new, arms=arms, effect=question.effect, power=reached, level=level)


def _smallest(enough: Callable[[int], bool]) -> int:
    """Smallest whole number from 2 that is enough, by doubling and halving."""
    high = 2
    while not enough(high):
        high *= 2
        if high > LARGEST:
            hint = "look for a larger effect, or measure something that spreads less"
            raise OutOfRange("effect", "too small", f"one that {LARGEST:,} customers an arm can show", hint)
    low = high // 2 if high > 2 else 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def power_of(question: Question, *, n: int, level: float = 0.95, arms: int = 2, allocation: float = 1.0) -> float:
    """Probability of seeing the effect, in its own direction, with n customers in the control.

    Parameters
    ----------
    question, level, arms, allocation
        As for `sample_size`.
    n : count
        Of the control, at least 2.

    Returns
    -------
    share

    Examples
    --------
    >>> round(power_of(Proportions(base=0.10, lift=0.02), n=3841), 3)
    0.8
    """
    _check_question(question)
    n = count_of("n", n, least=2, hint="customers in the control arm")
    _check_allocation(allocation)
    return question.power(n, n * allocation, alpha=_alpha(level, arms))


def minimum_detectable_effect(
    question: Question,
    *,
    n: int,
    power: float = 0.8,
    level: float = 0.95,
    arms: int = 2,
    allocation: float = 1.0,
) -> float:
    """Smallest effect, in the direction that the question asks about, that n customers in the control would show.

    Parameters
    ----------
    question, power, level, arms, allocation
        As for `sample_size`; the question's own effect gives the direction and a start.
    n : count
        Of the control, at least 2.

    Returns
    -------
    number
        In the unit of the effect.

    Raises
    ------
    OutOfRange
        No effect that the question allows (a share stays between 0 and 1) would be seen.

    Examples
    --------
    >>> round(minimum_detectable_effect(Proportions(base=0.10, lift=0.02), n=3841), 4)
    0.02
    >>> round(minimum_detectable_effect(Means(difference=1, sd=75), n=2000), 2)  # NPS points
    6.65
    """
    _check_question(question)
    _check_share("power", power, "80 % is power=0.8")
    side = -1.0 if question.effect < 0 else 1.0
    design = {"n": n, "level": level, "arms": arms, "allocation": allocation}

    def seen(size: float) -> bool | None:
        try:
            return power_of(question.with_effect(side * size), **design) >= power  # type: ignore[arg-type]
        except OutOfRange as error:
            if error.name in ("lift", "difference"):  # larger than the question allows
                return None
            raise

    power_of(question, **design)  # type: ignore[arg-type]  # a wrong n or level is not a matter of size
    low, high = 0.0, abs(question.effect) or 1e-6
    while (found := seen(high)) is False:
        low, high = high, 2 * high
    for _ in range(200):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if seen(middle) is False else (low, middle)
    found = seen(high)
    if found is None:
        raise OutOfRange("n", n, "enough customers to see any allowed effect", "ask power.sample_size for the number")
    return side * high
