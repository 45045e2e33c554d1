"""Texts, tokenised once: tokens and their kinds, n-grams, an inverted index.

A `TokenBatch` holds codes and offsets; queries, cleaning, sentiment, trends and keyness all read the same one.
`batch.normalised()` levels spelling, `batch.words()` leaves punctuation out, `Postings` tells where a form occurs,
`count_terms` counts n-grams per text, and a `FormTable` keeps what is known about each form.
"""

from crmcore._base import lazy_names

__all__ = [
    "FormTable",
    "Postings",
    "Segmenter",
    "TermCounts",
    "TokenBatch",
    "TokenKind",
    "Tokenizer",
    "Vocabulary",
    "count_terms",
    "tokenize",
]

__getattr__ = lazy_names(
    __name__,
    {
        "FormTable": ".forms",
        "Postings": ".postings",
        "Segmenter": ".tokens",
        "TermCounts": ".ngrams",
        "TokenBatch": ".tokens",
        "TokenKind": ".patterns",
        "Tokenizer": ".tokens",
        "Vocabulary": ".forms",
        "count_terms": ".ngrams",
        "tokenize": ".tokens",
    },
)
