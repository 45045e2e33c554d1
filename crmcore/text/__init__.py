"""Texts, tokenised once: tokens and their kinds, n-grams, an inverted index.

A `TokenBatch` holds codes and offsets; queries, cleaning, sentiment, trends and keyness all read the same one.
`batch.normalised()` levels spelling, `batch.words()` leaves punctuation out, `Postings` tells where a form occurs,
`count_terms` counts n-grams per text, and a `FormTable` keeps what is known about each form. `SearchIndex` answers
questions from texts, `find_duplicates` finds texts that say the same, and a `TextClassifier` learns labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.text.classifying import Familiarity, TextClassifier, TextClassifierModel
    from crmcore.text.duplicates import DuplicateFinder, DuplicateTexts, find_duplicates
    from crmcore.text.forms import FormTable, Vocabulary
    from crmcore.text.languages import Languages, detect_languages
    from crmcore.text.ngrams import TermCounts, count_terms
    from crmcore.text.patterns import TokenKind
    from crmcore.text.postings import Postings
    from crmcore.text.searching import Hit, SearchIndex, stems
    from crmcore.text.tokens import Segmenter, TokenBatch, Tokenizer, tokenize

__all__ = [
    "DuplicateFinder",
    "DuplicateTexts",
    "Familiarity",
    "FormTable",
    "Hit",
    "Languages",
    "Postings",
    "SearchIndex",
    "Segmenter",
    "TermCounts",
    "TextClassifier",
    "TextClassifierModel",
    "TokenBatch",
    "TokenKind",
    "Tokenizer",
    "Vocabulary",
    "count_terms",
    "detect_languages",
    "find_duplicates",
    "stems",
    "tokenize",
]

__getattr__ = lazy_names(
    __name__,
    {
        "DuplicateFinder": ".duplicates",
        "DuplicateTexts": ".duplicates",
        "Familiarity": ".classifying",
        "FormTable": ".forms",
        "Hit": ".searching",
        "Languages": ".languages",
        "Postings": ".postings",
        "SearchIndex": ".searching",
        "Segmenter": ".tokens",
        "TermCounts": ".ngrams",
        "TextClassifier": ".classifying",
        "TextClassifierModel": ".classifying",
        "TokenBatch": ".tokens",
        "TokenKind": ".patterns",
        "Tokenizer": ".tokens",
        "Vocabulary": ".forms",
        "count_terms": ".ngrams",
        "detect_languages": ".languages",
        "find_duplicates": ".duplicates",
        "stems": ".searching",
        "tokenize": ".tokens",
    },
)
