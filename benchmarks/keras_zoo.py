"""Healthy Keras models by name, with random weights and a small input each.

    architecture = find("applications/ResNet50")
    model = architecture.built()
    model(architecture.example())

Every family of `keras.applications`, without its weights, and the models of `keras_handwritten.py`. Which are held out
is written here and decided once: rules are tuned on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import partial
from typing import Any

import keras
import numpy
import tensorflow as tf

from benchmarks.keras_handwritten import NETWORKS, CodeSlip, Input, image

APPLICATIONS: dict[str, int] = {
    "ConvNeXtTiny": 64,
    "DenseNet121": 64,
    "DenseNet169": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "InceptionResNetV2": 96,
    "InceptionV3": 96,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Large": 64,
    "MobileNetV3Small": 64,
    "NASNetMobile": 96,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "VGG16": 64,
    "Xception": 96,
}
"""The model of each family, and the size of its input."""

HELD_OUT = frozenset(
    """
    applications/ConvNeXtTiny applications/DenseNet169 applications/EfficientNetV2B0 applications/InceptionResNetV2
    applications/MobileNet applications/MobileNetV3Large applications/NASNetMobile applications/ResNet50V2
    handwritten/attention_unet handwritten/bottleneck_resnet handwritten/functional_inside
    handwritten/functional_lstm handwritten/functional_nested handwritten/functional_unet
    handwritten/gru_residual handwritten/highway_layers handwritten/mlp_mixer handwritten/small_densenet
    handwritten/small_mobilenet handwritten/temporal_conv handwritten/tf_module_convnet
    handwritten/transformer_keras handwritten/valid_unet handwritten/vae
    """.split()
)


@dataclass(frozen=True)
class Architecture:
    """A model that runs: `build(**settings)` gives it. See `keras_handwritten.Network` for the other attributes."""

    name: str
    build: Callable[..., Any] = field(repr=False)
    inputs: tuple[Input, ...]
    slips: tuple[CodeSlip, ...] = ()
    symbolic: bool = True
    twins: tuple[tuple[str, str], ...] = ()

    @property
    def held_out(self) -> bool:
        return self.name in HELD_OUT

    def example(self, seed: int = 0) -> Any:
        """The input, or a list of several; the same for the same seed, without a draw from a global generator."""
        generator = numpy.random.default_rng(seed)
        tensors = [
            tf.constant(generator.standard_normal(each.shape).astype("float32"))
            if each.below is None
            else tf.constant(generator.integers(each.below, size=each.shape).astype("int32"))
            for each in self.inputs
        ]
        return tensors if len(tensors) > 1 else tensors[0]

    def built(self, seed: int = 0, **settings: Any) -> Any:
        """The model, as a program of its own would build it: same weights for the same seed, names counted from 0."""
        start_anew(seed)
        return self.build(**settings)


def start_anew(seed: int = 0) -> None:
    """Forget the names that Keras has counted, and seed every generator."""
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)


def _application(name: str, size: int) -> Any:
    return getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)


ARCHITECTURES: tuple[Architecture, ...] = (
    *(
        Architecture(f"applications/{name}", partial(_application, name, size), (image(size),))
        for name, size in APPLICATIONS.items()
    ),
    *(
        Architecture(f"handwritten/{each.name}", each.build, each.inputs, each.slips, each.symbolic, each.twins)
        for each in NETWORKS.values()
    ),
)


def find(name: str) -> Architecture:
    """The architecture of this full name.

    Raises:
        KeyError: the zoo has none of this name.
    """
    for architecture in ARCHITECTURES:
        if architecture.name == name:
            return architecture
    raise KeyError(name)


def select(patterns: Sequence[str] = (), held_out: bool | None = None) -> list[Architecture]:
    """The architectures whose name fits one of the patterns; `held_out`: those only (True) or the others (False).

    A pattern is a full name (`applications/VGG16`), a model's name (`VGG16`) or has wildcards (`*unet*`).

    Raises:
        ValueError: a pattern fits no name in the zoo.
    """

    def fits(architecture: Architecture, pattern: str) -> bool:
        return fnmatch(architecture.name, pattern) or fnmatch(architecture.name.split("/", 1)[1], pattern)

    for pattern in patterns:
        if not any(fits(architecture, pattern) for architecture in ARCHITECTURES):
            raise ValueError(f"no architecture is called {pattern}")
    chosen = [a for a in ARCHITECTURES if not patterns or any(fits(a, pattern) for pattern in patterns)]
    return [a for a in chosen if held_out is None or a.held_out == held_out]
