"""A projection that is lacking in a function which builds blocks of a Keras model, in words that are right for all."""

from __future__ import annotations

import runpy
import textwrap
from pathlib import Path

import pytest

import shapewatch
from shapewatch.patches import diff
from shapewatch.report import Fix
from tests.test_patches import lines_changed

IMPORTS = """
import keras
from keras import layers
"""

MODEL = """
inputs = keras.Input((16, 16, 3))
x = layers.Conv2D(16, 3, padding="same")(inputs)
{}
keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
"""

BLOCKS = """x = block(x, 16)
x = block(x, 32, 2)
x = block(x, 32)
x = block(x, 64, 2)"""


@pytest.fixture(autouse=True)
def _in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def program(folder: Path, function: str, blocks: str = BLOCKS) -> Path:
    path = folder / "net.py"
    path.write_text(IMPORTS + textwrap.dedent(function) + MODEL.format(blocks), encoding="utf-8")
    return path


def first_fix(path: Path) -> Fix:
    with pytest.raises(ValueError), (session := shapewatch.watch()):
        runpy.run_path(str(path))
    return session.report.diagnoses[0].fixes[0]


def mended(path: Path) -> str:
    """The lines that the patch adds, without their indent; the program runs with it, with all of its blocks."""
    fix = first_fix(path)
    new = [line[1:] for line in lines_changed(fix) if line.startswith("+")]
    assert fix.patch is not None
    diff.apply(fix.patch)
    runpy.run_path(str(path))
    return textwrap.dedent("\n".join(new))


def test_where_the_branches_meet_in_a_layer(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        """
        def block(x, filters, strides=1):
            y = layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu")(x)
            y = layers.Conv2D(filters, 3, padding="same")(y)
            return layers.ReLU()(layers.Add()([x, y]))
        """,
    )
    assert mended(path) == textwrap.dedent(
        """\
        shortcut = x
        if strides != 1 or x.shape[-1] != filters:
            shortcut = layers.Conv2D(filters, 1, strides=strides, padding="same")(x)
        return layers.ReLU()(layers.Add()([shortcut, y]))"""
    )


def test_where_they_meet_in_a_sum_and_the_skip_has_its_name(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        """
        def block(x, width, step=1):
            skip = x
            x = layers.Conv2D(width, 3, strides=step, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = x + skip
            return layers.Activation("relu")(x)
        """,
    )
    assert mended(path) == textwrap.dedent(
        """\
        if step != 1 or skip.shape[-1] != width:
            skip = layers.Conv2D(width, 1, strides=step, padding="same", use_bias=False)(skip)
            skip = layers.BatchNormalization()(skip)"""
    )


def test_words_that_a_function_is_given_by_another_one(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        """
        def conv(x, filters, kernel=3, strides=1):
            x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)
            return layers.ReLU()(layers.BatchNormalization()(x))

        def block(x, width, stride=1):
            y = conv(x, width // 4, 1)
            y = conv(y, width // 4, strides=stride)
            y = conv(y, width, 1)
            return layers.add([x, y])
        """,
    )
    assert mended(path) == textwrap.dedent(
        """\
        shortcut = x
        if stride != 1 or x.shape[-1] != width:
            shortcut = layers.Conv2D(width, 1, strides=stride, padding="same", use_bias=False)(x)
            shortcut = layers.BatchNormalization()(shortcut)
        return layers.add([shortcut, y])"""
    )


def test_a_stride_that_is_worked_out_in_the_line(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        """
        def block(x, filters, down=False):
            y = layers.Conv2D(filters, 3, strides=2 if down else 1, padding="same")(x)
            return layers.Add()([y, x])
        """,
    )
    assert mended(path) == textwrap.dedent(
        """\
        shortcut = x
        if (2 if down else 1) != 1 or x.shape[-1] != filters:
            shortcut = layers.Conv2D(filters, 1, strides=2 if down else 1, padding="same")(x)
        return layers.Add()([y, shortcut])"""
    )


def test_blocks_that_are_told_no_stride(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        """
        def block(x, filters):
            y = layers.Conv2D(filters, 3, padding="same")(x)
            return layers.Add()([y, x])
        """,
        "x = block(x, 16)\nx = block(x, 24)\nx = block(x, 8)",
    )
    assert mended(path) == textwrap.dedent(
        """\
        shortcut = x
        if x.shape[-1] != filters:
            shortcut = layers.Conv2D(filters, 1)(x)
        return layers.Add()([y, shortcut])"""
    )


def test_every_block_has_a_stride(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        """
        def block(x, filters):
            y = layers.Conv2D(filters, 3, strides=2, padding="same")(x)
            return layers.Add()([y, x])
        """,
        "x = block(x, 24)\nx = block(x, 32)",
    )
    assert mended(path) == textwrap.dedent(
        """\
        shortcut = layers.Conv2D(filters, 1, strides=2, padding="same")(x)
        return layers.Add()([y, shortcut])"""
    )


@pytest.mark.parametrize(
    "function",
    [
        # its name has another value where the branches meet
        """
        def block(x, filters, strides=1):
            y = layers.Conv2D(filters, 3, strides=strides, padding="same")(x)
            filters = filters // 2
            y = layers.Conv2D(2 * filters, 3, padding="same")(y)
            return layers.Add()([y, x])
        """,
        # the stride is in no word of the function
        """
        def block(x, filters, strides=1):
            y = layers.Conv2D(filters, 3, padding="same")(x)
            y = layers.AveragePooling2D(strides)(y)
            return layers.Add()([y, x])
        """,
    ],
)
def test_without_a_word_for_it_the_numbers_stay(function: str, tmp_path: Path) -> None:
    fix = first_fix(program(tmp_path, function))
    assert fix.verified and "strides=2" in fix.code and fix.patch is None


def test_a_layer_made_with_other_numbers_is_no_argument_of_its_line(tmp_path: Path) -> None:
    """The code of the fix says two arguments of one block; `strides=1` alone would be said for every block."""
    path = program(
        tmp_path,
        """
        def block(x, filters, strides=1, shortcut=None):
            y = layers.Conv2D(filters, 3, strides=strides, padding="same")(x)
            return layers.Add()([y, x if shortcut is None else shortcut])
        """,
        "x = block(x, 16)\nx = block(x, 16, shortcut=layers.Conv2D(16, 1)(x))\nx = block(x, 24, 2)",
    )
    fix = next(fix for fix in (first_fix(path),) if "filters" in fix.title)
    assert fix.code.startswith("layers.Conv2D(16, 3") and fix.patch is None
