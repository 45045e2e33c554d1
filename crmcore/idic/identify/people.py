"""People: the answer of `resolve`, from which profiles, explanations, review and evaluation are taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import UnknownName
from crmcore.idic.identify.preparation import Preparation
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.survivorship import SurvivorshipPlan
from crmcore.linkage.fields import Kind
from crmcore.linkage.linking import Linkage
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Records
from crmcore.tables import RecordTable, TextColumn

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from crmcore.charts import Chart
    from crmcore.idic.identify.households import HouseholdTable
    from crmcore.idic.identify.ids import CustomerIds
    from crmcore.idic.identify.linkage_rules import Rules
    from crmcore.idic.identify.reviewing import Review
    from crmcore.idic.identify.summary import Summary
    from crmcore.linkage.explaining import Explanation
    from crmcore.linkage.quality import LinkageQuality
    from crmcore.linkage.unlinkable import Unlinkables

__all__ = ["People"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class People:
    """Customers found in records, and what led to them.

    Attributes
    ----------
    table : the records as read
    schema : what each column was taken for
    preparation : what normalisation did
    linkage : pairs, weights, clusters
    rules : decisions that were obeyed
    survivorship : how golden values are chosen, None = the defaults
    previous : customer ids of an earlier run, by record id
    """

    table: RecordTable
    schema: Schema
    preparation: Preparation
    linkage: Linkage
    rules: Rules
    survivorship: SurvivorshipPlan | None = None
    previous: Mapping[str, str] = attrs.field(factory=dict)

    def __len__(self) -> int:
        return self.linkage.clustering.n_clusters

    def __str__(self) -> str:
        return f"{len(self.table)} records of {len(self.table.sources)} sources are {len(self)} customers"

    def __repr__(self) -> str:
        return f"People({self})"

    @property
    def model(self) -> LinkageModel:
        """The model: save `model.to_dict()` as JSON; it answers one record at a time too."""
        return self.linkage.model

    @property
    def labels(self) -> NDArray[np.int32]:
        """(n,) customer of each record, as a number."""
        return self.linkage.labels

    @cached_property
    def profiles(self) -> ProfileTable:
        """One profile per customer: golden values with their origin, ids that stay."""
        return ProfileTable.build(
            self.table,
            self.labels,
            roles=self.roles,
            plan=self.survivorship,
            normal=normal_forms(self.table, self.schema, self.linkage.records),
            previous=self.previous or None,
        )

    @cached_property
    def roles(self) -> dict[str, str]:
        """What each column was taken for, as a word."""
        return roles_of(self.schema, self.table)

    @cached_property
    def _ids(self) -> CustomerIds:
        from crmcore.idic.identify.ids import assign_ids

        return assign_ids(self.labels, self.table.record_id, self.previous or None)

    @cached_property
    def customer_ids(self) -> tuple[str, ...]:
        """(n,) customer id of each record."""
        return tuple(np.array(self._ids.ids, object)[self._ids.labels].tolist())

    def row(self, record_id: str) -> int:
        """Row of a record ("source:id").

        Raises
        ------
        UnknownName
            No record has this id; the nearest is proposed.
        """
        at = self._rows.get(record_id)
        if at is None:
            raise UnknownName("record", record_id, tuple(self._rows)[:10_000])
        return at

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {str(r): i for i, r in enumerate(self.table.record_id)}

    def evaluate(self, truth: Mapping[str, object]) -> LinkageQuality:
        """Score against known customers.

        Parameters
        ----------
        truth : record id -> anything that names the true customer; records that are not in it are left out
        """
        from crmcore.linkage.quality import evaluate

        codes: dict[object, int] = {}
        true = np.full(len(self.table), -1, np.int64)
        for i, record in enumerate(self.table.record_id):
            if record in truth:
                true[i] = codes.setdefault(truth[record], len(codes))
        return evaluate(self.labels, true)

    def explain(self, left: str, right: str, *, show_values: bool = False) -> Explanation:
        """Why two records are one customer or not: evidence field by field, in bars that add up.

        Parameters
        ----------
        left, right : record ids ("source:id")
        show_values : truth
            Show the values to those who may see them; masked by default.

        Raises
        ------
        UnknownName
            No record has this id; the nearest is proposed.
        """
        from crmcore.linkage.explaining import explain

        return explain(self.linkage, self.row(left), self.row(right), show_values=show_values)

    def review(self, size: int = 50, *, show_values: bool = False) -> Review:
        """Pairs that people should look at, most valuable first, each with evidence and records.

        Parameters
        ----------
        size : count
            At most so many. In rounds of 50 each round sees what the one before decided.
        show_values : truth
            Show the values to those who may see them; masked by default.

        Returns
        -------
        Review
            Pass the answers to `decide`.
        """
        from crmcore.idic.identify.reviewing import review_of
        from crmcore.linkage.questions import choose_questions

        bound = self.rules.bind(self.linkage.records)
        settled = () if bound is None else np.concatenate([bound.must_link, bound.must_not_link])
        return review_of(self, tuple(choose_questions(self.linkage, size, settled=settled)), show_values=show_values)

    def review_page(self, path: str | os.PathLike[str], *, size: int = 50, show_values: bool = False) -> Path:
        """Write the review as one static page without script; values are masked unless asked for."""
        return self.review(size, show_values=show_values).save(path)

    def rules_with(self, answers: Any) -> Rules:
        """The rules, with answers as must-links and must-not-links; see `answers.read_answers` for their forms."""
        from crmcore.idic.identify.answers import add_answers, read_answers

        return add_answers(self.rules, read_answers(answers))

    def decide(self, answers: Any) -> People:
        """Obey answers: the same records and model under more rules; customers keep their ids where they can.

        Parameters
        ----------
        answers : frame, mapping or tuples
            The filled-in `review().to_frame()`, ``{(left, right): True}`` or ``(left, right, "same")``.

        Raises
        ------
        ConflictingConstraints
            Answers contradict each other, be it through other records.
        """
        return self._again(rules=self.rules_with(answers), model=self.model)

    def label_candidates(self, size: int, *, seed: int) -> Review:
        """Pairs whose judgement teaches the model most, with a random part that keeps estimates honest.

        Parameters
        ----------
        size : count
        seed : of the random part and of ties between equal pairs

        Returns
        -------
        Review
            Pass the answers to `learn`. To improve the customers with few answers ask `review` instead.
        """
        from crmcore.idic.identify.learning import candidates
        from crmcore.idic.identify.reviewing import review_of

        return review_of(self, candidates(self.linkage, size, seed=seed), show_values=False)

    def learn(self, answers: Any, *, obey: bool = True) -> People:
        """Move the model's probabilities towards judgements where that pays, and link again.

        The moved model is taken only if it gets clearly more of the judged pairs right (by more than the square root of
        the pairs on which the two differ); else the model stays as it is, and `model.calibration` is None.

        Parameters
        ----------
        answers : frame, mapping or tuples
            Judged pairs; see `decide`.
        obey : truth
            Make rules of the answers too.

        Returns
        -------
        People
            Its `model.calibration` says what moved; the calibrated model scores batch and single records alike.
        """
        from crmcore.idic.identify.answers import add_answers, read_answers
        from crmcore.idic.identify.learning import clearly_better, recalibrated

        said = read_answers(answers)
        moved = self._again(rules=self.rules, model=recalibrated(self.linkage, said))
        better = clearly_better(self.linkage, moved.linkage, said)
        if not obey:
            return moved if better else self
        return self._again(rules=add_answers(self.rules, said), model=moved.model if better else self.model)

    def _again(self, *, rules: Rules, model: LinkageModel) -> People:
        from crmcore.linkage.linking import link

        linkage = link(
            self.linkage.records,
            model=model,
            constraints=rules.bind(self.linkage.records),
            max_entities=rules.max_profiles or None,
        )
        known = dict(zip(map(str, self.table.record_id), self.customer_ids, strict=True))
        return attrs.evolve(self, linkage=linkage, rules=rules, previous=known)

    def households(self, *, cut: float = 0.5, previous: Mapping[str, str] | None = None) -> HouseholdTable:
        """Who lives together, as entities of their own; customers are never merged by it.

        Parameters
        ----------
        cut : probability
            Mean probability of living together that joins customers; higher joins fewer.
        previous : record id -> household id
            `assignments()` of an earlier run: households keep their ids.
        """
        from crmcore.idic.identify.households import HouseholdTable
        from crmcore.linkage.households import household_labels

        labels = household_labels(self.linkage, cut=cut)
        return HouseholdTable.build(labels, self.table.record_id, self._ids.ids, self._ids.labels, previous=previous)

    def unlinkables(self, *, threshold: float | None = None) -> Unlinkables:
        """Records that say too little to be matched even with a copy of themselves.

        Parameters
        ----------
        threshold : probability
            What a match needs; by default what the model's merge of two records needs.
        """
        from crmcore.linkage.unlinkable import unlinkables

        return unlinkables(self.linkage, threshold=threshold)

    def chart(self, which: str, **options: Any) -> Chart:
        """Draw one picture; `charts()` lists the names.

        Raises
        ------
        UnknownName
            No picture has this name; the nearest is proposed.
        """
        from crmcore.idic.identify.charts import draw

        return draw(self, which, **options)

    def charts(self) -> dict[str, Chart]:
        """Every picture that needs no further argument and has something to show, by name."""
        from crmcore.idic.identify.charts import overview

        return overview(self)

    def summary(self) -> Summary:
        """What was found and how sure it is, as text.

        Warns
        -----
        LostClass
            The model expects three times more or fewer matches than were found.
        """
        from crmcore.idic.identify.summary import summarise

        return summarise(self)

    def _repr_html_(self) -> str:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook cell that shows the result is no place to warn
            return self.summary()._repr_html_()

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per record: record id, source, customer id."""
        from crmcore._frames import write_frame

        sources = np.array(self.table.sources, object)[self.table.source]
        columns = {
            "record_id": list(self.table.record_id),
            "source": list(sources),
            "customer_id": list(self.customer_ids),
        }
        return write_frame(columns, backend=backend)


