"""Valence of every token in its context: pairs, degree words, capitals, negation, "but"; no loop over texts."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.listening.sentiment.lexicon import FIELDS, FORMS, pair_valences
from crmcore.text import TokenBatch
from crmcore.text.reach import within_reach

__all__ = ["Weighed", "weigh"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
AT = {name: i for i, name in enumerate(FIELDS)}
FLIP = -0.74  # a negated word turns and loses a quarter: figure of Hutto and Gilbert (2014), as are the next two
SHOUT = 0.733
FADE = (1.0, 0.95, 0.9)
SCOPE = 4  # tokens that a negation reaches


@attrs.frozen(kw_only=True, eq=False)
class Weighed:
    """Tokens of a batch with their valences."""

    batch: TokenBatch
    text_of: NDArray[np.int32]
    table: Floats  # (n_tokens, fields) of the form tables
    plain: Floats  # (n_tokens,) valence of the lexicon
    valence: Floats  # (n_tokens,) valence in context
    negated: Bools
    wide_valence: Floats  # as `valence`, with hardly, lack, fail as negations too
    where: Floats  # (n_tokens,) place in its text, 0 to 1

    def column(self, name: str) -> Floats:
        """(n_tokens,) one field of the forms."""
        return self.table[:, AT[name]]

    def summed(self, values: NDArray[np.generic]) -> Floats:
        """(n_texts,) sums over the tokens of each text."""
        return np.bincount(self.text_of, values, len(self.batch)).astype(np.float64)


def weigh(batch: TokenBatch, /, *, without: NDArray[np.int64] | None = None) -> Weighed:
    """Read the valences of a batch.

    Parameters
    ----------
    batch
        As written, not in normal form.
    without : (k,) positions
        Tokens whose valence is left out, to see what they add.
    """
    table = FORMS.on(batch.vocabulary)[batch.codes]
    text_of = batch.text_of
    plain = table[:, AT["valence"]].copy()
    pairs = _pairs(table, text_of, plain)
    negator, wide = table[:, AT["negator"]] > 0, table[:, AT["wide"]] > 0
    stop = table[:, AT["stop"]] > 0
    in_pair = ~np.isnan(pairs)
    negated, widely = (within_reach(batch, mark & ~in_pair, stops=stop, reach=SCOPE) for mark in (negator, wide))
    base = np.where(in_pair, np.nan_to_num(pairs), plain)
    if without is not None:
        base[without] = plain[without] = 0.0
    picture = table[:, AT["picture"]] > 0
    only = table[:, AT["if_negated"]]
    # "no" before a word that carries valence negates it, and says nothing itself
    no = (table[:, AT["no"]] > 0) & _next(base != 0, text_of) & ~in_pair
    base[no] = 0.0
    raised = _raised(base, table, text_of, without)
    found = []
    for flag in (negated, widely):
        turned = np.where(flag & ~picture & ~in_pair, FLIP * raised, raised)
        lacking = flag & (base == 0) & ~in_pair & ~no
        if without is not None:
            lacking[without] = False
        turned[lacking] = only[lacking]
        found.append(_contrasted(turned, table, text_of, len(batch)))
    length = np.maximum(batch.lengths, 1)[text_of]
    return Weighed(
        batch=batch,
        text_of=text_of,
        table=table,
        plain=plain,
        valence=found[0],
        negated=negated,
        wide_valence=found[1],
        where=(np.arange(len(batch.codes)) - batch.starts[text_of]) / length,
    )


def _next(flag: Bools, text_of: NDArray[np.int32]) -> Bools:
    """Whether one of the next three tokens of the same text has the flag."""
    found = np.zeros(len(flag), np.bool_)
    for step in (1, 2, 3):
        found[:-step] |= flag[step:] & (text_of[step:] == text_of[:-step])
    return found


def _pairs(table: Floats, text_of: NDArray[np.int32], plain: Floats) -> Floats:
    """(n,) valence of the pair that ends here, 0 where one begins, NaN outside of pairs."""
    found = np.full(len(plain), np.nan)
    number = table[:, AT["pair"]].astype(np.int64)
    if len(number) < 2:
        return found
    value = pair_valences()[number[:-1], number[1:]]
    there = ~np.isnan(value) & (text_of[:-1] == text_of[1:])
    at = np.flatnonzero(there)
    found[at] = 0.0
    found[at + 1] = value[at]
    return found


def _raised(base: Floats, table: Floats, text_of: NDArray[np.int32], without: NDArray[np.int64] | None) -> Floats:
    """Valences raised by degree words before them and by capitals among small letters."""
    caps, word = table[:, AT["caps"]] > 0, table[:, AT["word"]] > 0
    n = int(text_of[-1]) + 1 if len(text_of) else 0
    shouted = np.bincount(text_of, caps, n)
    mixed = ((shouted > 0) & (shouted < np.bincount(text_of, word, n)))[text_of] if n else np.zeros(0, np.bool_)
    sign = np.sign(base)
    out = base + sign * SHOUT * (caps & mixed)
    boost = table[:, AT["boost"]]
    if without is not None:
        boost = boost.copy()
        boost[without] = 0.0
    loud = np.where(caps & mixed & (boost != 0), SHOUT, 0.0)
    for step, fade in enumerate(FADE, 1):
        same = np.concatenate((np.zeros(step, np.bool_), text_of[step:] == text_of[:-step]))[: len(base)]
        behind = np.concatenate((np.zeros(step), (boost + loud)[:-step]))[: len(base)]
        silent = np.concatenate((np.zeros(step, np.bool_), base[:-step] == 0))[: len(base)]
        out = out + np.where(same & silent & (base != 0), sign * behind * fade, 0.0)
    return out


def _contrasted(valence: Floats, table: Floats, text_of: NDArray[np.int32], n: int) -> Floats:
    """What stands before the last "but" of a text counts half, what stands behind it half more."""
    contrast = np.flatnonzero(table[:, AT["contrast"]] > 0)
    if not len(contrast):
        return valence
    last = np.full(n, -1, np.int64)
    last[text_of[contrast]] = contrast
    at = last[text_of]
    position = np.arange(len(valence))
    return np.where(at < 0, valence, np.where(position < at, 0.5 * valence, 1.5 * valence))
