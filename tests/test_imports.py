"""Code of fixes has the names that the user's file imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapewatch.adapters.imports import as_imported

CONV, OPS = "x = layers.Conv2D(8, 3)(x)", "x = keras.ops.transpose(x, (0, 2, 1))"


@pytest.mark.parametrize(
    ("imports", "code", "spelled"),
    [
        ("import torch.nn as nn", "self.a = nn.Linear(3, 4)", "self.a = nn.Linear(3, 4)"),
        ("from torch import nn", "self.a = nn.Linear(3, 4)", "self.a = nn.Linear(3, 4)"),
        ("import torch", "x = F.pad(nn.ReLU()(x), (0, 1))", "x = torch.nn.functional.pad(torch.nn.ReLU()(x), (0, 1))"),
        ("import torch.nn", "nn.Linear(3, 4)", "torch.nn.Linear(3, 4)"),
        ("from torch import nn", "F.pad(x, (0, 1))", "nn.functional.pad(x, (0, 1))"),
        ("from torch.nn import functional", "F.pad(x, (0, 1))", "functional.pad(x, (0, 1))"),
        ("from torch.nn import Linear, Conv2d as C", "nn.Linear(3, 4), nn.Conv2d(3, 4, 1)", "Linear(3, 4), C(3, 4, 1)"),
        ("from torch.nn import Linear", "nn.LinearReLU(3)", "nn.LinearReLU(3)"),
        ("import mine.layers as nn\nimport torch", "nn.Linear(3, 4)", "nn.Linear(3, 4)"),
        ("def f():\n    import torch as t", "nn.Linear(3, 4)", "t.nn.Linear(3, 4)"),
        ("import torch", "self.nn.weight, my_nn.a, nn_a.b", "self.nn.weight, my_nn.a, nn_a.b"),
        ("from keras import layers", CONV, CONV),
        ("import keras", CONV, "x = keras.layers.Conv2D(8, 3)(x)"),
        ("import tensorflow as tf", CONV, "x = tf.keras.layers.Conv2D(8, 3)(x)"),
        ("from tensorflow.keras.layers import Conv2D", CONV, "x = Conv2D(8, 3)(x)"),
        ("from tensorflow.keras import layers as kl", CONV, "x = kl.Conv2D(8, 3)(x)"),
        ("from tensorflow import keras", CONV, "x = keras.layers.Conv2D(8, 3)(x)"),
        ("import numpy as np", CONV, CONV),
        ("import keras", OPS, OPS),
        ("import keras\nfrom keras import ops", OPS, "x = ops.transpose(x, (0, 2, 1))"),
        ("import tensorflow as tf\nimport keras", OPS, OPS),
        ("import tensorflow as tf", OPS, "x = tf.transpose(x, (0, 2, 1))"),
        ("import tensorflow as tf", "keras.ops.mean(x, axis=1)", "tf.reduce_mean(x, axis=1)"),
        ("import tensorflow as tf", "keras.ops.swapaxes(x, 1, -1)", "tf.keras.ops.swapaxes(x, 1, -1)"),
        ("from tensorflow.keras.layers import Conv2D", OPS, OPS),
        ("import keras\nlayers = []", "layers.append(y)", "layers.append(y)"),
        ("import keras\ndef f(layers): ...", "layers.append(y)", "layers.append(y)"),
        ("import keras\nlayers = []", CONV, "x = keras.layers.Conv2D(8, 3)(x)"),
        ("import torch\ndef f(F): ...", "F.add(x)", "F.add(x)"),
        ("import torch as (", CONV, CONV),
    ],
)
def test_names_are_those_of_the_file(imports: str, code: str, spelled: str, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(imports)
    assert as_imported(code, str(file)) == spelled


def test_a_cell_that_imports_nothing_tells_nothing(tmp_path: Path) -> None:
    assert as_imported("nn.Linear(3, 4)", str(tmp_path / "not_there.py")) == "nn.Linear(3, 4)"
