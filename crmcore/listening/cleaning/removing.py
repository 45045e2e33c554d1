"""Cleaning: what is removed from a stream of posts, by which rule and why; countable, checkable, reversible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore.errors import OutOfRange, UnknownName
from crmcore.listening.cleaning.signals import STARTING_SIGNALS, SpamSignals, SpamWeights, spam_signals
from crmcore.listening.cleaning.topic import TopicGate
from crmcore.metrics.columns import columns_frame
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.proportions import proportion
from crmcore.plugins import PluginKind, resolve
from crmcore.protocols import LanguageDetector, SpamFilter
from crmcore.tables import MentionTable
from crmcore.text import TokenBatch, tokenize
from crmcore.text.duplicates import DuplicateFinder, DuplicateTexts
from crmcore.text.languages import UNDETERMINED, Languages, detect_languages

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["RULES", "CleanedMentions", "Cleaner", "clean"]

Bools = NDArray[np.bool_]
RULES = ("empty", "language", "duplicate", "spam", "off topic")
"""Rules in the order in which they are told."""


@attrs.frozen(kw_only=True)
class Cleaner:
    """What to remove from a stream of posts.

    Parameters
    ----------
    languages : ISO 639 codes
        Keep posts in these, and those whose language cannot be told; none keeps all.
    duplicates : truth
        Whether a post that says what an earlier one says is removed. Reposts are voices too: for counting them leave
        it off, for reading and training turn it on.
    similarity : share
        From which two posts say the same.
    least_words : count
        Shorter posts are never duplicates.
    spam : truth
        Whether posts are removed that signals or the filter call spam.
    weights : SpamWeights
        Of the signals.
    filter : SpamFilter or its name, optional
        Such as a `SpamModel` that learned from labels of one's own; beside the signals.
    threshold : share
        Probability of the filter from which a post is spam.
    topic : TopicGate, optional
        Removes what is off topic.
    detector : LanguageDetector or its name, optional
        For languages that script and function words do not tell.
    """

    languages: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    duplicates: bool = False
    similarity: float = 0.8
    least_words: int = 4
    spam: bool = True
    weights: SpamWeights = attrs.field(default=STARTING_SIGNALS, repr=False)
    filter: SpamFilter | str | None = attrs.field(default=None, repr=lambda f: type(f).__name__)
    threshold: float = 0.5
    topic: TopicGate | None = None
    detector: LanguageDetector | str | None = attrs.field(default=None, repr=lambda d: type(d).__name__)

    def clean(
        self, mentions: MentionTable, /, *, batch: TokenBatch | None = None, progress: Progress | bool = False
    ) -> CleanedMentions:
        """Find what each rule would remove; nothing is lost.

        Parameters
        ----------
        mentions : MentionTable
        batch : TokenBatch, optional
            Tokens of the same posts as written, where they are read already (such as `Matcher.batch`).
        """
        tell, texts = reporter(progress), mentions.text.to_list()
        tell("clean", 0, 4)
        batch = tokenize(texts) if batch is None else batch  # one reading for all rules
        found = DuplicateFinder(similarity=self.similarity, least_words=self.least_words).find(batch)
        tell("clean", 1, 4)
        languages = detect_languages(batch if self.detector is None else texts, detector=self.detector)
        tell("clean", 2, 4)
        signals = spam_signals(mentions, weights=self.weights, duplicates=found, batch=batch)
        chance = np.full(len(texts), np.nan)
        if self.filter is not None:
            model: SpamFilter = resolve(PluginKind.SPAM_FILTER, self.filter, contract=SpamFilter)
            chance = np.asarray(model.spam(texts), np.float64)
        tell("clean", 3, 4)
        masks: dict[str, Bools] = {"empty": batch.lengths == 0}
        if self.languages:
            masks["language"] = ~languages.is_(*self.languages, UNDETERMINED)
        if self.duplicates:
            masks["duplicate"] = found.repeats
        if self.spam:
            masks["spam"] = signals.spam | (chance >= self.threshold)
        if self.topic is not None:
            masks["off topic"] = self.topic.off_topic(batch)
        tell("clean", 4, 4)
        return CleanedMentions(
            mentions=mentions, masks=masks, active=tuple(masks), languages=languages, duplicates=found,
            signals=signals, chance=chance,
        )  # fmt: skip


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CleanedMentions:
    """Posts with what each rule removes.

    Attributes
    ----------
    mentions : MentionTable
        All of them, as they came.
    masks : mapping of a rule to (n,) truths
        What it would remove.
    active : names
        Rules that are in force; see `restore`.
    languages, duplicates, signals
        What the rules looked at.
    chance : (n,) probabilities
        Of the spam filter; NaN without one.
    """

    mentions: MentionTable
    masks: Mapping[str, Bools]
    active: tuple[str, ...]
    languages: Languages
    duplicates: DuplicateTexts
    signals: SpamSignals
    chance: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.mentions)

    @cached_property
    def stays(self) -> Bools:
        """(n,) which posts no active rule removes."""
        out = np.zeros(len(self), bool)
        for rule in self.active:
            out |= self.masks[rule]
        return ~out

    @property
    def kept(self) -> MentionTable:
        """The posts that stay."""
        return self.mentions.take(np.flatnonzero(self.stays))

    @property
    def removed(self) -> MentionTable:
        """The posts that go."""
        return self.mentions.take(np.flatnonzero(~self.stays))

    def counts(self) -> dict[str, tuple[int, int]]:
        """What each active rule removes, and what it alone removes."""
        hits = sum((self.masks[r].astype(np.int64) for r in self.active), np.zeros(len(self), np.int64))
        return {r: (int(self.masks[r].sum()), int((self.masks[r] & (hits == 1)).sum())) for r in self.active}

    def restore(self, *rules: str) -> CleanedMentions:
        """Take rules out of force: what they alone removed comes back."""
        self._check(rules)
        return attrs.evolve(self, active=tuple(r for r in self.active if r not in rules))

    def why(self, post: int, /) -> tuple[str, ...]:
        """Reasons for which one post goes, in words; none where it stays."""
        found = []
        for rule in self.active:
            if not self.masks[rule][post]:
                continue
            if rule == "language":
                found.append(f"language {self.languages.codes[post]}")
            elif rule == "duplicate":
                found.append(f"says what post {self.duplicates.first[post]} says")
            elif rule == "spam":
                parts = [f"{s} {w:.2g}" for s, w in self.signals.why(post)] if self.signals.spam[post] else []
                if not np.isnan(self.chance[post]):
                    parts.append(f"filter {self.chance[post]:.2f}")
                found.append(f"spam ({', '.join(parts)})")
            else:
                found.append(rule)
        return tuple(found)

    def precision(self, rule: str, rows: Sequence[int], right: ArrayLike, /, *, level: float = 0.95) -> Estimate:
        """Share of what a rule removes that was rightly removed, from a sample that somebody judged.

        Parameters
        ----------
        rule
        rows : positions of judged posts, drawn at random from those that the rule removes
        right : truths
            Whether each belongs out.
        """
        self._check([rule])
        at, good = np.asarray(rows, np.int64), np.asarray(right, bool)
        if at.shape != good.shape:
            raise OutOfRange("len(right)", len(good), f"{len(at)}, as rows", "one truth a judged post")
        odd = [int(i) for i in at if not (0 <= i < len(self) and self.masks[rule][i])]
        if odd:
            raise OutOfRange("rows", odd[:5], f"posts that the rule {rule!r} removes", "draw them from its mask")
        name = f"rightly removed / removed by {rule}"
        return proportion(int(good.sum()), len(good), level=level, rule=name, small_sample_ok=True)

    def _check(self, rules: Sequence[str]) -> None:
        for rule in rules:
            if rule not in self.masks:
                raise UnknownName("rule", rule, tuple(self.masks))

    def __repr__(self) -> str:
        return f"CleanedMentions({int(self.stays.sum())} of {len(self)} posts kept)"

    def __str__(self) -> str:
        parts = ", ".join(f"{rule} {n} ({alone} by it alone)" for rule, (n, alone) in self.counts().items())
        return f"{int(self.stays.sum())} of {len(self)} posts kept; removed: {parts or 'none'}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a post: post (its id), kept, rules, why, language, first (row of the first that says the same)."""
        rules, why = np.full(len(self), "", object), np.full(len(self), "", object)
        for i in np.flatnonzero(~self.stays).tolist():
            rules[i] = ", ".join(r for r in self.active if self.masks[r][i])
            why[i] = "; ".join(self.why(i))
        return columns_frame(
            {
                "post": self.mentions.mention_id.to_list(),
                "kept": self.stays,
                "rules": rules,
                "why": why,
                "language": self.languages.codes,
                "first": self.duplicates.first,
            },
            backend=backend,
        )

    def chart(self, *, title: str = "Posts removed, by rule") -> Chart:
        """Posts by rule."""
        from crmcore.charts import bar

        counts = self.counts()
        return bar(list(counts), [n for n, _ in counts.values()], title=title, description=str(self))

    def _repr_html_(self) -> str:
        rows = [{"rule": r, "posts": n, "by it alone": alone} for r, (n, alone) in self.counts().items()]
        return html_table(rows, caption=f"{int(self.stays.sum())} of {len(self)} posts kept")


STANDARD = Cleaner()


def clean(
    mentions: MentionTable, cleaner: Cleaner = STANDARD, /, *, progress: Progress | bool = False
) -> CleanedMentions:
    """Find what does not belong among posts: spam, and as asked copies, other languages and what is off topic.

    Parameters
    ----------
    mentions : MentionTable
    cleaner : Cleaner
        What to remove; by itself spam, by signals, and empty posts.

    Examples
    --------
    >>> texts = ["Parcel is late, again", "Win free followers now, click here http://a.co", "RT parcel is late again"]
    >>> found = clean(MentionTable.from_frame({"text": texts}), Cleaner(duplicates=True))
    >>> print(found)
    1 of 3 posts kept; removed: empty 0 (0 by it alone), duplicate 1 (1 by it alone), spam 1 (1 by it alone)
    >>> found.why(2), len(found.restore("duplicate").kept)
    (('says what post 0 says',), 2)
    """
    return cleaner.clean(mentions, progress=progress)
