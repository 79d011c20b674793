"""The Keras adapter: the contract of all adapters, and what is Keras's own."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from adapter_contract import AdapterContract, Bundle
from support import residual_keras
from support.residual_keras import Net

from shapewatch.adapters.keras import ADAPTER
from shapewatch.edits import Module


def state(model: Any) -> Any:
    """Identities of the layers and their attributes, and the numbers of every weight."""
    parts = [(layer.name, id(layer), sorted(vars(layer)), layer.built) for layer in model._flatten_layers()]
    return parts, [weight.numpy().tolist() for weight in model.weights]


class TestContract(AdapterContract):
    @pytest.fixture
    def bundle(self) -> Bundle:
        return Bundle(
            adapter=ADAPTER,
            sound=Net,
            broken=lambda: Net(strides=2),
            tensor=tf.zeros,
            given=(2, 8, 8, 3),
            inner=(2, 8, 8, 4),
            halved=(2, 4, 4, 4),
            error=tf.errors.InvalidArgumentError,
            state=state,
            projection=Module(
                "conv",
                {"in_channels": 4, "out_channels": 4, "kernel_size": 1, "stride": 2, "channels_last": True},
            ),
            file=residual_keras.__file__,
            described={"dtype": "float32", "device": "cpu"},
        )
