"""What each input (needs, habits, purchases, feedback) adds to a segmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

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
    """

    name: str
    alone: float
    without: float

    @property
    def contribution(self) -> float:
        """How much the segments move when the input is left out; 0 is not at all."""
        return 1 - self.without


def input_contributions(
    inputs: Mapping[str, Sequence[str]], *, classes: int, seed: int, answers: Answers | None = None,
    measures: Measures | None = None, starts: int = 10,
) -> tuple[InputContribution, ...]:  # fmt: skip
    """Segment by each input alone, by all but it, and by all, and compare; point values of this sample.

    Parameters
    ----------
    inputs : input to names of its columns, from 2 inputs
    classes : count of segments
    answers, measures : the columns
    """
    if len(inputs) < 2:
        raise OutOfRange("inputs", f"{len(inputs)} entries", "2 or more", "one input alone is the whole")
    texts, numbers = answers or {}, measures or {}
    for name in (c for columns in inputs.values() for c in columns):
        if name not in texts and name not in numbers:
            raise UnknownName("column", name, (*texts, *numbers))

    def labels(chosen: Sequence[str]) -> list[int]:
        a = {c: texts[c] for n in chosen for c in inputs[n] if c in texts}
        m = {c: numbers[c] for n in chosen for c in inputs[n] if c in numbers}
        model = LatentClasses(classes=classes, starts=starts).fit(answers=a, measures=m, seed=seed)
        return [int(k) for k in model.members(answers=a, measures=m).label]

    whole = labels(list(inputs))
    return tuple(
        InputContribution(
            name=n, alone=adjusted_rand(labels([n]), whole),
            without=adjusted_rand(labels([o for o in inputs if o != n]), whole),
        )
        for n in inputs
    )  # fmt: skip
