"""Models as files of arrays, and as plain JSON values: no pickle, no customers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import BadDocument, WrongType
from crmcore.idic.customize.recommending.model import RecommenderModel
from crmcore.idic.customize.recommending.scorers import FactorScorer, WeightScorer

__all__ = ["load_model", "model_from_dict", "model_to_dict", "save_model"]

FORMAT = 1
_HINT = "write it with save_model or model_to_dict of the same version of crmcore"


def save_model(model: RecommenderModel, path: str | Path, /, *, per_item: int | None = None) -> Path:
    """Write a model to one file of arrays (numpy `.npz`, no pickle); it holds no customers.

    Parameters
    ----------
    model : with a scorer of the house
    path : of the file
    per_item : count, optional
        Keep only so many weights of each item, the largest by size; 200 keep nearly all of the quality in a fraction of
        the memory. None keeps all.

    Notes
    -----
    Arrays: `about` (JSON text: format, kind, items, recipe, settings, memory_days, n_histories, segments, alpha,
    ridge), `popularity` (items,), `segments` (segments, items), and by kind: "dense" `weights` (items, items);
    "sparse" `data`, `indices`, `indptr` (CSR rows by item of the history); "factors" `factors` (items, f), `gain`
    (items,).
    """
    about, arrays = _plain(pruned(model, per_item) if per_item is not None else model)
    place = Path(path)
    with place.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
    return place


def load_model(path: str | Path, /) -> RecommenderModel:
    """Read what `save_model` wrote.

    Raises
    ------
    BadDocument
        A file of something else, or with arrays missing or of other shapes.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")[()]))
    except (KeyError, ValueError, EOFError) as error:
        raise BadDocument("model file", (f"{type(error).__name__} @ $",), _HINT) from None
    return _made(about, arrays)


def model_to_dict(model: RecommenderModel, /) -> dict[str, Any]:
    """Plain JSON values; for small catalogues, large ones are better off in `save_model`."""
    about, arrays = _plain(model)
    return {**about, "arrays": {name: array.tolist() for name, array in arrays.items()}}


def model_from_dict(document: object, /) -> RecommenderModel:
    """Read what `model_to_dict` wrote."""
    if not isinstance(document, Mapping) or not isinstance(document.get("arrays"), Mapping):
        raise BadDocument("model", ("fields with arrays are expected @ $",), _HINT)
    about = {name: value for name, value in document.items() if name != "arrays"}
    kinds: dict[str, Any] = {"weights": np.float32, "data": np.float32, "indices": np.intp, "indptr": np.intp}
    try:
        arrays = {k: np.array(v, kinds.get(k, np.float64)) for k, v in document["arrays"].items()}
    except (TypeError, ValueError):
        raise BadDocument("model", ("arrays of numbers are expected @ $.arrays",), _HINT) from None
    return _made(about, arrays)


def pruned(model: RecommenderModel, per_item: int, /) -> RecommenderModel:
    """Model with the largest weights of each item only, sparse."""
    import attrs
    from scipy.sparse import csr_matrix

    weights = _weights_of(model).weights
    dense = weights if isinstance(weights, np.ndarray) else weights.toarray()
    size = np.abs(dense)
    if per_item < len(dense):
        least = np.partition(size, len(dense) - per_item, axis=0)[len(dense) - per_item]
        dense = np.where(size >= least, dense, np.float32(0))
    return attrs.evolve(model, scorer=WeightScorer(csr_matrix(dense)))


def _weights_of(model: RecommenderModel) -> WeightScorer:
    if not isinstance(model.scorer, WeightScorer):
        raise WrongType("scorer", f"a {type(model.scorer).__name__}", "weights between items", "leave per_item out")
    return model.scorer


def _plain(model: RecommenderModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    scorer = model.scorer
    arrays: dict[str, NDArray[Any]] = {"popularity": model.popularity}
    about: dict[str, Any] = {
        "format": FORMAT, "items": list(model.items), "recipe": model.recipe, "settings": dict(model.settings),
        "memory_days": model.memory_days, "n_histories": model.n_histories, "segments": list(model.segments),
    }  # fmt: skip
    if model.segments:
        arrays["segments"] = np.stack(list(model.segments.values()))
    if isinstance(scorer, WeightScorer) and isinstance(scorer.weights, np.ndarray):
        about["kind"], arrays["weights"] = "dense", scorer.weights
    elif isinstance(scorer, WeightScorer):
        about["kind"] = "sparse"
        arrays |= {name: getattr(scorer.weights, name) for name in ("data", "indices", "indptr")}
    elif isinstance(scorer, FactorScorer):
        about |= {"kind": "factors", "alpha": scorer.alpha, "ridge": scorer.ridge}
        arrays |= {"factors": scorer.factors, "gain": scorer.gain}
    else:
        hint = "only models of the house are saved here: save yours by its own means"
        raise WrongType("scorer", f"a {type(scorer).__name__}", "weights or factors", hint)
    return about, arrays


def _made(about: Any, arrays: dict[str, NDArray[Any]]) -> RecommenderModel:
    try:
        if about["format"] != FORMAT:
            raise BadDocument("model", (f"format {about['format']}, not {FORMAT} @ $.format",), _HINT)
        items = tuple(map(str, about["items"]))
        n = len(items)
        segments = arrays["segments"] if about["segments"] else np.zeros((0, n))
        scorer = _scorer(about, arrays, n)
        shapes = {"popularity": (n,), "segments": (len(about["segments"]), n)}
        _fits({"popularity": arrays["popularity"], "segments": segments}, shapes)
        return RecommenderModel(
            items=items, scorer=scorer, popularity=arrays["popularity"].astype(np.float64),
            segments=dict(zip(about["segments"], segments, strict=True)), recipe=about["recipe"],
            settings=about["settings"], memory_days=about["memory_days"], n_histories=about["n_histories"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, BadDocument):
            raise
        raise BadDocument("model", (f"{type(error).__name__}: {error} @ $",), _HINT) from None


def _scorer(about: Any, arrays: dict[str, NDArray[Any]], n: int) -> WeightScorer | FactorScorer:
    from scipy.sparse import csr_matrix

    if about["kind"] == "dense":
        _fits(arrays, {"weights": (n, n)})
        return WeightScorer(arrays["weights"].astype(np.float32))
    if about["kind"] == "sparse":
        parts = (arrays["data"].astype(np.float32), arrays["indices"], arrays["indptr"])
        return WeightScorer(csr_matrix(parts, shape=(n, n)))
    if about["kind"] != "factors":
        raise BadDocument("model", ("expected one of dense, sparse, factors @ $.kind",), _HINT)
    _fits(arrays, {"factors": (n, arrays["factors"].shape[-1]), "gain": (n,)})
    return FactorScorer(arrays["factors"], arrays["gain"], float(about["alpha"]), float(about["ridge"]))


def _fits(arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    odd = tuple(f"shape {arrays[k].shape}, not {s} @ $.{k}" for k, s in shapes.items() if arrays[k].shape != s)
    if odd:
        raise BadDocument("model", odd, _HINT)
