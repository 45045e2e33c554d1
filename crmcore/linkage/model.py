"""A fitted linkage model: plain data that scores any pair of records, in batch or one at a time, today or next year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from crmcore.errors import BadDocument, MissingColumn, OutOfRange, WrongType
from crmcore.linkage.agglomerate import Cuts
from crmcore.linkage.blocking import CAP, BlockingKey, default_keys
from crmcore.linkage.compare import Comparer
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.labels import Calibration
from crmcore.linkage.mixture import CLASSES, WIDTH, Weights, start
from crmcore.linkage.nicknames import Nicknames
from crmcore.linkage.rarity import Rarity, Shares
from crmcore.linkage.records import Records
from crmcore.linkage.scoring import Scorer

__all__ = ["FLOOR", "LinkageModel"]

_PARTS = frozenset("fields n_levels u classes shares nicknames keys cap cuts floor n_records".split())
_WRITTEN = "pass what LinkageModel.to_dict wrote, whole"
FLOOR = -2.0  # log-odds below which a pair connects nothing


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LinkageModel:
    """Everything that decides which records are one entity.

    It is fitted by `link` and holds no value of any record in clear: values stand as hashes with their counts.

    Attributes
    ----------
    fields : name -> kind of each field, in the order of the weights
    weights : the mixture: levels in each class of pairs, class shares
    shares : how often each value occurred (per field)
    nicknames : given names that were learned to go together, or None
    keys : blocking keys, in the order of their worth
    cap : largest block that is compared
    cuts : evidence that a merge needs
    floor : log-odds below which a pair connects nothing
    n_records : records that it was fitted on
    calibration : what judgements moved, None where nobody judged
    """

    fields: Mapping[str, Kind]
    weights: Weights
    shares: tuple[Shares, ...]
    nicknames: Nicknames | None
    keys: tuple[BlockingKey, ...]
    cap: int
    cuts: Cuts
    floor: float
    n_records: int
    calibration: Calibration | None = None

    @classmethod
    def default(
        cls,
        fields: Mapping[str, Kind | str],
        *,
        n_records: int = 10_000,
        cap: int = CAP,
        cuts: Cuts | None = None,
    ) -> LinkageModel:
        """Model for the start, when there are no records yet to fit one on: what is typical of each kind of field.

        Parameters
        ----------
        fields : name -> kind
        n_records : records expected; the more there are, the more evidence makes two of them one person
        cap : largest block that is compared
        cuts : evidence that a merge needs; .25 for every size by default

        Raises
        ------
        OutOfRange
            Fewer than two records.

        Examples
        --------
        >>> LinkageModel.default({"name": "given name", "phone": "phone"})
        LinkageModel(name: given name, phone: phone; 3 keys; fitted on 0 records)
        """
        if n_records < 2:
            raise OutOfRange("n_records", n_records, "2 and more", "say how many records you expect")
        kinds = {name: Kind(kind) for name, kind in fields.items()}
        listed = list(kinds.values())
        both = Kind.GIVEN_NAME in listed and Kind.SURNAME in listed
        first = listed.index(Kind.GIVEN_NAME) if both else -1
        n_levels = tuple(len(DEFINITIONS[k].levels) + (f == first) for f, k in enumerate(listed))
        u = np.full((len(listed), WIDTH), 1e-9)
        u[:, 0] = 1.0
        for f, (kind, levels) in enumerate(zip(listed, n_levels, strict=True)):
            u[f, 1 : levels + 1] = DEFINITIONS[kind].by_chance(levels)
        nothing = Shares(np.zeros(0, np.uint64), np.zeros(0, np.int64), 0)
        return cls(
            fields=kinds,
            weights=start(listed, n_levels, u, n_records=n_records),
            shares=(nothing,) * len(listed),
            nicknames=None,
            keys=default_keys(kinds),
            cap=cap,
            cuts=Cuts() if cuts is None else cuts,
            floor=FLOOR,
            n_records=0,
        )

    def __repr__(self) -> str:
        names = ", ".join(f"{n}: {k.value}" for n, k in self.fields.items())
        return f"LinkageModel({names}; {len(self.keys)} keys; fitted on {self.n_records} records)"

    def scorer(self, records: Records) -> Scorer:
        """Bind the model to records.

        Raises
        ------
        MissingColumn
            The records lack a field of the model.
        WrongType
            A field has another kind than the model was fitted on.
        """
        return self.bind_records(self.select(records))

    def bind_records(self, records: Records) -> Scorer:
        """Bind the model to records that hold exactly its fields, in its order (see `select`)."""
        return self.bind(Comparer.of(records))

    def select(self, records: Records) -> Records:
        """The model's fields of `records`, in the model's order."""
        held = {c.name: c for c in records.columns}
        for name, kind in self.fields.items():
            if name not in held:
                raise MissingColumn(name, tuple(held), "the records")
            if held[name].kind is not kind:
                hint = "give the column the kind that the model was fitted on, or fit again"
                raise WrongType(name, f"a column of kind {held[name].kind.value!r}", f"kind {kind.value!r}", hint)
        return attrs.evolve(records, columns=tuple(held[name] for name in self.fields))

    def bind(self, comparer: Comparer) -> Scorer:
        """Bind the model to encoded records."""
        rarity = Rarity.of(comparer, self.weights.u, self.shares)
        learned = None if self.nicknames is None else self.nicknames.bind(comparer)
        return Scorer(comparer, self.weights, rarity, learned, self.calibration)

    @property
    def expected_matches(self) -> float:
        """Pairs of one person that the model expects among the records it was fitted on."""
        return float(self.weights.pi[:2].sum() * self.n_records * (self.n_records - 1) / 2)

    def class_sizes(self) -> dict[str, float]:
        """Expected pairs per record of each class: much more than one match a record hints at a lost class."""
        per_record = self.weights.pi * (self.n_records - 1) / 2
        return {c.value: float(p) for c, p in zip(CLASSES, per_record, strict=True)}

    def weight_rows(self) -> list[dict[str, object]]:
        """One row per field and level: its share among true pairs (m) and chance pairs (u), and log2(m / u)."""
        rows: list[dict[str, object]] = []
        for f, (name, kind) in enumerate(self.fields.items()):
            for level in range(1, self.weights.n_levels[f] + 1):
                names = DEFINITIONS[kind].levels
                m, u = float(self.weights.theta[0, f, level]), float(self.weights.u[f, level])
                rows.append(
                    {
                        "field": name,
                        "level": names[level - 1] if level <= len(names) else "names swapped",
                        "m": m,
                        "u": u,
                        "bits": float(np.log2(m / u)),
                    }
                )
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Write the model as JSON-ready data."""
        w = self.weights
        return {
            "format": "crmcore linkage model 1",
            "fields": {n: k.value for n, k in self.fields.items()},
            "n_levels": list(w.n_levels),
            "u": w.u.tolist(),
            "classes": {
                c.value: {"share": float(w.pi[i]), "levels": w.theta[i].tolist()} for i, c in enumerate(CLASSES)
            },
            "shares": [
                {"filled": s.filled, "values": [f"{h:016x}" for h in s.hashes.tolist()], "counts": s.counts.tolist()}
                for s in self.shares
            ],
            "nicknames": None
            if self.nicknames is None
            else {
                "left": [f"{h:016x}" for h in self.nicknames.left.tolist()],
                "right": [f"{h:016x}" for h in self.nicknames.right.tolist()],
                "nats": self.nicknames.nats.tolist(),
                "together": self.nicknames.together.tolist(),
            },
            "keys": [str(k) for k in self.keys],
            "cap": self.cap,
            "cuts": list(self.cuts.values),
            "floor": self.floor,
            "n_records": self.n_records,
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> LinkageModel:
        """Read what `to_dict` wrote.

        Raises
        ------
        OutOfRange
            The document is not a linkage model of this format.
        """
        if document.get("format") != "crmcore linkage model 1":
            raise OutOfRange(
                "format", document.get("format"), "'crmcore linkage model 1'", "pass what LinkageModel.to_dict wrote"
            )
        missing = sorted(_PARTS - set(document))
        if missing:
            raise BadDocument("linkage model", tuple(f"required part is missing @ $.{m}" for m in missing), _WRITTEN)
        fields = {n: Kind(k) for n, k in document["fields"].items()}
        classes = [document["classes"][c.value] for c in CLASSES]
        weights = Weights(
            tuple(fields.values()),
            tuple(document["n_levels"]),
            np.array(document["u"], float).reshape(-1, WIDTH),
            np.array([c["levels"] for c in classes], float).reshape(len(CLASSES), -1, WIDTH),
            np.array([c["share"] for c in classes], float),
        )
        shares = tuple(
            Shares(np.array([int(h, 16) for h in s["values"]], np.uint64), np.array(s["counts"], np.int64), s["filled"])
            for s in document["shares"]
        )
        nick = document["nicknames"]
        return cls(
            fields=fields,
            weights=weights,
            shares=shares,
            nicknames=None
            if nick is None
            else Nicknames(
                np.array([int(h, 16) for h in nick["left"]], np.uint64),
                np.array([int(h, 16) for h in nick["right"]], np.uint64),
                np.array(nick["nats"], float),
                np.array(nick["together"], np.int64),
            ),
            keys=tuple(BlockingKey.parse(k) for k in document["keys"]),
            cap=document["cap"],
            cuts=Cuts(document["cuts"]),
            floor=document["floor"],
            n_records=document["n_records"],
            calibration=None if document.get("calibration") is None else Calibration.from_dict(document["calibration"]),
        )
