"""JSON of models whose kind is known only when they are read: the kind stands beside the fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmcore.errors import BadDocument, WrongType
from crmcore.idic.differentiate.propensity.booster import BoosterModel
from crmcore.idic.differentiate.propensity.crossing import ProbabilityModel
from crmcore.idic.differentiate.propensity.logistic import LogisticModel
from crmcore.idic.differentiate.propensity.switching import SwitchingModel

__all__ = ["model_from_dict", "model_to_dict"]

KINDS: dict[str, type[LogisticModel] | type[BoosterModel] | type[SwitchingModel]] = {
    "LogisticModel": LogisticModel,
    "BoosterModel": BoosterModel,
    "SwitchingModel": SwitchingModel,
}


def model_to_dict(model: ProbabilityModel, /) -> dict[str, Any]:
    """Plain JSON values of a model of the house, with its kind under "type".

    Raises
    ------
    WrongType
        A model from elsewhere: save it by its own means.
    """
    if not isinstance(model, LogisticModel | BoosterModel | SwitchingModel):
        hint = "only models of the house are saved here: save yours by its own means"
        raise WrongType("model", f"a {type(model).__name__}", f"one of {', '.join(KINDS)}", hint)
    return {"type": type(model).__name__, **model.to_dict()}


def model_from_dict(document: object, /) -> LogisticModel | BoosterModel | SwitchingModel:
    """Read what `model_to_dict` wrote.

    Examples
    --------
    >>> from crmcore.idic.differentiate.propensity import Logistic
    >>> model = Logistic(penalty=1.0).fit({"months": [1, 2, 3, 4]}, [1, 0, 1, 0])
    >>> model_from_dict(model_to_dict(model)) == model
    True
    """
    hint = "write it with to_dict of the same version of crmcore"
    if not isinstance(document, Mapping):
        raise BadDocument("model", (f"a {type(document).__name__} where fields are expected @ $",), hint)
    fields = dict(document)
    kind = KINDS.get(str(fields.pop("type", None)))
    if kind is None:
        raise BadDocument("model", (f"expected one of {', '.join(KINDS)} @ $.type",), hint)
    return kind.from_dict(fields)


def fields_of(document: object, what: str, names: tuple[str, ...], /) -> dict[str, Any]:
    """Fields of a document, each of `names` and no other."""
    found = dict(document) if isinstance(document, Mapping) else {}
    problems = [f"required field is missing @ $.{name}" for name in names if name not in found]
    problems += [f"unknown field @ $.{name}" for name in found if name not in names]
    if problems:
        raise BadDocument(what, tuple(problems), "write it with to_dict of the same version of crmcore")
    return found
