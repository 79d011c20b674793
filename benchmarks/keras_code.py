"""Subclassed Keras models broken where their authors would break them: in what they write to make a layer.

    for mutant in mutants(architecture, count=4, seed=0):
        model = mutant.made()
        mutant.attempt(model)        # a call, a call in a `tf.function`, or `fit`: raises

While a broken model is built, `keras.layers` makes one of its layers with another argument than the code asks for, as
if the author had written that. The names, the order and the classes of the layers are those of the healthy model.
"""

from __future__ import annotations

import inspect
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Literal

import keras
import tensorflow as tf

from benchmarks.keras_errors import shape_error
from benchmarks.keras_slips import MUTATED, Changes, in_words, layer_slips
from benchmarks.keras_zoo import Architecture
from benchmarks.shapes import Shapes, shapes_of
from benchmarks.slips import TRIES_PER_MUTANT, in_turn

Way = Literal["eager", "function", "fit"]
WAYS: tuple[Way, ...] = ("eager", "function", "fit")


@dataclass(frozen=True)
class Slip:
    """One slip in the code of a model.

    `layer` is the attribute path of the layer, `spellings` are all the ways to call it (see `spellings_of`), and `also`
    those of other layers as right to blame. `number` and `changes`: the layer made as the how manieth gets these
    arguments. `settings`: instead of that, the builder's.
    """

    kind: str
    layer: str
    description: str
    spellings: frozenset[str]
    also: frozenset[str]
    number: int | None = None
    changes: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def built(self, architecture: Architecture) -> Any:
        with watched_making(self.number, self.changes or {}):
            return architecture.built(**self.settings)


@dataclass(frozen=True)
class Mutant:
    """A slip with which a model raises `error` when it is run in this way; `expected`: what the healthy one gives."""

    slip: Slip
    way: Way
    error: str
    expected: Shapes
    architecture: Architecture = field(repr=False)

    def made(self) -> Any:
        return self.slip.built(self.architecture)

    def attempt(self, model: Any) -> Any:
        """Run the model in this way."""
        return attempts(model, self.architecture, self.expected)[self.way]()


def attempts(model: Any, architecture: Architecture, output: Shapes) -> dict[Way, Callable[[], Any]]:
    """The ways to run a model: what has no `fit`, or not one output, is not fitted."""
    example = architecture.example()
    found: dict[Way, Callable[[], Any]] = {
        "eager": partial(model, example),
        "function": partial(tf.function(model), example),
    }
    if isinstance(model, keras.Model) and len(output) == 1:
        found["fit"] = partial(_fit, model, example, output[0])
    return found


def _fit(model: Any, example: Any, output: tuple[int | None, ...]) -> None:
    model.compile("sgd", "mse")
    model.fit(example, tf.zeros(output), batch_size=output[0], epochs=1, verbose=0)


def mutants(architecture: Architecture, count: int, seed: int) -> Iterator[Mutant]:
    """At most `count` slips, spread over their kinds, each in the ways in which it raises; the same for a seed.

    Raises:
        Exception: the healthy model does not run.
    """
    with watched_making() as made:
        model = architecture.built()
    output = shapes_of(model(architecture.example()))
    for way in attempts(model, architecture, output):
        attempts(architecture.built(), architecture, output)[way]()
    chooser = random.Random(f"{seed}:{architecture.name}")
    found = 0
    for slip in islice(in_turn(slips(architecture, model, made), chooser), TRIES_PER_MUTANT * count):
        raising = list(_raising(slip, architecture, output))
        yield from raising
        found += bool(raising)
        if found == count:
            return


def _raising(slip: Slip, architecture: Architecture, output: Shapes) -> Iterator[Mutant]:
    for way in WAYS:
        try:
            model = slip.built(architecture)
        except Exception:  # a constructor that refuses its arguments: no question of shapes
            return
        attempt = attempts(model, architecture, output).get(way)
        if attempt is None:
            continue
        error, given = _tried(attempt)
        if way == "eager" and given == output:
            return  # what runs, with this output, runs in the other ways: a `fit` that compiles takes seconds
        if error is not None:
            yield Mutant(slip, way, error, output, architecture)


def _tried(attempt: Callable[[], Any]) -> tuple[str | None, Shapes | None]:
    """The error about shapes, or the shapes that came out; neither where it is another error."""
    results: list[Any] = []
    error = shape_error(lambda: results.append(attempt()))
    return error, shapes_of(results) if results else None


# Slips


