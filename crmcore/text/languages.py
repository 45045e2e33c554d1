"""In which language posts are written: by script and by function words, undetermined on too little evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.errors import MissingExtra, OutOfRange
from crmcore.metrics.columns import columns_frame
from crmcore.plugins import PluginKind, resolve
from crmcore.protocols import LanguageDetector
from crmcore.text.forms import FormTable
from crmcore.text.patterns import TokenKind
from crmcore.text.tokens import TokenBatch, tokenize

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["UNDETERMINED", "Languages", "Langid", "detect_languages"]

UNDETERMINED = "und"
"""ISO 639 code of what cannot be told."""

# one language writes in these scripts; others share theirs
SCRIPTS = (
    ("th", 0x0E00, 0x0E7F), ("lo", 0x0E80, 0x0EFF), ("my", 0x1000, 0x109F), ("km", 0x1780, 0x17FF),
    ("ko", 0x1100, 0x11FF), ("ko", 0x3130, 0x318F), ("ko", 0xAC00, 0xD7AF), ("ja", 0x3040, 0x30FF),
    ("el", 0x0370, 0x03FF), ("he", 0x0590, 0x05FF), ("hy", 0x0530, 0x058F), ("ka", 0x10A0, 0x10FF),
    ("ta", 0x0B80, 0x0BFF), ("te", 0x0C00, 0x0C7F), ("kn", 0x0C80, 0x0CFF), ("ml", 0x0D00, 0x0D7F),
    ("gu", 0x0A80, 0x0AFF), ("pa", 0x0A00, 0x0A7F), ("si", 0x0D80, 0x0DFF), ("zh", 0x4E00, 0x9FFF),
)  # fmt: skip
WORDS = {
    "en": "the and you for this that with have are was not but they from your what been will would there their "
    "when just about who get because could should i my we he she it is of to in on at be as so if an by "
    "do does did no me",
    "es": "el la los las que de y en un una por con para no es se lo como pero muy mi su al del esta este me te "
    "ya más todo hay son fue ha cuando porque sin sobre también nos les tiene qué yo",
    "fr": "le la les des et est un une que pas pour dans ce qui sur avec plus vous je nous il elle mais au du "
    "ne se son sa ses mon ma ont été sont cette bien très tout comme j'ai c'est n'est d'un qu'il on",
    "de": "der die das und ist nicht ein eine ich zu den mit von auf für im dem es sich wir sie auch bei aber "
    "noch wie nur mir so hat habe war werden einen nach wenn kein keine schon mein oder uns was",
    "pt": "o os as que de e do da em um uma para com não é por mais como mas foi ao ele ela seu sua ou quando "
    "muito nos já eu também só pelo pela até isso está você são tem minha meu à na no",
    "it": "il lo gli che di e è un una per non con sono mi si ma come più anche della del dei nel nella ho ha "
    "questo questa alla al ti se io da su molto perché sono stato ci c'è dal cosa quando tutto",
    "nl": "de het een en van ik dat is niet te op voor met zijn maar ook er als nog wel naar om je mijn heb "
    "heeft aan bij door over deze dit geen kan was worden wat zo uit hebben we jullie",
    "id": "yang dan di ini itu dengan untuk tidak dari saya ada akan bisa sudah juga kami kita anda apa ke pada "
    "karena atau tapi banyak lagi sangat belum lebih hanya jadi mereka seperti kalau",
    "tr": "bir ve bu da de için çok ne ama ile var yok ben gibi daha en mi değil olarak kadar sonra bana beni "
    "şey o her oldu olan diye ya benim hiç nasıl neden",
}  # fmt: skip
"""Function words, the commonest of each language; words of several languages count for each of them."""
LETTERS = frozenset((TokenKind.WORD, TokenKind.CHARACTER))


def _script(form: str) -> NDArray[np.float64]:
    """Signs of a form by language of its script; the last column counts all letters."""
    row = np.zeros(len(_CODES) + 1)
    row[-1] = sum(sign.isalpha() or sign > "\u0e00" for sign in form)
    for sign in form:
        at = ord(sign)
        if at > 0x036F:
            code = next((code for code, low, high in SCRIPTS if low <= at <= high), None)
            if code is not None:
                row[_CODES.index(code)] += 1
    return row


def _scripts(forms: Sequence[str]) -> NDArray[np.float64]:
    found = np.zeros((len(forms), len(_CODES) + 1))
    found[:, -1] = [len(form) for form in forms]
    for i, form in enumerate(forms):
        if not form.isascii():
            found[i] = _script(form)
    return found


def _function_words(forms: Sequence[str]) -> NDArray[np.float64]:
    found = np.zeros((len(forms), len(_LISTS)))
    for i, form in enumerate(forms):
        for k in _WORDS_OF.get(form, ()):
            found[i, k] = 1
    return found


_CODES = tuple(dict.fromkeys(code for code, _, _ in SCRIPTS))
_LISTS = {code: frozenset(words.split()) for code, words in WORDS.items()}
_WORDS_OF = {
    word: [k for k, words in enumerate(_LISTS.values()) if word in words] for words in _LISTS.values() for word in words
}
_SCRIPT, _WORDS = FormTable(_scripts), FormTable(_function_words)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Languages:
    """Languages of n posts.

    Attributes
    ----------
    codes : n ISO 639 codes
        "und" where there is too little to tell.
    shares : (n,) numbers
        How much of the evidence speaks for that language: of the letters (script), of the function words, or what a
        detector is sure of; 0 where undetermined.
    """

    codes: tuple[str, ...]
    shares: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"Languages({len(self)} posts: {', '.join(f'{n} {code}' for code, n in self.counts().items())})"

    def counts(self) -> dict[str, int]:
        """Posts by language, the commonest first."""
        return dict(Counter(sorted(self.codes)).most_common())

    def is_(self, *codes: str) -> NDArray[np.bool_]:
        """(n,) whether each post is in one of these languages."""
        return np.isin(np.array(self.codes, object).astype(str), codes)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a post: post (its row), language, share."""
        return columns_frame(
            {"post": np.arange(len(self)), "language": self.codes, "share": self.shares}, backend=backend
        )

    def chart(self, *, title: str = "Posts by language") -> Chart:
        """Posts by language."""
        from crmcore.charts import bar

        counts = self.counts()
        return bar(list(counts), list(counts.values()), title=title)

    def _repr_html_(self) -> str:
        return html_table([{"language": c, "posts": n} for c, n in self.counts().items()], caption=f"{len(self)} posts")


