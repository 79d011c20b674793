"""What watching costs a program of Keras: time of the processor, watched against bare.

python -m benchmarks.keras_cost [--quick]

Watched and bare runs take turns in one process, on one thread, and each ratio is the median of the ratios of
neighbours. The spread beside it says how far to trust it: half of the ratios lie within.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import shapewatch
from benchmarks.tables import table

Action = Callable[[], object]
CROSSENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def residual(size: int = 32, blocks: int = 4) -> keras.Model:
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    for _ in range(blocks):
        y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(x)))
        x = layers.Add()([x, y])
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def seconds(action: Action) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def row(name: str, bare: Action, watched: Callable[[], float], pairs: int) -> list[str]:
    """Both in turn, after one of each that is not counted; which comes first takes turns too."""
    bare(), watched()
    alone, beside = [], []
    for pair in range(pairs):
        for first in (pair % 2 == 0, pair % 2 == 1):
            if first:
                alone.append(seconds(bare))
            else:
                beside.append(watched())
    low, middle, high = statistics.quantiles([w / b for w, b in zip(beside, alone, strict=True)], n=4)
    return [name, f"{1000 * statistics.median(alone):.0f}", f"{middle:.3f}", f"{low:.3f} to {high:.3f}"]


def inside(action: Action, model: Any = None, report: bool = True) -> Callable[[], float]:
    """The seconds of a watched block, with what is done when it ends; without `report`, of the action in it alone."""

    def watched() -> float:
        started = time.process_time()
        with shapewatch.watch(model) if model is not None else shapewatch.watch():
            alone = seconds(action)
        return time.process_time() - started if report else alone

    return watched


def loops(count: int, pairs: int) -> Iterator[list[str]]:
    x, y = tf.random.normal((8, 32, 32, 3)), tf.zeros((8,), tf.int32)

    def steps(model: Any) -> Action:
        optimizer = keras.optimizers.SGD(0.001, momentum=0.9)

        def run() -> None:
            for _ in range(count):
                with tf.GradientTape() as tape:
                    loss = CROSSENTROPY(y, model(x, training=True))
                gradients = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

        return run

    model = residual()
    eager = steps(model)
    yield row(f"{count} eager steps in one block", eager, inside(eager, model), pairs)
    yield row("  the same, without a model named", eager, inside(eager), pairs)

    plain, decorated = Holds(), shapewatch.watch(type("Decorated", (Holds,), {}))()
    bare, looked = steps(plain), steps(decorated)
    yield row(f"{count} eager steps, a decorated class", bare, lambda: seconds(looked), pairs)

    images, labels = np.zeros((8 * count, 32, 32, 3), "float32"), np.zeros(8 * count, "int32")
    for eagerly in (True, False):
        fitted = residual()
        fitted.compile("sgd", CROSSENTROPY, run_eagerly=eagerly)

        def fit(fitted: Any = fitted) -> None:
            fitted.fit(images, labels, batch_size=8, verbose=0, shuffle=False)

        name = f"`fit` of {count} steps, " + ("eagerly" if eagerly else "compiled")
        yield row(name, fit, inside(fit, fitted), pairs)


class Holds(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.inner = residual()

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.inner(x, training=training)


def passes(pairs: int) -> Iterator[list[str]]:
    model, x = keras.applications.ResNet50(weights=None), tf.random.normal((1, 224, 224, 3))

    def once() -> None:
        model(x, training=False)

    yield row("a pass of ResNet50, recorded", once, inside(once, model, report=False), pairs)
    yield row("  the same, with the report", once, inside(once, model), pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer steps and pairs")
    quick = parser.parse_args().quick
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    load = os.getloadavg()[0]
    print(f"keras {keras.__version__}, tensorflow {tf.__version__}, {os.cpu_count()} cores, load {load:.1f}\n")
    rows = [*loops(10 if quick else 50, 3 if quick else 7), *passes(3 if quick else 9)]
    print(table(["watched", "bare, ms", "ratio", "half within"], rows), "\n")
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
