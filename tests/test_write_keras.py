"""Edits as Keras code: the user's own line where there is one, and data that a config can be edited with."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from shapewatch.adapters import Written
from shapewatch.adapters.keras.edit import build
from shapewatch.adapters.keras.kinds import kind_of_layer, layer_facts
from shapewatch.adapters.keras.settings import constructions
from shapewatch.adapters.keras.write import write
from shapewatch.adapters.operand import with_operand
from shapewatch.edits import Input, Insert, Module, Replace, Set, SetCall
from shapewatch.recording import Call, Layer, Recording, Span, TensorSpec, Value

File = Callable[..., Path]


@pytest.fixture
def file(tmp_path: Path) -> File:
    """A program of these lines; linecache and the cache of statements know a file by its name."""

    def written(*lines: str) -> Path:
        path = tmp_path / "model.py"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return written


def span(path: Path, line: int, function: str = "build") -> Span:
    return Span(str(path), line, path.read_text(encoding="utf-8").splitlines()[line - 1].strip(), function)


def record(layer: Any, path: str, defined: Span | None = None, name: str = "") -> Layer:
    """A layer as the adapter records it."""
    kind = kind_of_layer(layer)
    facts = layer_facts(layer, kind)
    leaf = kind is not None
    known = Layer(path, type(layer).__name__, kind or "module", facts, leaf=leaf, defined=defined, name=name)
    return replace(known, made_by=constructions([layer]).get(id(layer), ""))


def recording(*known: Layer, calls: tuple[Call, ...] = (), given: tuple[Any, ...] = ()) -> Any:
    values = tuple(Value(n, TensorSpec(shape), "input") for n, shape in enumerate(given))
    return Recording("keras", values, calls, known, inputs=tuple(range(len(values))))


def one_line(file: File, line: str, layer: Any, path: str | None = None) -> Recording:
    return recording(record(layer, layer.name if path is None else path, span(file(line), 1)))


def set_in(known: Recording, argument: str, value: Any) -> Written:
    layer = known.layers[0]
    written = write(Set(layer.path, argument, value, layer.facts.get(argument)), known)
    assert parses(written.code)
    return written


def parses(code: str) -> bool:
    """Whether it is Python, and not only a comment."""
    return bool(ast.parse(code).body)


def obeyed(edit: Any, layer: Any) -> Any:
    """The layer that a reader of `Fix.edit` makes, who knows Keras and nothing of shapewatch."""
    config = layer.get_config()
    assert edit["argument"] in config
    return type(layer).from_config(config | {edit["argument"]: edit["value"]})


def constructed(module: Any) -> Any:
    """The same for a module."""
    if module["type"] == "Sequential":
        return keras.Sequential([constructed(part) for part in module["arguments"]["layers"]])
    return getattr(layers, module["type"])(**module["arguments"])


# One argument of a layer: the user's own line


LINES: list[tuple[str, Any, str, Any, str]] = [
    ('x = layers.Conv2D(128, 3, strides=1, padding="same")(x)', layers.Conv2D(128, 3, padding="same"),
     "stride", (2, 2), 'x = layers.Conv2D(128, 3, strides=2, padding="same")(x)  # strides was 1'),
    ('x = layers.Conv2D(128, 3, padding="same")(x)  # main', layers.Conv2D(128, 3, padding="same"),
     "stride", (1, 2), 'x = layers.Conv2D(128, 3, padding="same", strides=(1, 2))(x)  # strides was 1'),
    ("x = keras.layers.Conv2D(filters=64, kernel_size=(3, 3))(x)", layers.Conv2D(64, 3),
     "out_channels", 32, "x = keras.layers.Conv2D(filters=32, kernel_size=(3, 3))(x)  # filters was 64"),
    ("x = layers.Conv2D(64, [3, 3], 2)(x)", layers.Conv2D(64, 3, 2),
     "stride", (1, 1), "x = layers.Conv2D(64, [3, 3], 1)(x)  # strides was 2"),
    ("self.conv1 = Conv2D(64, 3, activation='relu', name='first')", layers.Conv2D(64, 3, activation="relu"),
     "padding", "same",
     "self.conv1 = Conv2D(64, 3, activation='relu', name='first', padding=\"same\")  # padding was \"valid\""),
    ("x = layers.MaxPool2D()(x)", layers.MaxPooling2D(),
     "stride", (1, 1), "x = layers.MaxPool2D(strides=1)(x)  # strides was 2"),
    ("x = layers.MaxPooling2D(3, 2)(x)", layers.MaxPooling2D(3, 2),
     "kernel_size", (2, 2), "x = layers.MaxPooling2D(2, 2)(x)  # pool_size was 3"),
    ("self.fc = layers.Dense(10)", layers.Dense(10),
     "out_features", 12, "self.fc = layers.Dense(12)  # units was 10"),
    ("x = layers.Dense(64, activation=tf.nn.relu)(layers.Flatten()(x))", layers.Dense(64),
     "out_features", 32, "x = layers.Dense(32, activation=tf.nn.relu)(layers.Flatten()(x))  # units was 64"),
    ("x = layers.Embedding(100, 32)(tokens)", layers.Embedding(100, 32),
     "embedding_dim", 64, "x = layers.Embedding(100, 64)(tokens)  # output_dim was 32"),
    ("x = layers.LSTM(32)(x)", layers.LSTM(32),
     "return_sequences", True, "x = layers.LSTM(32, return_sequences=True)(x)  # return_sequences was False"),
    ("x = layers.Concatenate(axis=1)([x, skip])", layers.Concatenate(axis=1),
     "dim", -1, "x = layers.Concatenate(axis=-1)([x, skip])  # axis was 1"),
    ("x = layers.UpSampling2D()(x)", layers.UpSampling2D(),
     "scale_factor", (4.0, 4.0), "x = layers.UpSampling2D(size=4)(x)  # size was 2"),
    ("x = layers.ZeroPadding2D(1)(x)", layers.ZeroPadding2D(1),
     "pad", (0, 0, 0, 1, 0, 1), "x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)  # padding was ((1, 1), (1, 1))"),
    ("x = layers.Reshape((4, 4))(x)", layers.Reshape((4, 4)),
     "shape", (8, 8), "x = layers.Reshape((8, 8))(x)  # target_shape was (4, 4)"),
    ("x = layers.DepthwiseConv2D(3, padding='same')(x)", layers.DepthwiseConv2D(3, padding="same"),
     "stride", (2, 2), "x = layers.DepthwiseConv2D(3, padding='same', strides=2)(x)  # strides was 1"),
    ("x = layers.Conv2D(64, 3, padding='SAME')(x)", layers.Conv2D(64, 3, padding="SAME"),
     "groups", 4, "x = layers.Conv2D(64, 3, padding='SAME', groups=4)(x)  # groups was 1"),
    ("    x = layers.Conv2D(64, 3, activation=ö, strides=1)(ä)", layers.Conv2D(64, 3),
     "stride", (2, 2), "x = layers.Conv2D(64, 3, activation=ö, strides=2)(ä)  # strides was 1"),
]  # fmt: skip


@pytest.mark.parametrize("line, layer, argument, value, code", LINES, ids=[row[-1] for row in LINES])
def test_the_line_that_makes_a_layer(file: File, line: str, layer: Any, argument: str, value: Any, code: str) -> None:
    indented = ("def build(x):", line) if line.startswith(" ") else (line,)
    known = recording(record(layer, layer.name, span(file(*indented), len(indented))))
    written = set_in(known, argument, value)
    assert written.code == code
    assert written.edit["action"] == "set"
    assert written.edit["layer"] == written.edit["name"] == layer.name
    made = obeyed(written.edit, layer)
    assert layer_facts(made, kind_of_layer(made))[argument] == value


def test_a_line_of_several_lines(file: File) -> None:
    path = file(
        "def build(x):",
        "    x = layers.Conv2D(",
        "        64,",
        "        3,",
        '        padding="same",',
        "    )(x)",
        "    return x",
    )
    known = recording(record(layers.Conv2D(64, 3, padding="same"), "conv2d", span(path, 2)))
    assert set_in(known, "stride", (2, 2)).code.splitlines() == [
        "x = layers.Conv2D(",
        "    64,",
        "    3,",
        '    padding="same", strides=2,',
        ")(x)  # strides was 1",
    ]


def test_one_layer_of_a_list(file: File) -> None:
    path = file("model = keras.Sequential([", "    layers.Conv2D(8, 3),", "    layers.Flatten(),", "])")
    known = recording(record(layers.Conv2D(8, 3), "conv2d", span(path, 2)))
    assert set_in(known, "stride", (2, 2)).code == "layers.Conv2D(8, 3, strides=2)  # strides was 1"


def test_two_changes_of_one_layer_are_one_line(file: File) -> None:
    """Several edits of a layer come one by one, each with a recording in which all of them are made."""
    known = one_line(file, "x = layers.Conv2D(64, 3, activation='relu')(x)", layers.Conv2D(64, 3))
    merged = replace(known.layers[0], facts={**known.layers[0].facts, "stride": (2, 2), "out_channels": 32})
    written = write(Set("conv2d", "stride", (2, 2), (1, 1)), replace(known, layers=(replace(merged, path="conv2d"),)))
    assert written.code == "x = layers.Conv2D(32, 3, activation='relu', strides=2)(x)  # strides was 1"


# One argument of a layer: written anew


def of_several(file: File, line: str, layer: Any, other: Any) -> Recording:
    """A line of a function, or of a loop, that makes both layers."""
    defined = span(file(line), 1)
    return recording(record(layer, layer.name, defined), record(other, other.name, defined))


def test_a_line_that_makes_several_layers_is_written_for_one_of_them(file: File) -> None:
    line = "x = layers.Conv2D(filters, 3, strides=stride, padding='same', activation=act, name=name + '_conv')(x)"
    conv = layers.Conv2D(128, 3, padding="same", name="conv3_block1_1_conv")
    other = layers.Conv2D(128, 3, padding="same", name="conv3_block2_1_conv")
    written = set_in(of_several(file, line, conv, other), "stride", (2, 2))
    assert written.code == (
        "layers.Conv2D(128, 3, strides=2, padding='same', activation=act, name=\"conv3_block1_1_conv\")"
        "  # strides was 1"
    )
    assert written.title == "conv3_block1_1_conv: strides 2 instead of 1"
    assert written.edit == {
        "action": "set",
        "layer": "conv3_block1_1_conv",
        "name": "conv3_block1_1_conv",
        "argument": "strides",
        "value": 2,
    }


def test_a_layer_without_a_name_of_its_own_is_named_beside_it(file: File) -> None:
    known = of_several(
        file, "x = layers.Dense(width)(x)", layers.Dense(8, name="dense"), layers.Dense(8, name="dense_1")
    )
    assert set_in(known, "out_features", 4).code == "layers.Dense(4)  # dense: units was 8"


def test_a_line_that_says_it_for_more_than_this_layer_is_written_for_this_one(file: File) -> None:
    path = file("for stride in (1, 2):", "    x = layers.Conv2D(64, 3, strides=stride)(x)")
    known = recording(record(layers.Conv2D(64, 3, name="conv2d_4"), "conv2d_4", span(path, 2)))
    assert set_in(known, "stride", (2, 2)).code == "layers.Conv2D(64, 3, strides=2)  # conv2d_4: strides was 1"


def test_a_line_that_runs_once_is_changed_also_where_it_has_names(file: File) -> None:
    path = file("filters = 32 * 2", "x = layers.Conv2D(filters, 3, strides=stride)(x)")
    known = recording(record(layers.Conv2D(64, 3, name="conv2d_4"), "conv2d_4", span(path, 2)))
    assert set_in(known, "stride", (2, 2)).code == "x = layers.Conv2D(filters, 3, strides=2)(x)  # strides was 1"


def test_a_change_beside_what_a_line_leaves_open(file: File) -> None:
    """What stands for `filters` may have been changed too: several edits of a layer are written as one."""
    known = one_line(file, "x = layers.Conv2D(filters, 3, strides=1)(x)", layers.Conv2D(64, 3, name="conv2d_4"))
    assert set_in(known, "stride", (2, 2)).code == "layers.Conv2D(64, 3, strides=2)  # conv2d_4: strides was 1"


@pytest.mark.parametrize(
    "line",
    [
        "x = layers.Conv2D(*settings)(x)",
        "x = layers.Conv2D(64, 3, **settings)(x)",
        "x = conv(x)",
        "x = layers.Conv2D(64, 3)(layers.Conv2D(64, 3)(x))",
        "x = layers.Conv2D(64, 3",
    ],
)
def test_a_line_that_does_not_tell_is_left_alone(file: File, line: str) -> None:
    known = one_line(file, line, layers.Conv2D(64, 3, name="conv2d"))
    assert set_in(known, "stride", (2, 2)).code == "layers.Conv2D(64, 3, strides=2)  # conv2d: strides was 1"


def test_a_file_that_changed_since_is_not_quoted(file: File) -> None:
    known = one_line(file, "x = layers.Conv2D(64, 3)(x)", layers.Conv2D(64, 3, name="conv2d"))
    stale = replace(known.layers[0].defined, source="y = something_else(y)")
    known = recording(replace(known.layers[0], defined=stale))
    assert set_in(known, "stride", (2, 2)).code == "layers.Conv2D(64, 3, strides=2)  # conv2d: strides was 1"


class Net(keras.Model):
    pass


class Block(layers.Layer):
    pass


def test_an_attribute_of_the_users_class() -> None:
    net = record(Net(), "")
    conv = record(layers.Conv2D(64, 3, use_bias=False), "conv1", name="conv2d_7")
    written = write(Set("conv1", "stride", 2, 1), recording(net, conv))
    assert written.code == "self.conv1 = layers.Conv2D(64, 3, use_bias=False, strides=2)  # strides was 1"
    assert (written.edit["layer"], written.edit["name"]) == ("conv1", "conv2d_7")


def test_an_attribute_of_one_block_of_several() -> None:
    known = [record(Net(), ""), record(Block(), "stages[0]"), record(Block(), "stages[1]")]
    conv = record(layers.Conv2D(64, 3, name="entry"), "stages[1].conv1", name="entry")
    written = write(Set("stages[1].conv1", "stride", 2, 1), recording(*known, conv))
    assert written.code == 'model.stages[1].conv1 = layers.Conv2D(64, 3, strides=2, name="entry")  # strides was 1'


def test_one_block_of_several_keeps_what_the_users_class_says(file: File) -> None:
    path = file("class Block(layers.Layer):", "    def __init__(self, width):",
                "        self.inner = layers.Dense(width, activation='relu', kernel_initializer=he)")  # fmt: skip
    blocks = [record(Block(), "stages[0]"), record(Block(), "stages[1]")]
    inner = [
        record(layers.Dense(width), f"stages[{n}].inner", span(path, 3), f"dense_{n}") for n, width in enumerate((4, 6))
    ]
    written = write(Set("stages[1].inner", "out_features", 4, 6), recording(record(Net(), ""), *blocks, *inner))
    assert written.code == (
        "model.stages[1].inner = layers.Dense(4, activation='relu', kernel_initializer=he)  # units was 6"
    )


def test_in_a_sequential_model_of_the_users_class() -> None:
    known = [record(Net(), ""), replace(record(keras.Sequential(), "body"), kind="container")]
    dense = record(layers.Dense(64, name="wide"), "body.wide")
    written = write(Set("body.wide", "out_features", 32, 64), recording(*known, dense))
    assert written.code == 'layers.Dense(32, name="wide")  # units was 64'


def test_inside_a_wrapper(file: File) -> None:
    layer = layers.Bidirectional(layers.LSTM(32, return_sequences=True), name="both")
    known = one_line(file, "x = layers.Bidirectional(layers.LSTM(32, return_sequences=True))(x)", layer)
    written = set_in(known, "hidden_size", 64)
    assert written.code == "x = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(x)  # units was 32"
    config = layer.get_config()
    for part in written.edit["within"]:
        config[part]["config"][written.edit["argument"]] = written.edit["value"]
    assert layers.Bidirectional.from_config(config)(np.zeros((2, 5, 3))).shape == (2, 5, 128)


def test_a_size_is_two_settings() -> None:
    layer = layers.Resizing(32, 32, name="resizing")
    written = write(Set("resizing", "size", (64, 48), (32, 32)), recording(record(layer, "resizing")))
    assert written.title == "resizing: height 64 instead of 32; resizing: width 48 instead of 32"
    assert written.code == "layers.Resizing(64, 48)  # resizing: height was 32; width was 32"
    assert [(edit["argument"], edit["value"]) for edit in written.edit["edits"]] == [("height", 64), ("width", 48)]


def test_a_setting_of_the_users_own_layer(file: File) -> None:
    layer = replace(record(Block(), "block"), facts={"width": 3}, defined=span(file("x = Block(width=3)(x)"), 1))
    assert write(Set("block", "width", 4, 3), recording(layer)).code == "x = Block(width=4)(x)  # width was 3"
    elsewhere = write(Set("block", "width", 4, 3), recording(replace(layer, defined=None)))
    assert elsewhere.code == "# block: width 4 instead of 3"


def test_what_keras_has_no_argument_for_is_said_in_our_words() -> None:
    written = write(Set("flatten", "start_dim", 1, 2), recording(record(layers.Flatten(), "flatten")))
    assert written.code == "# flatten: start_dim 1 instead of 2"


# A new layer

LAST = {"rank": 2, "channels_last": True}
CONV = Module("conv", {**LAST, "in_channels": 64, "out_channels": 128, "kernel_size": 1, "stride": 2})
PLAIN = Module("conv", {**LAST, "in_channels": 64, "out_channels": 128, "kernel_size": 1, "stride": 1})
WITH_NORM = Module("sequence", {}, (
    Module("conv", {**CONV.arguments, "bias": False}), Module("norm", {**LAST, "num_features": 128}),
))  # fmt: skip
PAD = Module("pad", {"pad": (0, 0, 1, 0, 0, 1), "channels_last": True})
CROP = Module("pad", {"pad": (0, 0, -1, 0, -2, -1), "channels_last": True})
SHIFT = Module("pad", {"pad": (0, 0, -1, 0, 1, 0), "channels_last": True})
RESIZE = Module("resize", {"size": (32, 30), "channels_last": True})
SUBSAMPLE = Module("subsample_pad", {**LAST, "stride": 2, "channels": 128})


def inserted(file: File, line: str, operand: int, module: Module, function: str = "build") -> Written:
    call = Call(0, "Add", "add", "add", True, None, (), span=span(file(line), 1, function))
    written = write(Insert(call.place, operand, module), recording(calls=(call,)))
    assert parses(written.code)
    assert written.edit | {"module": None} == {
        "action": "insert",
        "layer": "add",
        "junction": "add:Add:0",
        "operand": operand,
        "module": None,
    }
    return written


FUNCTIONAL: list[tuple[str, int, Module, list[str]]] = [
    ("x = layers.Add()([shortcut, x])", 0, WITH_NORM,
     ['shortcut = layers.Conv2D(128, 1, strides=2, padding="same", use_bias=False)(shortcut)',
      "shortcut = layers.BatchNormalization()(shortcut)",
      "x = layers.Add()([shortcut, x])"]),
    ("x = layers.add([x, y])", 1, PLAIN,
     ["shortcut = layers.Conv2D(128, 1)(y)", "x = layers.add([x, shortcut])"]),
    ('x = layers.Activation("relu")(main(x) + x)', 1, CONV,
     ['shortcut = layers.Conv2D(128, 1, strides=2, padding="same")(x)',
      'x = layers.Activation("relu")(main(x) + shortcut)']),
    ("x = join(branches)", 0, CONV,
     ['skip = layers.Conv2D(128, 1, strides=2, padding="same")(skip)', "# skip is the first operand of Add"]),
    ("x = layers.Concatenate()([x, skip])", 1, PAD,
     ["skip = layers.ZeroPadding2D(padding=((0, 1), (1, 0)))(skip)", "x = layers.Concatenate()([x, skip])"]),
    ("x = layers.Concatenate()([x, skip])", 1, CROP,
     ["skip = layers.Cropping2D(cropping=((2, 1), (1, 0)))(skip)", "x = layers.Concatenate()([x, skip])"]),
    ("x = layers.Concatenate()([x, skip])", 1, SHIFT,
     ["skip = layers.Cropping2D(cropping=((0, 0), (1, 0)))(skip)",
      "skip = layers.ZeroPadding2D(padding=((1, 0), (0, 0)))(skip)",
      "x = layers.Concatenate()([x, skip])"]),
    ("x = layers.Concatenate()([x, skip])", 1, RESIZE,
     ["skip = layers.Resizing(32, 30)(skip)", "x = layers.Concatenate()([x, skip])"]),
    ("x = layers.Add()([x, skip])", 1, SUBSAMPLE,
     ["x = layers.Add()([x, keras.ops.pad(skip[:, ::2, ::2, :], "
      "((0, 0), (0, 0), (0, 0), (0, 128 - skip.shape[-1])))])"]),
    ("x = x + residual", 1, Module("linear", {"in_features": 64, "out_features": 32}),
     ["residual = layers.Dense(32)(residual)", "x = x + residual"]),
]  # fmt: skip


@pytest.mark.parametrize("line, operand, module, code", FUNCTIONAL, ids=[f"{r[0]} {r[2].kind}" for r in FUNCTIONAL])
def test_insert_in_a_functional_model(file: File, line: str, operand: int, module: Module, code: list[str]) -> None:
    assert inserted(file, line, operand, module).code.splitlines() == code


SUBCLASSED: list[tuple[str, int, Module, list[str]]] = [
    ("out += identity", 1, WITH_NORM,
     ['self.shortcut = keras.Sequential([layers.Conv2D(128, 1, strides=2, padding="same", use_bias=False), '
      "layers.BatchNormalization()])",
      "out += self.shortcut(identity)"]),
    ("return tf.nn.relu(self.add([out, x]))", 1, CONV,
     ['self.shortcut = layers.Conv2D(128, 1, strides=2, padding="same")',
      "return tf.nn.relu(self.add([out, self.shortcut(x)]))"]),
    ("return self.join(out)", 1, CONV,
     ['self.shortcut = layers.Conv2D(128, 1, strides=2, padding="same")',
      "skip = self.shortcut(skip)  # the second operand of Add"]),
    ("return tf.concat([out, x], axis=-1)", 1, PAD,
     ["return tf.concat([out, keras.ops.pad(x, ((0, 0), (0, 1), (1, 0), (0, 0)))], axis=-1)"]),
    ("return tf.concat([out, x], axis=-1)", 1, CROP,
     ["return tf.concat([out, x[:, 2:-1, 1:, :]], axis=-1)"]),
    ("return tf.concat([out, x], axis=-1)", 1, RESIZE,
     ["return tf.concat([out, keras.ops.image.resize(x, (32, 30))], axis=-1)"]),
]  # fmt: skip


@pytest.mark.parametrize("line, operand, module, code", SUBCLASSED, ids=[f"{r[0]} {r[2].kind}" for r in SUBCLASSED])
def test_insert_in_a_call_method(file: File, line: str, operand: int, module: Module, code: list[str]) -> None:
    assert inserted(file, line, operand, module, "Block.call").code.splitlines() == code


@pytest.mark.parametrize("module", [CONV, PLAIN, WITH_NORM, PAD, CROP, SHIFT, RESIZE], ids=lambda module: module.kind)
def test_a_module_as_data_is_the_layer_that_was_tried(file: File, module: Module) -> None:
    description = inserted(file, "x = a + b", 1, module).edit["module"]
    given = np.zeros((2, 32, 32, 64))
    assert constructed(description)(given).shape == build(module)(given).shape


def test_a_projection_as_data(file: File) -> None:
    assert inserted(file, "x = a + b", 1, WITH_NORM).edit["module"] == {
        "type": "Sequential",
        "arguments": {
            "layers": [
                {
                    "type": "Conv2D",
                    "arguments": {
                        "filters": 128,
                        "kernel_size": 1,
                        "strides": 2,
                        "padding": "same",
                        "use_bias": False,
                    },
                },
                {"type": "BatchNormalization", "arguments": {}},
            ]
        },
    }


@pytest.mark.parametrize("module, title", [
    (CONV, 'a projection on the skip of add: layers.Conv2D(128, 1, strides=2, padding="same")'),
    (PAD, "pad `b` by (0, 0, 1, 0, 0, 1)"),
    (CROP, "crop `b` by (0, 0, -1, 0, -2, -1)"),
    (RESIZE, "interpolate `b` to [32, 30]"),
    (SUBSAMPLE, "a shortcut without parameters: every other pixel, zeros for the new channels"),
    (Module("flatten", {"start_dim": 1}), "flatten before add"),
])  # fmt: skip
def test_titles(file: File, module: Module, title: str) -> None:
    assert inserted(file, "x = a + b", 1, module).title == title


def test_channels_first(file: File) -> None:
    first = {"rank": 2, "out_channels": 128, "kernel_size": 1, "stride": 2}
    written = inserted(file, "x = a + skip", 1, Module("sequence", {}, (Module("conv", first), Module("norm", {}))))
    assert written.code.splitlines()[:2] == [
        'skip = layers.Conv2D(128, 1, strides=2, padding="same", data_format="channels_first")(skip)',
        "skip = layers.BatchNormalization(axis=1)(skip)",
    ]


# Replace


def test_replace(file: File) -> None:
    known = one_line(file, "x = layers.Identity(name='skip')(x)", layers.Identity(name="skip"))
    written = write(Replace("skip", PLAIN), known)
    assert written.code == "x = layers.Conv2D(128, 1)(x)"
    assert written.title == "skip: layers.Conv2D(128, 1)"
    assert written.edit == {
        "action": "replace",
        "layer": "skip",
        "name": "skip",
        "module": {"type": "Conv2D", "arguments": {"filters": 128, "kernel_size": 1, "strides": 1}},
    }


def test_replace_what_is_empty_in_a_block() -> None:
    known = recording(record(Net(), ""), record(Block(), "stages[0]"), record(Block(), "stages[1]"))
    assert write(Replace("stages[1].project", PLAIN), known).code == "model.stages[1].project = layers.Conv2D(128, 1)"


# An argument of an operation

CALLS: list[tuple[str, str, str, Any, str]] = [
    ("x = tf.concat([a, b], axis=1)", "concat", "dim", -1, "x = tf.concat([a, b], axis=-1)  # axis was 1"),
    ("x = tf.concat([a, b], 1)", "concat", "dim", -1, "x = tf.concat([a, b], -1)  # axis was 1"),
    ("return keras.ops.concatenate([a, b])", "concat", "dim", 1,
     "return keras.ops.concatenate([a, b], axis=1)  # axis was 1"),
    ("x = ops.reshape(x, (-1, 8))", "reshape", "shape", (-1, 4), "x = ops.reshape(x, (-1, 4))  # newshape was 1"),
    ("x = tf.transpose(x, perm=[0, 2, 1])", "permute", "dims", (0, 1, 2),
     "x = tf.transpose(x, perm=(0, 1, 2))  # perm was 1"),
    ("x = tf.reduce_mean(x, axis=(1, 2), keepdims=True)", "reduce", "keepdim", False,
     "x = tf.reduce_mean(x, axis=(1, 2), keepdims=False)  # keepdims was 1"),
    ("x = join(a, b)", "concat", "dim", -1, "# concat in block: axis -1 instead of 1; in: x = join(a, b)"),
    ("x = concat([concat([a, b]), c])", "concat", "dim", -1,
     "# concat in block: axis -1 instead of 1; in: x = concat([concat([a, b]), c])"),
]  # fmt: skip


@pytest.mark.parametrize("line, kind, argument, value, code", CALLS, ids=[row[0] for row in CALLS])
def test_set_call(file: File, line: str, kind: str, argument: str, value: Any, code: str) -> None:
    call = Call(0, kind, kind, "block", False, None, (), span=span(file(line), 1))
    written = write(SetCall(call.place, argument, value, 1), recording(calls=(call,)))
    assert written.code == code
    ast.parse(written.code)
    assert written.edit["call"] == call.place
    assert written.edit["value"] == value
    assert not keyword.iskeyword(written.edit["argument"])


# The input


@pytest.mark.parametrize("edit, given, code", [
    (Input(0, "permute", {"dims": (0, 2, 3, 1)}, (2, 32, 32, 3)), (2, 3, 32, 32),
     "x = keras.ops.transpose(x, (0, 2, 3, 1))"),
    (Input(0, "unsqueeze", {"dim": 0}, (1, 32, 32, 3)), (32, 32, 3), "x = x[None]"),
    (Input(0, "unsqueeze", {"dim": 1}, (2, 1, 8)), (2, 8), "x = keras.ops.expand_dims(x, 1)"),
    (Input(0, "size", {"size": (64, 64)}, (2, 64, 64, 3)), (2, 65, 65, 3),
     "x = keras.ops.image.resize(x, (64, 64))  # or load the data at this size"),
    (Input(0, "size", {"plain": True}, (2, 64)), (2, 65), "# an input of shape [2, 64]"),
    (Input(0, "channels", {"channels": 3, "was": 1}, (2, 8, 8, 3)), (2, 8, 8, 1),
     "x = keras.ops.repeat(x, 3, axis=-1)"),
    (Input(0, "channels", {"channels": 3, "was": 1}, (2, 3, 8, 8)), (2, 1, 8, 8), "x = keras.ops.repeat(x, 3, axis=1)"),
    (Input(0, "channels", {"channels": 3, "was": 4}, (2, 8, 8, 3)), (2, 8, 8, 4), "# an input of shape [2, 8, 8, 3]"),
    (Input(0, "size", {"size": (64, 64)}, (None, 64, 64, 3)), (None, 65, 65, 3),
     "inputs = keras.Input(shape=(64, 64, 3))"),
])  # fmt: skip
def test_input(edit: Input, given: tuple[int | None, ...], code: str) -> None:
    written = write(edit, recording(given=(given,)))
    assert written.code == code
    assert written.edit["shape"] == edit.shape
    if code.startswith("x = "):
        x = np.zeros(given)
        scope = {"x": x, "keras": keras}
        exec(code, scope)
        assert tuple(scope["x"].shape) == edit.shape


def test_an_operand_that_becomes_a_sum_keeps_its_place_in_a_product() -> None:
    assert with_operand("y = gate * x", 1, lambda x: f"f({x}) + b") == "y = gate * (f(x) + b)"
    assert with_operand("y += x", 1, lambda x: f"f({x}) + b") == "y += f(x) + b"
    assert with_operand("y = tf.concat([x, z], 1)", 0, lambda x: f"f({x}) + b") == "y = tf.concat([f(x) + b, z], 1)"
