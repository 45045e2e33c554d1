"""People: the answer of `resolve`, from which profiles, explanations, review and evaluation are taken."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import UnknownName
from crmcore.idic.identify.preparation import Preparation
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.survivorship import SurvivorshipPlan
from crmcore.linkage.linking import Linkage
from crmcore.linkage.model import LinkageModel
from crmcore.tables import RecordTable

if TYPE_CHECKING:
    from crmcore.idic.identify.resolving import Rules
    from crmcore.linkage.quality import LinkageQuality

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
            roles=self._roles(),
            plan=self.survivorship,
            previous=self.previous or None,
        )

    def _roles(self) -> dict[str, str]:
        roles: dict[str, str] = {}
        for by_column in self.schema.roles.values():
            for column, role in by_column.items():
                if column in self.table.columns:
                    roles.setdefault(column, role.kind.value)
        return roles

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

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per record: record id, source, customer id."""
        from crmcore._frames import write_frame

        ids = np.array(self.profiles.customers.ids, object)[self.profiles.customer]
        sources = np.array(self.table.sources, object)[self.table.source]
        columns = {"record_id": list(self.table.record_id), "source": list(sources), "customer_id": list(ids)}
        return write_frame(columns, backend=backend)
