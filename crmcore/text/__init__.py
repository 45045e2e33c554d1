"""Texts, tokenised once: tokens and their kinds, n-grams, an inverted index.

A `TokenBatch` holds codes and offsets; queries, cleaning, sentiment, trends and keyness all read the same one.
`batch.normalised()` levels spelling, `batch.words()` leaves punctuation out, `Postings` tells where a form occurs,
`count_terms` counts n-grams per text, and a `FormTable` keeps what is known about each form. `SearchIndex` answers
questions from texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.text.forms import FormTable, Vocabulary
    from crmcore.text.ngrams import TermCounts, count_terms
    from crmcore.text.patterns import TokenKind
    from crmcore.text.postings import Postings
    from crmcore.text.searching import Hit, SearchIndex, stems
    from crmcore.text.tokens import Segmenter, TokenBatch, Tokenizer, tokenize

__all__ = [
    "FormTable",
    "Hit",
    "Postings",
    "SearchIndex",
    "Segmenter",
    "TermCounts",
    "TokenBatch",
    "TokenKind",
    "Tokenizer",
    "Vocabulary",
    "count_terms",
    "stems",
    "tokenize",
]

__getattr__ = lazy_names(
    __name__,
    {
        "FormTable": ".forms",
        "Hit": ".searching",
        "Postings": ".postings",
        "SearchIndex": ".searching",
        "Segmenter": ".tokens",
        "TermCounts": ".ngrams",
        "TokenBatch": ".tokens",
        "TokenKind": ".patterns",
        "Tokenizer": ".tokens",
        "Vocabulary": ".forms",
        "count_terms": ".ngrams",
        "stems": ".searching",
        "tokenize": ".tokens",
    },
)
