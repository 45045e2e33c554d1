"""JSON of product models: what is written is what is read, every fault by its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crmcore.documents import from_dict, placed, to_dict
from crmcore.errors import BadDocument, CrmError, UnknownName
from crmcore.idic.customize.configuring.attributes import Attribute, Choice, Flag, Range
from crmcore.idic.customize.configuring.model import ProductModel
from crmcore.idic.customize.configuring.product_rules import PriceRule, ProductRule, Table
from crmcore.rules.codec import Reader, node_to_dict
from crmcore.values import Money

__all__ = ["model_from_dict", "model_to_dict"]

FORMAT, VERSION = "crmcore.product", 1
_KINDS: dict[str, type[Choice] | type[Flag] | type[Range]] = {"choice": Choice, "flag": Flag, "range": Range}
_NEEDED = ("format", "version", "name", "attributes")
_KEYS = (*_NEEDED, "rules", "prices", "base_price", "work_days")
_RULE_KEYS = {"name", "kind", "parts", "because"}


def model_to_dict(model: ProductModel) -> dict[str, Any]:
    """Plain JSON values of a model."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "attributes": [_attribute_out(a) for a in model.attributes],
        "rules": [_rule_out(r) for r in model.rules],
        "prices": [{"name": p.name, "when": node_to_dict(p.when), "price": to_dict(p.price)} for p in model.prices],
        "base_price": None if model.base_price is None else to_dict(model.base_price),
        "work_days": model.work_days,
    }


def _attribute_out(attribute: Attribute) -> dict[str, Any]:
    kind = next(word for word, of in _KINDS.items() if isinstance(attribute, of))
    return {"kind": kind, **to_dict(attribute)}


def _rule_out(rule: ProductRule | Table) -> dict[str, Any]:
    more = {"because": rule.because} if rule.because else {}
    if isinstance(rule, Table):
        rows = [[c if isinstance(c, str | bool) else str(c) for c in row] for row in rule.rows]
        made = {"name": rule.name, "kind": "table", "attributes": list(rule.attributes), "rows": rows}
        return {**made, "allowed": rule.allowed, **more}
    return {"name": rule.name, "kind": str(rule.kind), "parts": [node_to_dict(p) for p in rule.parts], **more}


class _Faults:
    def __init__(self) -> None:
        self.reader = Reader()
        self.problems = self.reader.problems

    def read(self, path: str, make: Callable[[], Any]) -> Any:
        """What `make` makes, None where that fails; the fault is kept."""
        try:
            return make()
        except BadDocument as error:
            self.problems += [p.replace("@ $", f"@ {path}", 1) for p in error.problems]
        except KeyError as error:
            self.problems.append(f"{path}: the field {error} is missing")
        except (CrmError, TypeError, ValueError, AttributeError) as error:
            self.problems.append(placed(error, path))
        return None


def model_from_dict(document: object) -> ProductModel:
    """Model of a document."""
    hint = "repair these places, or write it with ProductModel.to_dict"
    if not isinstance(document, Mapping):
        raise BadDocument("product model", (f"$: expected an object, not {type(document).__name__}",), hint)
    faults = _Faults()
    for key in document:
        if key not in _KEYS:
            faults.problems.append(f"$: {UnknownName('key', str(key), _KEYS)}")
    faults.problems += [f"$: the field {key!r} is missing" for key in _NEEDED if key not in document]
    if (document.get("format"), document.get("version")) != (FORMAT, VERSION):
        faults.problems.append(f"$: expected format {FORMAT!r}, version {VERSION}")
    attributes = _each(document, "attributes", faults, lambda d, _: _attribute_in(d))
    rules = _each(document, "rules", faults, lambda d, path: _rule_in(d, path, faults))
    prices = _each(document, "prices", faults, lambda d, path: _price_in(d, path, faults))
    base = document.get("base_price")
    money = None if base is None else faults.read("$.base_price", lambda: from_dict(Money, base))
    if faults.problems:
        raise BadDocument("product model", tuple(faults.problems), hint)
    work = document.get("work_days", 0.0)
    return ProductModel(
        document["name"], attributes, rules=rules, prices=prices, base_price=money, work_days=work
    )  # fmt: skip


def _each(document: Mapping[str, Any], key: str, faults: _Faults, make: Callable[[Any, str], Any]) -> list[Any]:
    listed = document.get(key, [])
    if not isinstance(listed, list):
        faults.problems.append(f"$.{key}: expected a list")
        return []
    return [faults.read(f"$.{key}[{i}]", lambda d=d, i=i: make(d, f"$.{key}[{i}]")) for i, d in enumerate(listed)]  # type: ignore[misc]


def _attribute_in(document: dict[str, Any]) -> Attribute:
    kind = document["kind"]
    if kind not in _KINDS:
        raise UnknownName("kind of attribute", str(kind), tuple(_KINDS))
    made: Attribute = from_dict(_KINDS[kind], {k: v for k, v in document.items() if k != "kind"})
    return made


def _rule_in(document: dict[str, Any], path: str, faults: _Faults) -> ProductRule | Table | None:
    because = document.get("because", "")
    if document["kind"] == "table":
        allowed = document.get("allowed", True)
        return Table(document["name"], document["attributes"], document["rows"], allowed, because)
    odd = sorted(set(document) - _RULE_KEYS)
    if odd:
        faults.problems.append(f"{path}: unknown fields {odd}")
    parts = [faults.reader.condition(p, f"{path}.parts[{i}]") for i, p in enumerate(document["parts"])]
    known = [p for p in parts if p is not None]
    return ProductRule(document["name"], document["kind"], known, because) if len(known) == len(parts) else None


def _price_in(document: dict[str, Any], path: str, faults: _Faults) -> PriceRule | None:
    when = faults.reader.condition(document["when"], f"{path}.when")
    price = from_dict(Money, document["price"])
    return None if when is None else PriceRule(document["name"], when, price)
