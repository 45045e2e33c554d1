"""Texts that mean the same in other words: how close two are by the words that tell, and groups without chaining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore.text.forms import FormTable
from crmcore.text.searching import SearchIndex
from crmcore.text.tokens import TokenBatch

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["FUNCTION_WORDS", "NEGATIONS", "closeness", "content_words", "is_telling", "stars", "telling"]

Ints = NDArray[np.int64]


def closeness(texts: Sequence[str], /, *, language: str | None = "english") -> csr_array:
    """(n, n) mean of the BM25 scores of two texts for each other, each over the score for itself; 1 on the diagonal.

    Examples
    --------
    >>> close = closeness(["refund visa", "visa refunds", "opening hours"])
    >>> close.toarray().round(2).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    from scipy.sparse import csr_array, diags_array

    index = SearchIndex.of(texts, language=language)
    scores = index.scores(texts)
    own = scores.diagonal()
    share = diags_array(1 / np.where(own > 0, own, 1.0)) @ scores
    return csr_array((share + share.T) / 2)


def stars(close: csr_array, least: float, /) -> Ints:
    """(n,) centre of each row: itself, or the neighbour of at least this closeness that has most neighbours.

    The row with most close neighbours takes them, then the next that is left (Aslam, Pelekhov and Rus 2004): every row
    is close to its centre, and nothing is chained.

    Examples
    --------
    >>> stars(closeness(["refund visa", "visa refunds", "opening hours"]), 0.5).tolist()
    [0, 0, 2]
    """
    coo = close.tocoo()
    left, right = coo.coords
    near = (coo.data >= least) & (left != right)
    left, right, strength = left[near], right[near], coo.data[near]
    n = close.shape[0]
    total = np.bincount(left, strength, n)
    bounds = np.searchsorted(left[order := np.argsort(left, kind="stable")], np.arange(n + 1))
    star = np.full(n, -1, np.int64)
    for centre in np.argsort(-total, kind="stable"):
        if star[centre] < 0:
            neighbours = right[order[bounds[centre] : bounds[centre + 1]]]
            star[neighbours[star[neighbours] < 0]] = centre
            star[centre] = centre
    return star


# Words of closed classes: pronouns, articles, prepositions, conjunctions, auxiliaries, and their short forms.
FUNCTION_WORDS = frozenset(
    """
    a about above after again against ain't all also although am an and any are aren't around as at away back be
    because been before being below between both but by can can't cannot could couldn't did didn't do does doesn't
    doing don't done down during each either else ever every few for from further get gets getting go goes going
    gonna got had hadn't has hasn't have haven't having he he'd he'll he's her here here's hers herself him himself
    his how how's i i'd i'll i'm i've if in into is isn't it it'd it'll it's its itself just let let's like made
    make me more most much must my myself neither no nor not now of off on once one only onto or other our ours
    ourselves out over own per really same she she'd she'll she's should shouldn't since so some still such than
    that that's the their theirs them themselves then there there's these they they'd they'll they're they've this
    those though through till to too u under until up upon ur us very via want was wasn't we we'd we'll we're we've
    well were weren't what what's when where which while who who's whom whose why will with within without won't
    would wouldn't yet you you'd you'll you're you've your yours yourself
    """.split()
)

# Those that turn what follows, and more that are no function words.
NEGATIONS = frozenset("cannot neither never no nobody none nor not nothing without".split()) | frozenset(
    w for w in FUNCTION_WORDS if w.endswith("n't")
)
_WISHES = frozenset("may might please some thank thanks wanted wish yes".split())
_MANNERS = _WISHES | frozenset("dear greetings hello hi regards said say sorry tell".split())
_SILENT = FUNCTION_WORDS - NEGATIONS | _WISHES


def telling(text: str, /) -> str:
    """Text without English function words and wrappings of wishes, negations kept; itself where no word is left.

    Examples
    --------
    >>> telling("I wish you would please offer oat milk"), telling("What is it?")
    ('offer oat milk', 'What is it?')
    """
    words = [w for w in text.casefold().replace("\u2019", "'").split() if w.strip(".,;:!?\"()'") not in _SILENT]
    return " ".join(words) or text


_IS_SILENT: FormTable[np.bool_] = FormTable(lambda forms: np.array([form in _SILENT for form in forms], np.bool_))


def is_telling(batch: TokenBatch, /) -> NDArray[np.bool_]:
    """(n_tokens,) which words of a normalised batch tell what a text is about, as in `telling`.

    All words of a text do that has no other.

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> is_telling(tokenize(["please refund me", "what is it"]).normalised())
    array([False,  True, False,  True,  True,  True])
    """
    tells = ~batch.values(_IS_SILENT)
    some = np.bincount(batch.text_of, tells, len(batch)) > 0
    return tells | ~some[batch.text_of]


def content_words(texts: Sequence[str], /, *, also: frozenset[str] = frozenset()) -> list[frozenset[str]]:
    """Stems of the English words that say what a text is about: without function words, manners, numbers and `also`.

    Examples
    --------
    >>> [sorted(words) for words in content_words(["Dear all, the blender is making noises!", "Thank you"])]
    [['blender', 'make', 'nois'], []]
    """
    from crmcore.text import stems, tokenize

    silent = FUNCTION_WORDS | _MANNERS | also
    batch = tokenize(list(texts)).normalised().words()
    kept = [
        " ".join(w for w in batch.forms(i) if w not in silent and len(w) > 1 and not any(map(str.isdigit, w)))
        for i in range(len(texts))
    ]
    batch = stems(tokenize(kept))
    return [frozenset(batch.forms(i)) for i in range(len(texts))]
