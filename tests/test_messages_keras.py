"""Keras's templates: each is raised with the installed release, found by itself, and tells the true sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from support.templates import check_example, check_seen, name, of_other_releases, raised, raised_by

from shapewatch.messages.keras import TEMPLATES
from shapewatch.messages.nouns import Template
from shapewatch.messages.tables import found

NAMES = {"keras": keras, "layers": layers, "ops": ops, "np": np, "tf": tf}

COMPUTED: Mapping[str, tuple[int, ...]] = {
    "layers.Conv2D(8, 3)(np.zeros((41": (4,),
    "layers.LSTM(4)(np.zeros((32": (3,),
    "layers.Subtract()": (2,),
    "ops.dot_product_attention": (4,),
    "layers.MaxPooling2D()": (2,),
    "ops.transpose(keras.Input((4, 6)), (0, 2))": (3,),
    "keras.applications.ResNet50": (32,),
    "keras.applications.VGG16": (224,),
    "decode_predictions": (1000,),
    "load_own_variables({})": (0,),
    "rgb_to_grayscale": (3,),
}
"""Sizes that an example does not name: the layer computes them, or asks for them itself. By words of the example."""


def computed(template: Template) -> tuple[int, ...]:
    return next((sizes for words, sizes in COMPUTED.items() if words in template.example), ())


@pytest.mark.parametrize("template", raised_by(TEMPLATES), ids=name)
def test_is_raised_found_and_true(template: Template) -> None:
    check_example(template, NAMES, computed(template))


@pytest.mark.parametrize("template", of_other_releases(TEMPLATES), ids=name)
def test_of_other_releases_is_found(template: Template) -> None:
    check_seen(template)


RAISED: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    (
        "x = keras.Input((30, 30, 5))\nlayers.Add()([layers.Conv2D(5, 3, 2)(x), x])",
        "elementwise",
        {"left": (14, 14, 5), "right": (30, 30, 5)},
    ),
    (
        "layers.Concatenate()([keras.Input((31, 6)), keras.Input((30, 9))])",
        "concat",
        {"inputs": ((None, 31, 6), (None, 30, 9))},
    ),
    (
        "layer = layers.BatchNormalization(); layer.build((None, 12))\nlayer(np.zeros((5, 13)))",
        "layer-width",
        {"layer": "batch_normalization", "axis": -1, "expected": 12, "input": (5, 13)},
    ),
    ("layers.GRU(7)(np.zeros((6, 11)))", "rank", {"layer": "gru", "expected": 3, "got": 2, "input": (6, 11)}),
    (
        "layers.Conv2D(7, 5)(keras.Input((4, 20, 2)))",
        "window",
        {"input": (None, 4, 20, 2), "weight": (5, 5, 2, 7)},
    ),
    ("layers.Reshape((6, 7))(keras.Input((43,)))", "reshape", {"input": (43,), "shape": (6, 7)}),
    ("layers.Reshape((-1, 7))(keras.Input((43,)))", "reshape", {"input": (43,), "shape": (None, 7)}),
    (
        "keras.losses.BinaryCrossentropy()(np.zeros((6, 1)), np.zeros((6, 2)))",
        "target-shape",
        {"target": (6, 1), "output": (6, 2)},
    ),
    (
        "keras.losses.SparseCategoricalCrossentropy()(np.zeros((6, 4)), np.zeros((6, 4)))",
        "target-rank",
        {"target": (6, 4), "output": (6, 4)},
    ),
    (
        "m = keras.Sequential([keras.Input((3,)), layers.Dense(2)]); m.compile('sgd', 'mse')\n"
        "m.fit(np.zeros((21, 3)), np.zeros((20, 2)), verbose=0)",
        "data-lengths",
        {"x": 21, "y": 20},
    ),
    (
        "layer = layers.Dense(4); layer.build((None, 3))\nlayer.set_weights([np.zeros((3, 6)), np.zeros(4)])",
        "weights",
        {"parameter": "dense", "model": (3, 4), "checkpoint": (3, 6)},
    ),
    (
        "x = layers.Flatten()(keras.Input((None, None, 3)))\nlayers.Dense(4, name='head')(x)",
        "unknown-size",
        {"parameter": "head/kernel", "weight": (None, 4)},
    ),
)
"""What people do, and all that has to be read of it."""


@pytest.mark.parametrize(("code", "fault", "facts"), RAISED, ids=[code for code, _, _ in RAISED])
def test_reads(code: str, fault: str, facts: Mapping[str, Any]) -> None:
    keras.backend.clear_session()
    first = found(raised(code, NAMES))[0]
    assert (first.framework, first.fault) == ("keras", fault)
    assert {fact: first.facts.get(fact) for fact in facts} == facts


def test_the_layer_and_its_wrappers_names_are_told_apart() -> None:
    nested = "m = keras.Sequential([layers.Conv2D(4, 3, name='stem')], name='net'); m.build((None, 8, 8, 3))\n"
    assert found(raised(f"{nested}m(np.zeros((1, 8, 8, 1)))", NAMES))[0].facts["layer"] == "stem"


ORDINARY = (
    "ValueError: Unknown layer: 'Attention'. Please ensure you are using a `keras.utils.custom_object_scope`",
    "ValueError: No gradients provided for any variable.",
    "ValueError: You must call `compile()` before calling `fit()`.",
    "ValueError: Layer 'dense' looks like it has unbuilt state, but Keras is not able to trace the layer",
    "ValueError: The filename must end in `.weights.h5`. Received: filepath=model.h5",
    "ValueError: Could not interpret optimizer identifier: adamw2",
    "ValueError: The layer sequential has never been called and thus has no defined input.",
    "ValueError: Unrecognized keyword arguments passed to Dense: {'input_size': 3}",
    "ValueError: Unrecognized data type: x=[...] (of type <class 'list'>)",
    "TypeError: Could not locate class 'Functional'. Make sure custom classes are decorated",
    'AttributeError: The layer "dense" has never been called and thus has no defined output shape.',
    "UserWarning: Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models",
    "UserWarning: Your input ran out of data; interrupting training.",
    "UserWarning: Skipping variable loading for optimizer 'adam', because it has 14 variables whereas the saved "
    "optimizer has 2 variables.",
    "Model: 'sequential'  dense (Dense)  (None, 10)  7,850  Total params: 7,850 (30.66 KB)",
    "Epoch 3/10 391/391 - 12s 31ms/step - accuracy: 0.91 - loss: 0.28 - val_loss: 0.31",
    "Found 2000 images belonging to 2 classes. image_size=(150, 150), batch_size=32",
    "conv2d_1 (Conv2D)   (None, 26, 26, 32)   320   input_shape=(28, 28, 1)",
)
"""Errors, warnings and lines of logs that speak of layers and sizes, and are of no shape that does not fit."""


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not_read(text: str) -> None:
    assert [one.template.text for one in found(text)] == []
