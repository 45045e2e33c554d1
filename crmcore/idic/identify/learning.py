"""Learning from judgements: pairs worth judging, and a model that the judgements moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import UnknownName
from crmcore.linkage.agglomerate import Cuts, probability
from crmcore.linkage.labels import Calibration, propose, recalibrate
from crmcore.linkage.linking import canonical_order
from crmcore.linkage.mixture import WIDTH
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.questions import Question, Reason
from crmcore.linkage.scoring import CHUNK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmcore.idic.identify.answers import Answer
    from crmcore.linkage.linking import Linkage

__all__ = ["candidates", "clearly_better", "recalibrated"]

Ints = NDArray[np.int64]


def candidates(linkage: Linkage, size: int, *, seed: int) -> tuple[Question, ...]:
    """Pairs that teach most, nearest to the cut first: open decisions of frequent patterns, and a random part.

    Every question stands for its own pair alone; what it is worth to the customers is not what it was chosen for.
    """
    cut = linkage.model.cuts.at(2)
    need = float(np.log(cut / (1 - cut)))
    at = propose(linkage.log_odds, _patterns(linkage), size, seed=seed, cut=need).pairs
    at = at[np.argsort(np.abs(linkage.log_odds[at] - need), kind="stable")]
    p = probability(linkage.log_odds[at])
    together = linkage.labels[linkage.lo[at]] == linkage.labels[linkage.hi[at]]
    return tuple(
        Question(
            left=int(linkage.lo[k]),
            right=int(linkage.hi[k]),
            reason=Reason.UNSURE if held else Reason.APART,
            left_size=1,
            right_size=1,
            probability=float(chance),
            gain=0.0,
        )
        for k, chance, held in zip(at.tolist(), p.tolist(), together.tolist(), strict=True)
    )


def _patterns(linkage: Linkage) -> Ints:
    """(m,) agreement pattern of each pair as one number."""
    scorer = linkage.model.scorer(linkage.records)
    code = np.zeros(len(linkage.lo), np.int64)
    for at in range(0, len(code), CHUNK):
        part = slice(at, at + CHUNK)
        levels = scorer.comparer.levels(linkage.lo[part], linkage.hi[part]).astype(np.int64)
        for f in range(levels.shape[1]):
            code[part] = code[part] * WIDTH + levels[:, f]
    return code


def recalibrated(linkage: Linkage, answers: Sequence[Answer]) -> LinkageModel:
    """The model, moved by judgements as far as they carry; an earlier calibration is replaced.

    The usual cuts were found for probabilities as the unlabelled model gives them, which are cautious inside groups.
    Where judgements move the probabilities, the cuts therefore follow them half-way (in log-odds).

    Raises
    ------
    UnknownName
        A judged record that is not in the linkage.
    """
    ids = linkage.records.ids
    row = {str(r): i for i, r in enumerate(ids)}
    for answer in answers:
        for name in (answer.left, answer.right):
            if name not in row:
                raise UnknownName("record", name, tuple(row)[:10_000])
    plain = attrs.evolve(linkage.model, calibration=None)
    place = np.empty(len(ids), np.int64)
    place[canonical_order(ids)] = np.arange(len(ids))
    pairs = np.array([(row[a.left], row[a.right]) for a in answers], np.int64)
    turn = place[pairs[:, 0]] > place[pairs[:, 1]]
    lo, hi = np.where(turn, pairs[:, 1], pairs[:, 0]), np.where(turn, pairs[:, 0], pairs[:, 1])
    scorer = plain.scorer(linkage.records)
    levels, terms, learned = scorer.parts(lo, hi)
    features = scorer.features(levels, terms, learned)
    same = np.array([a.same for a in answers])
    moved: Calibration = recalibrate(scorer.log_odds(lo, hi), features, same, names=list(plain.fields))
    return attrs.evolve(plain, calibration=moved, cuts=_followed(linkage.model, moved))


def clearly_better(before: Linkage, after: Linkage, answers: Sequence[Answer]) -> bool:
    """Whether the second linkage gets more judged pairs right than chance would explain (a one-sigma sign test)."""
    row = {str(r): i for i, r in enumerate(before.records.ids)}
    a, b = (np.array([row[getattr(x, side)] for x in answers], np.int64) for side in ("left", "right"))
    same = np.array([x.same for x in answers])
    was, now = (linkage.labels[a] == linkage.labels[b] for linkage in (before, after))
    gain = int((now == same).sum()) - int((was == same).sum())
    return gain > float(np.sqrt((was != now).sum()))


def _followed(model: LinkageModel, moved: Calibration) -> Cuts:
    """Cuts half-way between where they were and where the calibration takes them, in log-odds."""
    cut = np.clip(np.array(model.cuts.values), 1e-6, 1 - 1e-6)
    odds = np.log(cut / (1 - cut))
    if model.calibration is not None:  # learned before: back to where the unlabelled model had them
        odds = (odds - 0.5 * model.calibration.shift) / (1 + 0.5 * model.calibration.slope)
    new = odds + 0.5 * (moved.slope * odds + moved.shift)
    return Cuts(tuple((1 / (1 + np.exp(-new))).tolist()))
