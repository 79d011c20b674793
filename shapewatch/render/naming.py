"""What things are called in a report: places, layers, axes, settings, numbers of things."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shapewatch.flow.layout import layout_of
from shapewatch.recording import Layer, Shape, Span, spoken
from shapewatch.recording import text as shape_text
from shapewatch.render.document import GLUE

# Words


def listed(words: Sequence[str], joint: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 call`, `1,200 calls`, `no calls`."""
    amount = f"{number:,}" if number else "no"
    return f"{amount}{GLUE}{noun if number == 1 else plural or noun + 's'}"


def glued(prose: str) -> str:
    """The prose with no line break inside the shapes in it."""
    return re.sub(r"\[[\d?, ]+\]", lambda shape: shape[0].replace(" ", GLUE), prose)


# Shapes


def sizes(shape: Shape) -> str:
    return glued(shape_text(shape))


def output(shapes: Any) -> str:
    """What a model gave: one shape, several, or several with names; empty where it is not known."""
    if shapes is None:
        return ""
    if isinstance(shapes, Mapping):
        return _first_few([f"{name} {output(shape)}".strip() for name, shape in shapes.items()], ", ".join)
    if isinstance(shapes, tuple | list):
        if all(size is None or isinstance(size, int) for size in shapes):
            return sizes(tuple(shapes))
        return _first_few([output(shape) for shape in shapes if shape is not None], listed)
    return str(shapes)


def _first_few(words: list[str], join: Callable[[list[str]], str], most: int = 4) -> str:
    if len(words) <= most:
        return join(words)
    return join([*words[:most], f"{len(words) - most} more"])


# Places


def place(span: Span) -> str:
    """`train.py:41`: the file as seen from the working directory, or from where packages are installed."""
    return f"{_short(span.file)}:{span.line}"


def _short(file: str) -> str:
    packages = re.split(r"[/\\](?:site|dist)-packages[/\\]", file)
    if len(packages) > 1:
        return packages[-1]
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except (OSError, ValueError):  # the working directory may be gone; a file need not be under it
        return file


def layer_name(path: str) -> str:
    """A layer's path; the model itself has none."""
    return spoken(path) or "the model"


def within(path: str, layer: str) -> str:
    """The path as seen from inside a layer: `layer2.0.conv1` is `conv1` in `layer2.0`."""
    return path.removeprefix(f"{layer}.") if layer else path


# Axes


def axes_listed(names: Sequence[str]) -> str:
    """`height and width`, `axes 1 and 2`."""
    numbers = [name.removeprefix("axis ") for name in names]
    if len(names) > 1 and all(number.isdigit() for number in numbers):
        return f"axes {listed(numbers)}"
    return listed(names)


def verb(names: Sequence[str], singular: str, plural: str) -> str:
    """The form of a verb that goes with these axes: channels differ, height differs."""
    return plural if len(names) > 1 or names[0] == "channels" else singular


# Layers


def settings(layer: Layer) -> str:
    """What sets a layer apart from others of its type: `16 -> 32, 3x3, stride 2`; empty if unknown."""
    words = _SETTINGS.get(layer.kind)
    return ", ".join(word for word in words(layer.facts) if word) if words else ""


def _conv(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _from_to(facts, "in_channels", "out_channels")
    yield from _kernel(facts)
    groups = facts.get("groups", 1)
    if groups != 1:
        yield "depthwise" if groups in (None, facts.get("in_channels")) else f"groups {groups}"


def _kernel(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _extent(facts, "kernel_size")
    for name in ("stride", "dilation"):
        value = facts.get(name)
        if value is not None and set(_as_tuple(value)) != {1}:
            yield f"{name} {_alike(value)}"
    yield _padding(facts)


def _adaptive_pool(facts: Mapping[str, Any]) -> Iterator[str]:
    if extent := _extent(facts, "output_size"):
        yield f"to {extent.removeprefix('kernel ')}"


def _linear(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _from_to(facts, "in_features", "out_features")


def _norm(facts: Mapping[str, Any]) -> Iterator[str]:
    for name in ("num_features", "num_channels", "normalized_shape"):
        if facts.get(name) is not None:
            yield "x".join(str(size) for size in _as_tuple(facts[name]))
            return


def _embedding(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _from_to(facts, "num_embeddings", "embedding_dim")


def _recurrent(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _from_to(facts, "input_size", "hidden_size")
    if facts.get("return_sequences") is False:
        yield "last step"


def _attention(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts.get("embed_dim") is not None:
        yield str(facts["embed_dim"])
    if facts.get("num_heads") is not None:
        yield counted(facts["num_heads"], "head")


def _resize(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts.get("size") is not None:
        yield f"to {_extent(facts, 'size').removeprefix('kernel ')}"
    elif facts.get("scale_factor") is not None:
        yield f"by {_alike(facts['scale_factor'])}"


_SETTINGS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "conv": _conv,
    "conv_transpose": _conv,
    "pool": _kernel,
    "adaptive_pool": _adaptive_pool,
    "linear": _linear,
    "norm": _norm,
    "embedding": _embedding,
    "recurrent": _recurrent,
    "attention": _attention,
    "resize": _resize,
}


def _from_to(facts: Mapping[str, Any], before: str, after: str) -> str:
    """`16 -> 32`; `-> 32` for a layer that is not built yet."""
    if facts.get(after) is None:
        return ""
    return f"{facts[before]} -> {facts[after]}" if facts.get(before) is not None else f"-> {facts[after]}"


def _padding(facts: Mapping[str, Any]) -> str:
    """The padding, unless it keeps the size at stride 1, or is none for kernels that stand side by side."""
    padding, kernel = facts.get("padding"), _as_tuple(facts.get("kernel_size"))
    if padding is None or kernel == (None,) or set(kernel) == {1} or padding == "same":
        return ""
    if padding == "valid":
        padding = 0
    if not all(isinstance(amount, int) for amount in _as_tuple(padding)):
        return f"padding {padding}"
    count = max(len(kernel), len(_as_tuple(padding)))
    amounts, stretch = _each(padding, count), _each(facts.get("dilation", 1), count)
    keeping = [(size - 1) * by // 2 for size, by in zip(_each(kernel, count), stretch, strict=True)]
    side_by_side = set(amounts) == {0} and _each(facts.get("stride"), count) == _each(kernel, count)
    if list(amounts) == keeping or side_by_side:
        return ""
    return "no padding" if set(amounts) == {0} else f"padding {_alike(padding)}"


def _extent(facts: Mapping[str, Any], name: str) -> str:
    """`3x3`, or `kernel 3` over one axis."""
    if facts.get(name) is None:
        return ""
    layout = layout_of(facts)
    each = _each(facts[name], layout.rank if layout else 1)
    return "x".join("?" if one is None else str(one) for one in each) if len(each) > 1 else f"kernel {each[0]}"


def _alike(value: Any) -> str:
    """`2` for `(2, 2)`, `2x1` for `(2, 1)`."""
    each = _as_tuple(value)
    return str(each[0]) if len(set(each)) == 1 else "x".join(str(one) for one in each)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _each(value: Any, count: int) -> tuple[Any, ...]:
    """One number per axis."""
    each = _as_tuple(value)
    return each * count if len(each) == 1 else each
