"""Layers that no line of the watched block makes: what is written for them says all that they were made with."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import shapewatch
from shapewatch.adapters.keras import made_elsewhere
from shapewatch.adapters.keras.edit import twin
from shapewatch.adapters.keras.settings import constructions

Program = Callable[[str], ModuleType]

LAYERS: list[Callable[[], Any]] = [
    lambda: layers.Dense(7),
    lambda: layers.Dense(7, activation="relu", use_bias=False),
    lambda: layers.Dense(7, activation=keras.activations.softmax, kernel_constraint="max_norm"),
    lambda: layers.Dense(7, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01), kernel_regularizer="l2"),
    lambda: layers.Dense(7, trainable=False, dtype="float16"),
    lambda: layers.EinsumDense("abc,cd->abd", (None, 7), bias_axes="d"),
    lambda: layers.Conv1D(7, 5, padding="causal", dilation_rate=2, activation="tanh"),
    lambda: layers.Conv2D(7, (3, 5), strides=2, padding="same", data_format="channels_first"),
    lambda: layers.Conv2D(7, 3, kernel_initializer="he_normal", kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2)),
    lambda: layers.Conv2DTranspose(7, 3, strides=2, padding="same", output_padding=1),
    lambda: layers.DepthwiseConv2D(3, depth_multiplier=2),
    lambda: layers.SeparableConv1D(7, 3, activation="relu"),
    lambda: layers.MaxPooling2D(3),
    lambda: layers.MaxPooling1D(3, strides=1, padding="same"),
    lambda: layers.GlobalAveragePooling1D(keepdims=True),
    lambda: layers.LSTM(7, return_sequences=True, dropout=0.2, go_backwards=True),
    lambda: layers.GRU(7, return_state=True, reset_after=False),
    lambda: layers.Bidirectional(layers.LSTM(7, activation="relu"), merge_mode="sum"),
    lambda: layers.TimeDistributed(layers.Dense(7, activation="relu")),
    lambda: layers.RNN(layers.GRUCell(7), return_sequences=True),
    lambda: layers.ConvLSTM2D(7, 3, padding="same"),
    lambda: layers.Embedding(30, 7, mask_zero=True),
    lambda: layers.MultiHeadAttention(2, 7, value_dim=5, dropout=0.1),
    lambda: layers.BatchNormalization(axis=1, momentum=0.9),
    lambda: layers.LayerNormalization(epsilon=1e-6),
    lambda: layers.GroupNormalization(4),
    lambda: layers.ReLU(6.0),
    lambda: layers.Dropout(0.3),
    lambda: layers.Concatenate(axis=1),
    lambda: layers.Reshape((7, 2)),
    lambda: layers.UpSampling2D(3, interpolation="bilinear"),
    lambda: layers.ZeroPadding2D(((0, 1), (2, 3))),
    lambda: layers.Resizing(8, 9),
    lambda: layers.RandomRotation(0.1, fill_mode="constant"),
]


def same(config: Any) -> Any:
    """A config without names that were counted, and with tuples for lists."""
    if isinstance(config, dict):
        return {key: same(value) for key, value in config.items() if key not in ("name", "build_config")}
    return tuple(map(same, config)) if isinstance(config, list | tuple) else config


@pytest.mark.parametrize("make", LAYERS, ids=lambda make: type(make()).__name__)
def test_the_code_makes_the_same_layer(make: Callable[[], Any]) -> None:
    layer = make()
    code = constructions([layer])[id(layer)]
    again = eval(code, {"layers": layers, "keras": keras})
    assert same(again.get_config()) == same(layer.get_config())


def test_the_code_says_no_default() -> None:
    plain = [layers.Dense(7), layers.LSTM(7), layers.Conv2D(7, 3), layers.Bidirectional(layers.GRU(7))]
    assert list(constructions(plain).values()) == [
        "layers.Dense(7)",
        "layers.LSTM(7)",
        "layers.Conv2D(7, 3)",
        "layers.Bidirectional(layers.GRU(7))",
    ]


class Own(layers.Dense):
    pass


def test_there_is_no_code_for_what_cannot_be_written() -> None:
    layer = layers.Dense(7, activation=lambda x: x * 2)
    assert constructions([layer]) == {id(layer): ""}
    assert constructions([Own(7)]) == {}


def test_asking_for_the_code_changes_no_name_and_draws_nothing() -> None:
    keras.backend.clear_session()
    layer, state = layers.Dense(7, kernel_initializer="he_normal"), repr(np.random.get_state())
    constructions([layer])
    twin(layer, {})
    assert layers.Dense(7).name == "dense_1" and repr(np.random.get_state()) == state


# In a program


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A file of a program's own, imported before the watch begins. The program consists of such files alone: the other
    tests, which are in this process as well, say of layers what they like."""
    names: list[str] = []
    monkeypatch.setattr(made_elsewhere, "_files", lambda: [str(sys.modules[name].__file__) for name in names])

    def imported(source: str) -> ModuleType:
        name = f"elsewhere_{len(names)}_{tmp_path.name}".replace("-", "_")
        path = tmp_path / f"{name}.py"
        path.write_text("import keras\nimport tensorflow as tf\nfrom keras import layers\n" + source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield imported
    for name in names:
        del sys.modules[name]


def first_fix(model: Any, *given: Any) -> Any:
    with pytest.raises(Exception), (session := shapewatch.watch()):  # noqa: B017
        model.fit(*given, verbose=0)
    return session.report.diagnoses[0].fixes[0], session.report.diagnoses[0]


TAIL = """
model = keras.Sequential([keras.Input((6,)), layers.Dense(11, activation="relu"), {}])
model.compile("sgd", "mse")
"""


@pytest.mark.parametrize(
    "line, code",
    [
        (
            'layers.Dense(13, activation="relu", name="head")',
            'layers.Dense(2, activation="relu", name="head")  # units was 13',
        ),
        (
            "layers.Dense(13, tf.nn.relu, kernel_initializer=keras.initializers.HeNormal())",
            "layers.Dense(2, tf.nn.relu, kernel_initializer=keras.initializers.HeNormal())  # units was 13",
        ),
    ],
)
def test_the_users_line_in_another_file(program: Program, line: str, code: str) -> None:
    module = program(TAIL.replace(", {}", ",\n    {}").format(line))
    fix, diagnosis = first_fix(module.model, np.zeros((4, 6)), np.zeros((4, 2)))
    assert fix.code == code
    assert diagnosis.cause.location.file == module.__file__


TWO = '[layers.Dense(13, activation="relu"), layers.Dense(13, activation="relu")][-1]'

NOT_TOLD = ['layers.Dense(width, activation="relu")', TWO, 'getattr(layers, "Dense")(13, "relu")']


@pytest.mark.parametrize("line", NOT_TOLD)
def test_all_settings_where_no_line_certainly_says_it(program: Program, line: str) -> None:
    module = program("width = 13" + TAIL.format(line))
    fix, diagnosis = first_fix(module.model, np.zeros((4, 6)), np.zeros((4, 2)))
    assert fix.code.startswith('layers.Dense(2, activation="relu")')
    ast.parse(fix.code)
    assert diagnosis.cause is None or diagnosis.cause.location is None or TWO not in str(diagnosis.cause.location)


# A softmax over one number


ALONE = [
    ('layers.Dense(2, activation="softmax")', 'layers.Dense(1, activation="sigmoid")'),
    ("layers.Dense(2, activation=tf.nn.softmax)", "layers.Dense(1, activation=tf.nn.sigmoid)"),
    ("layers.Dense(2, activation=keras.activations.softmax)", "layers.Dense(1, activation=keras.activations.sigmoid)"),
    ("layers.Dense(2, softmax)", 'layers.Dense(1, "sigmoid")'),
]


@pytest.mark.parametrize("line, code", ALONE)
def test_only_the_activation_of_the_layer_is_exchanged(program: Program, line: str, code: str) -> None:
    build = f"""
from keras.activations import softmax
def build(softmax_in):
    softmax_out = {line}(softmax_in)
    model = keras.Model(softmax_in, softmax_out)
    model.compile("sgd", "binary_crossentropy")
    return model
"""
    module = program(build)
    with pytest.raises(ValueError), (session := shapewatch.watch()):
        module.build(keras.Input((6,))).fit(np.zeros((4, 6)), np.zeros((4, 1)), verbose=0)
    fix = next(fix for fix in session.report.diagnoses[0].fixes if "units" in fix.title)
    note = '# units was 2; activation was "softmax": of one number a softmax is always 1'
    assert fix.code == f"softmax_out = {code}(softmax_in)  {note}"
    assert [(e["argument"], e["value"]) for e in fix.edit["edits"]] == [("units", 1), ("activation", "sigmoid")]
    assert all(e["action"] == "set" for e in fix.edit["edits"])


def test_another_activation_stays(program: Program) -> None:
    module = program(TAIL.format('layers.Dense(2, activation="tanh", name="softmax")'))
    module.model.compile("sgd", "binary_crossentropy")
    fix, _ = first_fix(module.model, np.zeros((4, 6)), np.zeros((4, 1)))
    assert fix.edit["argument"] == "units" and 'activation="tanh", name="softmax"' in fix.code


def doubled(x: Any) -> Any:
    return x * 2


@pytest.mark.parametrize("function", [doubled, tf.nn.softmax])
def test_a_layer_with_a_function_of_no_known_name_is_made_again(function: Any) -> None:
    dense = layers.Dense(2, activation=function)
    again = twin(dense, {"out_features": 3})
    assert again.units == 3 and again.activation is dense.activation
