"""The templates of everything else: raised where the library is installed, else found in the wording of its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp
from support.templates import check_example, check_seen, name, of_other_releases, raised, raised_by

from shapewatch.messages.nouns import Template
from shapewatch.messages.others import FRAMEWORK_TEMPLATES
from shapewatch.messages.tables import found

NAMES = {"np": np, "jax": jax, "jnp": jnp}
TEMPLATES = tuple(template for table in FRAMEWORK_TEMPLATES.values() for template in table)

COMPUTED: Mapping[str, tuple[int, ...]] = {}
"""Sizes that an example does not name: the function computes them, or asks for them itself. By words of the example."""


def computed(template: Template) -> tuple[int, ...]:
    return next((sizes for words, sizes in COMPUTED.items() if words in template.example), ())


@pytest.mark.parametrize("template", raised_by(TEMPLATES), ids=name)
def test_is_raised_found_and_true(template: Template) -> None:
    check_example(template, NAMES, computed(template))


@pytest.mark.parametrize("template", of_other_releases(TEMPLATES), ids=name)
def test_of_other_releases_is_found(template: Template) -> None:
    check_seen(template)


RAISED: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("np.zeros((6, 5)) * np.zeros((6, 4))", "elementwise", {"left": (6, 5), "right": (6, 4)}),
    ("np.zeros((6, 5)) @ np.zeros((4, 7))", "matmul", {"a": 5, "b": 4}),
    ("np.vstack([np.zeros((6, 5)), np.zeros((6, 4))])", "concat", {"expected": 5, "got": 4}),
    ("np.zeros(43).reshape(-1, 6)", "reshape", {"count": 43, "shape": (6,)}),
    ("x = np.zeros((6, 5)); x[:, 0] = np.zeros(7)", "expand", {"given": (7,), "target": (6,)}),
    ("jnp.zeros((6, 5)) @ jnp.zeros((4, 7))", "matmul", {"a": 5, "b": 4}),
    ("jnp.hstack([jnp.zeros((6, 5)), jnp.zeros((7, 5))])", "concat", {"axis": 1, "inputs": ((6, 5), (7, 5))}),
)


@pytest.mark.parametrize(("code", "fault", "facts"), RAISED, ids=[code for code, _, _ in RAISED])
def test_reads(code: str, fault: str, facts: Mapping[str, Any]) -> None:
    first = found(raised(code, NAMES))[0]
    assert first.fault == fault
    assert {fact: first.facts.get(fact) for fact in facts} == facts


ORDINARY = (
    "numpy.linalg.LinAlgError: Singular matrix",
    "ValueError: could not convert string to float: '3x224x224'",
    "ValueError: The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()",
    "RuntimeWarning: invalid value encountered in divide",
    "jax.errors.TracerArrayConversionError: The numpy.ndarray conversion method __array__() was called on float32[3,4]",
    "jax.errors.ConcretizationTypeError: Abstract tracer value encountered where concrete value is expected",
    "onnxruntime.capi.onnxruntime_pybind11_state.NoSuchFile: [ONNXRuntimeError] : 3 : NO_SUCHFILE : Load model failed",
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Conv node. Name:'Conv_0' Status"
    " Message: CUDA failure 2: out of memory",
    "OSError: Can't load tokenizer for 'model'. If you were trying to load it from a hub, make sure the name is right",
    "Token indices sequence length is longer than the specified maximum sequence length for this model (600 > 512).",
    "Some weights of Net were not initialized from the model checkpoint and are newly initialized: ['head.weight']",
    "sklearn.exceptions.NotFittedError: This StandardScaler instance is not fitted yet.",
    "cv2.error: (-215:Assertion failed) !_src.empty() in function 'cvtColor'",
    "KeyError: \"None of [Index(['x', 'y'])] are in the [columns]\"",
)
"""Errors, warnings and lines of logs of these libraries, of no shape that does not fit."""


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not_read(text: str) -> None:
    assert [one.template.text for one in found(text)] == []
