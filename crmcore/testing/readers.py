"""What everything that reads texts must do: sentiment analyzers, language detectors, spam filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from crmcore.protocols import LanguageDetector, SentimentAnalyzer, SpamFilter
from crmcore.testing.checks import check_named, expect

__all__ = ["check_language_detector", "check_sentiment_analyzer", "check_spam_filter"]

Floats = NDArray[np.float64]
Rows = Sequence[object]
Read = Callable[[Sequence[str | None]], Rows]
TEXTS: tuple[str | None, ...] = (
    "My parcel is three weeks late and nobody answers", "Lovely people at the counter, thank you!", "Opens at nine",
    "", None, "\U0001f600\U0001f600", "http://a.co/x @someone #tag", "\u0e2a\u0e34\u0e19\u0e04\u0e49\u0e32\u0e14\u0e35",
    "\u05de\u05d4 \u05e9\u05dc\u05d5\u05de\u05da", "half a surrogate \ud800 here", "good " * 2000,
    "ALL CAPITALS NOW!!!",
)  # fmt: skip


def check_sentiment_analyzer(analyzer: SentimentAnalyzer, /) -> list[Callable[[], None]]:
    """Checks that an analyzer keeps the contract of `crmcore.protocols.SentimentAnalyzer`.

    Returns
    -------
    list of callables
        Each takes no argument, has a name that says its claim, and raises AssertionError where the claim is false.

    Examples
    --------
    >>> from crmcore.listening.sentiment import default_model
    >>> for check in check_sentiment_analyzer(default_model()):
    ...     check()
    """

    def read(texts: Sequence[str | None]) -> Rows:
        return list(np.asarray(analyzer.probabilities(texts), np.float64).reshape(len(texts), -1))

    def shape() -> None:
        found = np.asarray(analyzer.probabilities(TEXTS), np.float64)
        expect(found.shape == (len(TEXTS), 3), f"(n, 3) probabilities for n texts, got {found.shape}")
        known = found[~np.isnan(found).any(axis=1)]
        expect(bool(((known >= 0) & (known <= 1)).all()), "probabilities in [0, 1]")
        expect(bool(np.allclose(known.sum(axis=1), 1, atol=1e-6)), "each row sums to 1")
        expect(bool(np.isnan(found).any(axis=1).sum() == np.isnan(found).all(axis=1).sum()), "a row of NaN is whole")
        expect(np.asarray(analyzer.probabilities([])).size == 0, "no texts give no rows")

    return [check_named(shape, "rows_are_probabilities_of_three_polarities"), *_reading(read)]


def check_language_detector(detector: LanguageDetector, /) -> list[Callable[[], None]]:
    """Checks that a detector keeps `crmcore.protocols.LanguageDetector`; see `check_sentiment_analyzer`."""

    def read(texts: Sequence[str | None]) -> Rows:
        names, chances = detector.languages(texts)
        return list(zip(names, np.asarray(chances, np.float64).tolist(), strict=True))

    def shape() -> None:
        names, chances = detector.languages(TEXTS)
        expect(len(names) == len(TEXTS) == len(np.asarray(chances)), "one code and one number a text")
        expect(all(isinstance(n, str) and n == n.lower() and len(n) in (2, 3) for n in names), "ISO 639 codes")
        found = np.asarray(chances, np.float64)
        expect(bool(((found >= 0) & (found <= 1)).all()), "certainty in [0, 1]")

    return [check_named(shape, "codes_and_certainty_in_range"), *_reading(read)]


def check_spam_filter(spam: SpamFilter, /) -> list[Callable[[], None]]:
    """Checks that a filter keeps `crmcore.protocols.SpamFilter`; see `check_sentiment_analyzer`."""

    def read(texts: Sequence[str | None]) -> Rows:
        return list(np.asarray(spam.spam(texts), np.float64).reshape(len(texts), 1))

    def shape() -> None:
        found = np.asarray(spam.spam(TEXTS), np.float64)
        expect(found.shape == (len(TEXTS),), f"(n,) probabilities for n texts, got {found.shape}")
        known = found[~np.isnan(found)]
        expect(bool(((known >= 0) & (known <= 1)).all()), "probabilities in [0, 1]")

    return [check_named(shape, "probabilities_in_range"), *_reading(read)]


def _reading(read: Read) -> list[Callable[[], None]]:
    """Checks of whatever reads texts row by row."""

    def alone() -> None:
        whole = read(TEXTS)
        for i, text in enumerate(TEXTS):
            expect(_same(whole[i], read([text])[0]), f"text {i} alone reads as in the batch")

    def order() -> None:
        whole, turned = read(TEXTS), read(TEXTS[::-1])
        expect(all(_same(a, b) for a, b in zip(whole, turned[::-1], strict=True)), "the order of texts changes nothing")

    def again() -> None:
        expect(all(map(_same, read(TEXTS), read(TEXTS))), "the same texts read the same again")

    return [
        check_named(alone, "every_text_alone_decides_its_row"), check_named(order, "order_changes_nothing"),
        check_named(again, "reading_is_repeatable"),
    ]  # fmt: skip


def _same(a: object, b: object) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return bool(np.allclose(np.asarray(a, np.float64), np.asarray(b, np.float64), atol=1e-9, equal_nan=True))
