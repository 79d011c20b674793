"""Beside one installed framework, and beside several in one process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""

TORCH = """
import torch
from torch import nn
import shapewatch
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
    def forward(self, x):
        return self.conv(x) + x
try:
    with shapewatch.watch() as torch_session:
        Net()(torch.zeros(2, 3, 8, 8))
except RuntimeError:
    pass
print(torch_session.report.diagnoses[0].code, torch_session.report.frameworks)
"""

KERAS = """
import keras
import shapewatch
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(8, 3, strides=2, padding="same")
    def call(self, x):
        return self.conv(x) + x
try:
    with shapewatch.watch() as keras_session:
        Net()(keras.ops.zeros((2, 8, 8, 3)))
except Exception:
    pass
print(keras_session.report.diagnoses[0].code, keras_session.report.frameworks)
"""

TENSORFLOW = """
import tensorflow as tf
import shapewatch
try:
    with shapewatch.watch() as tf_session:
        x = tf.zeros((2, 8, 8, 3))
        tf.nn.avg_pool2d(x, 2, 2, "SAME") + x
except tf.errors.InvalidArgumentError:
    pass
print(tf_session.report.diagnoses[0].code, tf_session.report.frameworks)
"""

SAID = {TORCH: "SW201 ('torch',)", KERAS: "SW201 ('keras', 'tensorflow')", TENSORFLOW: "SW201 ('tensorflow',)"}


@pytest.mark.parametrize(
    "missing, programs",
    [
        ({"tensorflow", "keras", "jax"}, [TORCH]),
        ({"torch", "jax"}, [KERAS]),
        ({"torch", "jax"}, [TENSORFLOW]),
        (set(), [TORCH, KERAS, TENSORFLOW]),
        (set(), [TENSORFLOW, KERAS, TORCH]),
    ],
)
def test_what_is_installed_is_watched(missing: set[str], programs: list[str]) -> None:
    """Each program breaks a junction under `watch()`, with what is missing impossible to import."""
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing=missing) + "".join(programs)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [SAID[program] for program in programs]