def roles_of(schema: Schema, table: RecordTable) -> dict[str, str]:
    """What each column of a table was taken for, as a word."""
    found: dict[str, str] = {}
    for by_column in schema.roles.values():
        for column, role in by_column.items():
            if column in table.columns:
                found.setdefault(column, role.kind.value)
    return found


def normal_forms(
    table: RecordTable, schema: Schema, records: Records, *, several: Collection[int] | None = None
) -> dict[str, TextColumn]:
    """Telephone numbers in one spelling: two spellings of one number are one value, and what is junk is none.

    A source with several numbers a row keeps them as they are written; `several` names the codes of such sources where
    these are not all of their records.
    """
    held = {c.name: c for c in records.columns}
    phone, second = held.get(Kind.PHONE.value), held.get(f"{Kind.PHONE.value} 2")
    if phone is None:
        return {}
    here = np.unique(table.source[second.codes >= 0]).tolist() if second is not None else []
    written = here if several is None else several
    found: dict[str, TextColumn] = {}
    for column in table.columns:
        spelled = table.columns[column]
        rows = np.zeros(len(table), np.bool_)
        for code, source in enumerate(table.sources):
            if code not in written and schema.columns(source, Meaning.PHONE) == (column,):
                rows |= table.source == code
        if rows.any():
            cells = [n if r else raw for n, r, raw in zip(phone.text.to_list(), rows, spelled.to_list(), strict=True)]
            found[column] = TextColumn.of(cells)
    return found
