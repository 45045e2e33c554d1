"""What each input (needs, habits, purchases, feedback) adds to a segmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from crmcore.errors import OutOfRange, UnknownName
from crmcore.idic.differentiate.needs.agreement import adjusted_rand
from crmcore.idic.differentiate.needs.classes import Answers, LatentClasses, Measures

__all__ = ["InputContribution", "input_contributions"]


@attrs.frozen(kw_only=True)
class InputContribution:
    """One input, by adjusted Rand index with the segments of all inputs together.

    Attributes
    ----------
    alone : agreement of the segments of this input alone
    without : agreement of the segments of all other inputs
    null : (permutations,) contributions of the same input with its customers shuffled, so that it says nothing
    """

    name: str
    alone: float
    without: float
    null: tuple[float, ...] = ()

    @property
    def excess(self) -> float:
        """Contribution above that of the shuffled input, which is sampling noise alone; NaN without permutations."""
        return self.contribution - float(np.mean(self.null)) if self.null else float("nan")

    @property
    def p_value(self) -> float:
        """Chance of such a contribution from an input that says nothing: (1 + as large) / (1 + permutations).

        NaN without permutations. A strong input that the others repeat has a small contribution, and no small p-value.
        Few starts make the baseline wide: a shuffled fit may stop at another maximum.
        """
        large = sum(v >= self.contribution for v in self.null)
        return (1 + large) / (1 + len(self.null)) if self.null else float("nan")

    @property
    def contribution(self) -> float:
        """How much the segments move when the input is left out; 0 is not at all."""
        return 1 - self.without


def input_contributions(
    inputs: Mapping[str, Sequence[str]], *, classes: int, seed: int, answers: Answers | None = None,
    measures: Measures | None = None, starts: int = 10, permutations: int = 0,
) -> tuple[InputContribution, ...]:  # fmt: skip
    """Segment by each input alone, by all but it, and by all, and compare; point values of this sample.

    Parameters
    ----------
    inputs : input to names of its columns, from 2 inputs
    classes : count of segments
    answers, measures : the columns
    permutations : fits with the customers of an input shuffled, each input in turn; 19 can reach p = .05, 0 has no
        baseline
    """
    if permutations < 0:
        raise OutOfRange("permutations", permutations, "0 or more", "19 can reach p = .05")
    if len(inputs) < 2:
        raise OutOfRange("inputs", f"{len(inputs)} entries", "2 or more", "one input alone is the whole")
    texts, numbers = answers or {}, measures or {}
    for name in (c for columns in inputs.values() for c in columns):
        if name not in texts and name not in numbers:
            raise UnknownName("column", name, (*texts, *numbers))

    def labels(chosen: Sequence[str], shuffled: str = "", order: Sequence[int] = ()) -> list[int]:
        a = {c: texts[c] for n in chosen for c in inputs[n] if c in texts}
        m = {c: np.asarray(numbers[c], float) for n in chosen for c in inputs[n] if c in numbers}
        for c in inputs[shuffled] if shuffled else ():
            if c in a:
                a[c] = [a[c][i] for i in order]
            else:
                m[c] = m[c][list(order)]
        model = LatentClasses(classes=classes, starts=starts).fit(answers=a, measures=m, seed=seed)
        return [int(k) for k in model.members(answers=a, measures=m).label]

    whole, names = labels(list(inputs)), list(inputs)
    made = []
    for n, rng in zip(names, np.random.default_rng(seed).spawn(len(names)), strict=True):
        others = labels([o for o in names if o != n])
        orders = [rng.permutation(len(whole)).tolist() for _ in range(permutations)]
        null = tuple(1 - adjusted_rand(others, labels(names, n, order)) for order in orders)
        alone = adjusted_rand(labels([n]), whole)
        made.append(InputContribution(name=n, alone=alone, without=adjusted_rand(others, whole), null=null))
    return tuple(made)