def slips(architecture: Architecture, model: Any, made: Sequence[Any]) -> Iterator[Slip]:
    """Every slip that this model's code offers: those that its builder has, and wrong arguments of its layers."""
    names = spellings_of(model)
    by_path = {found[0]: frozenset(found) for found in names.values()}
    for each in architecture.slips:
        known = by_path.get(each.layer, frozenset({each.layer}))
        also = frozenset(s for path in each.also for s in by_path.get(path, {path}))
        said = ", ".join(f"{name}={value!r}" for name, value in each.settings.items())
        description = f"{each.layer or 'the model'}: {said}"
        yield Slip(each.kind, each.layer, description, known, also, settings=each.settings)
    for number, layer in enumerate(made):
        if id(layer) not in names:
            continue
        path, *_ = found = names[id(layer)]
        also = frozenset(
            s
            for pair in architecture.twins
            for twin in pair
            if {path, *found} & set(pair) and twin not in found
            for s in next((f for f in names.values() if twin in f), [twin])
        )
        config = layer.get_config()
        for kind, changes in layer_slips(type(layer).__name__, config):
            description = in_words(path, type(layer).__name__, config, changes)
            yield Slip(kind, path, description, frozenset(found), also, number, changes)


# Making layers with other arguments


@contextmanager
def watched_making(
    number: int | None = None, changes: Changes | Mapping[str, Any] | None = None
) -> Iterator[list[Any]]:
    """Collect the layers that `keras.layers` makes in the block, in order; that of this number with these changes."""
    made: list[Any] = []
    classes = {name: getattr(keras.layers, name) for name in MUTATED if hasattr(keras.layers, name)}

    def make(cls: type, *args: Any, **kwargs: Any) -> Any:
        if len(made) == number:
            args, kwargs = with_changes(cls, args, kwargs, changes or {})
        made.append(None)  # the numbers count the calls, also of a class that makes others
        place = len(made) - 1
        made[place] = cls(*args, **kwargs)
        return made[place]

    for name, cls in classes.items():
        setattr(keras.layers, name, partial(make, cls))
    try:
        yield made
    finally:
        for name, cls in classes.items():
            setattr(keras.layers, name, cls)


def with_changes(
    cls: type, args: Sequence[Any], kwargs: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call of a class, some of them changed."""
    signature = inspect.signature(cls)
    bound = signature.bind(*args, **kwargs)
    extra = next((p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), "")
    for name, value in changes.items():
        if name in signature.parameters:
            bound.arguments[name] = value
        else:
            bound.arguments.setdefault(extra, {})[name] = value
    return bound.args, bound.kwargs


# What a layer may be called


def spellings_of(model: Any) -> dict[int, list[str]]:
    """By a layer's id, the ways in which it may be called; the attribute path (`stages[1][0].conv1`) first.

    At each step either the attribute or, as Keras prints it, the layer's own name; `blocks[0]` also as `blocks.0`;
    and the layer's own name alone.
    """
    found: dict[int, list[str]] = {id(model): ["", *([model.name] if hasattr(model, "name") else [])]}
    waiting: list[tuple[Any, list[tuple[str, ...]]]] = [(model, [])]
    while waiting:
        owner, steps = waiting.pop(0)
        for child, ways in children(owner):
            if id(child) in found:
                continue
            path = [*steps, ways]
            joined = [".".join(parts) for parts in itertools.product(*path)]
            joined += [child.name] if getattr(child, "name", None) else []
            dotted = [each.replace("[", ".").replace("]", "").replace("'", "") for each in joined]
            found[id(child)] = list(dict.fromkeys([*joined, *dotted]))
            waiting.append((child, path))
    return found


def children(owner: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """The layers and modules that an object holds, each with the ways to call it from there."""
    if isinstance(owner, keras.Model) and hasattr(owner, "layers") and not _is_subclassed(owner):
        for number, layer in enumerate(owner.layers):
            yield layer, (f"layers[{number}]", layer.name)
        return
    for name, value in vars(owner).items():
        if not name.startswith("_"):
            for suffix, layer in _inside(value):
                own = (layer.name,) if getattr(layer, "name", None) else ()
                yield layer, (name + suffix, *own)


def _is_subclassed(model: Any) -> bool:
    return not isinstance(model, keras.Sequential) and not hasattr(model, "operations")


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, keras.layers.Layer | tf.Module):
        yield "", value
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from ((f"[{number}]{rest}", layer) for rest, layer in _inside(item))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from ((f"[{key!r}]{rest}", layer) for rest, layer in _inside(item))
