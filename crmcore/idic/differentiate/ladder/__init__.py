"""The relationship ladder: stranger, buyer, regular, advocate, superfan, with dated evidence and hysteresis.

`ladder` makes the rungs as `rules.Tiers` (criteria are yours to change), `climb` walks a whole population through a
list of dates, and `MarkovClv` turns the moves between rungs into lifetime value with intervals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.ladder.climbing import Climb, climb
    from crmcore.idic.differentiate.ladder.markov import MarkovClv, MarkovClvResult
    from crmcore.idic.differentiate.ladder.rungs import RUNGS, ladder

__all__ = ["RUNGS", "Climb", "MarkovClv", "MarkovClvResult", "climb", "ladder"]

__getattr__ = lazy_names(
    __name__,
    {
        "RUNGS": ".rungs",
        "Climb": ".climbing",
        "MarkovClv": ".markov",
        "MarkovClvResult": ".markov",
        "climb": ".climbing",
        "ladder": ".rungs",
    },
)
