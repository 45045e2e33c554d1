"""Linear classifiers of texts: columns, weights, fit, errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from crmcore.text import tokenize
from crmcore.text.logistic import Block, fit_blocks, softmax
from crmcore.text.parts import NgramColumns, balanced


def test_columns_of_several_parts_are_told_apart():
    first, second = tokenize(["a b", "a"]).normalised(), tokenize(["b", "b a"]).normalised()
    columns = NgramColumns.fit({"left": first, "right": second}, least_texts=2)
    assert columns.names == ("left: a", "right: b")
    assert columns.matrix({"left": first, "right": second}).toarray().tolist() == [[1, 1], [1, 1]]
    assert NgramColumns.from_dict(columns.to_dict()) == columns


def test_unknown_words_and_no_columns_give_empty_rows():
    batch = tokenize(["a", "b"]).normalised()
    columns = NgramColumns.fit({"all": batch}, least_texts=5)
    assert columns.matrix({"all": batch}).shape == (2, 0)
    known = NgramColumns.fit({"all": batch}, least_texts=1)
    assert known.matrix({"all": tokenize(["z", ""]).normalised()}).toarray().tolist() == [[0, 0], [0, 0]]


def test_the_fit_is_at_the_optimum():
    rng = np.random.default_rng(0)
    x, y = csr_array(rng.normal(size=(80, 4))), rng.integers(0, 3, 80)
    (w,), (b,) = fit_blocks([Block(x, 0.5)], y, 3, intercept_penalty=0.0)
    p = softmax(x @ w + b) - np.eye(3)[y]
    assert np.abs(x.T @ p + 0.5 * w).max() < 1e-2
    assert np.abs(p.sum(axis=0)).max() < 1e-2


def test_weights_level_classes():
    y = np.array([0] * 9 + [1])
    weights = balanced(y, classes=2)
    assert weights[y == 0].sum() == pytest.approx(weights[y == 1].sum())
    assert balanced(y, classes=2, strength=0).tolist() == [1] * 10