def detect_languages(
    texts: Sequence[str | None] | TokenBatch, /, *, detector: LanguageDetector | str | None = None, sure: float = 0.6,
    least_words: int = 3,
) -> Languages:  # fmt: skip
    r"""Tell the language of each post, or say that it cannot be told.

    Thai, Korean, Japanese, Greek, Hebrew and other languages with a script of their own are told by their letters:
    exact, and nothing to install. Languages in Latin letters (English, Spanish, French, German, Portuguese, Italian,
    Dutch, Indonesian, Turkish) are told by their function words, at least two of them and more than any other's; others
    and short posts stay undetermined, unless a detector knows them.

    Parameters
    ----------
    texts : n texts, a missing one None; or their tokens as written (without detector)
    detector
        `Langid()` (extra `crmcore[language]`), any `LanguageDetector`, or the name of a plug-in: asked for posts that
        script and function words do not tell.
    sure : share
        Evidence from which a language is named.
    least_words : count
        Posts with fewer words in a shared script stay undetermined.

    Examples
    --------
    >>> found = detect_languages(["\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "this is not what i asked for", "ok"])
    >>> found.codes
    ('th', 'en', 'und')
    """
    if not 0 < sure <= 1:
        raise OutOfRange("sure", sure, "(0, 1]", "0.6: three fifths of the evidence")
    batch = (texts if isinstance(texts, TokenBatch) else tokenize(texts)).normalised()
    batch = batch.where(np.isin(batch.kinds, list(LETTERS)))
    n, of = len(batch), batch.text_of
    if not n:
        return Languages(codes=(), shares=np.empty(0))
    script = _sums(batch.values(_SCRIPT), of, n)
    letters = np.maximum(script[:, -1], 1)
    own = script[:, :-1].copy()
    kana, han = _CODES.index("ja"), _CODES.index("zh")
    own[:, kana] += np.where(own[:, kana] > 0.1 * letters, own[:, han], 0)  # Japanese writes with both
    own[:, han] = np.where(own[:, kana] > own[:, han], 0, own[:, han])
    codes, shares = np.full(n, UNDETERMINED, object), np.zeros(n)
    best = own.argmax(axis=1)
    share = own[np.arange(n), best] / letters
    told = share >= sure
    codes[told], shares[told] = np.array(_CODES, object)[best[told]], share[told]
    words = _sums(batch.values(_WORDS), of, n)
    top = words.argmax(axis=1)
    first = words[np.arange(n), top]
    second = np.sort(words, axis=1)[:, -2]
    heard = first / np.maximum(first + second, 1)
    told = (codes == UNDETERMINED) & (first >= 2) & (heard >= sure) & (batch.lengths >= least_words)
    codes[told], shares[told] = np.array(list(_LISTS), object)[top[told]], heard[told]
    if detector is not None:
        if isinstance(texts, TokenBatch):
            raise OutOfRange("texts", "tokens", "texts as written", "a detector reads them itself")
        asked = np.flatnonzero((codes == UNDETERMINED) & (batch.lengths >= least_words))
        one = resolve(PluginKind.LANGUAGE, detector, contract=LanguageDetector)
        names, chances = one.languages([texts[i] for i in asked.tolist()])
        for i, name, chance in zip(asked.tolist(), names, np.asarray(chances, np.float64), strict=True):
            if chance >= sure:
                codes[i], shares[i] = name, chance
    return Languages(codes=tuple(codes.tolist()), shares=shares)


def _sums(values: NDArray[np.float64], of: NDArray[np.int32], n: int) -> NDArray[np.float64]:
    """(n, k) sums of rows of tokens by text."""
    return np.stack([np.bincount(of, column, n) for column in values.T], axis=1).astype(np.float64)


class Langid:
    """The detector of py3langid: 97 languages, its model inside the package; extra `crmcore[language]`."""

    def __init__(self) -> None:
        try:
            from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier
        except ImportError as error:
            raise MissingExtra("language detection of 97 languages", "language") from error
        self._model = LanguageIdentifier.from_modelpath(MODEL_DIR / MODEL_FILE, norm_probs=True)

    def languages(self, texts: Sequence[str | None], /) -> tuple[Sequence[str], NDArray[np.float64]]:
        """ISO 639-1 code and probability of each text."""
        found = [self._model.classify(text or "") for text in texts]
        return [name for name, _ in found], np.array([float(chance) for _, chance in found])
