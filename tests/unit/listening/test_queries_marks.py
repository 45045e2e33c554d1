"""Marks within phrases of a query."""

from __future__ import annotations

from crmcore.listening.queries import match
from crmcore.tables import MentionTable


def test_marks_within_a_phrase_are_read_over() -> None:
    posts = MentionTable.from_frame({"text": ["Love Kasten & Co!", "Kasten, Co", "kasten and co", "& more"]})
    assert match({"q": '"Kasten & Co"', "mark": '"&"'}, posts).held.T.tolist() == [
        [True, True, False, False],
        [False, False, False, False],
    ]
