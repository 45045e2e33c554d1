"""Survey invitations and answers: NPS, CSAT, attitude items, open text, with unhappy people answering less."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Columns, Ints, children, draw, opaque_ids, texts
from crmcore.datasets.orders import Orders
from crmcore.datasets.traits import Traits

__all__ = ["ITEMS", "Surveys", "simulate_surveys"]

# Two statements for each needs group (1 = not at all, 5 = fully).
ITEMS = ("saves_time", "easy_to_order", "lowest_price", "compares_offers", "shows_taste", "first_to_own")
CUTS = (-2.6, -2.3, -2.0, -1.7, -1.4, -1.05, -0.65, -0.1, 0.5, 1.2)  # latent satisfaction -> 0..10
OPEN_TEXTS = (
    ("the parcel came late", "too expensive for what it is", "the box was damaged", "support did not help me"),
    ("it was fine", "nothing special", "okay so far"),
    ("great service, thank you", "I love the quality", "fast and friendly", "recommended you to my sister"),
)


@attrs.frozen(eq=False, repr=False)
class Surveys:
    """Invitations as a table, answered or not, and what everybody would have said."""

    surveys: Columns
    person: Ints  # (n,)
    would_say: Ints  # (n,) the NPS score of every invited person, answered or not

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Surveys({len(self)} invitations)"


def simulate_surveys(
    orders: Orders, traits: Traits, *, record_id: NDArray[np.object_], rng: np.random.Generator
) -> Surveys:
    """Invite after a fifth of the orders; a late or damaged one costs satisfaction, and who is unhappy answers less.

    `record_id` holds the id of each row of the record truth.
    """
    r = children(rng, "who", "mood", "answer", "csat", "items", "text", "gap", "ids")
    chosen = np.flatnonzero(r["who"].random(len(orders)) < 0.20)
    person, n = orders.person[chosen], len(chosen)
    harm = 1.3 * orders.late[chosen] + 1.5 * orders.damaged[chosen]
    mood = traits.satisfaction[person] - harm + r["mood"].normal(0, 0.35, n)
    score = np.searchsorted(CUTS, mood)
    csat = np.clip(np.round(3.7 + 0.8 * mood + r["csat"].normal(0, 0.4, n)), 1, 5)
    answered = r["answer"].random(n) < 0.06 + 0.44 / (1 + np.exp(-(0.9 * mood + 0.25)))
    answered |= (mood < -2.2) & (r["answer"].random(n) < 0.25)  # the furious speak up again
    items = 2.2 + 2.2 * (np.arange(6) // 2 == traits.needs[person][:, None]) + r["items"].normal(0, 0.6, (n, 6))
    items = np.clip(np.round(items), 1, 5)
    tone = np.select([score <= 6, score <= 8], [0, 1], 2)
    words = np.empty(n, dtype=object)
    for t, child in zip(range(3), r["text"].spawn(3), strict=True):
        rows = np.flatnonzero(tone == t)
        words[rows] = texts(list(OPEN_TEXTS[t]))[draw(child, np.ones(len(OPEN_TEXTS[t])), len(rows))]
    words[~answered | (r["text"].random(n) < 0.6)] = None
    invited = orders.orders["delivered_at"][chosen] + np.timedelta64(1, "D")
    wait = (r["gap"].exponential(20.0, n) * 3600).astype(np.int64).astype("timedelta64[s]")

    def told(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(answered, values, np.nan)

    columns: Columns = {
        "response_id": opaque_ids(r["ids"], n, prefix="a-"),
        "record_id": record_id[orders.row[chosen]],
        "order_id": orders.orders["order_id"][chosen],
        "invited_at": invited,
        "answered_at": np.where(answered, invited + wait, np.datetime64("NaT", "us")),
        "nps": told(score.astype(np.float64)),
        "csat": told(csat),
        **{name: told(items[:, i]) for i, name in enumerate(ITEMS)},
        "comment": words,
    }
    return Surveys(columns, person, score)
