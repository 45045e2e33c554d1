"""Voices compared: what groups speak about, what we say and is heard, where rivals are ahead, what a release changed.

Everything counts authors, not posts: who repeats himself is one voice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.voices.comparing import discussion_points, said_versus_heard
    from crmcore.listening.voices.rivals import Contrast, Contrasts, aspect_gaps, release_effect, unmet_needs

__all__ = [
    "Contrast",
    "Contrasts",
    "aspect_gaps",
    "discussion_points",
    "release_effect",
    "said_versus_heard",
    "unmet_needs",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Contrast": ".rivals",
        "Contrasts": ".rivals",
        "aspect_gaps": ".rivals",
        "discussion_points": ".comparing",
        "release_effect": ".rivals",
        "said_versus_heard": ".comparing",
        "unmet_needs": ".rivals",
    },
)
