"""The layers that are known when a recording ends, as it describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from keras import Sequential
from keras.layers import Layer

from shapewatch.adapters.attributes import attribute_line
from shapewatch.adapters.keras import kinds
from shapewatch.adapters.keras.made_elsewhere import lines_of, made_for_a_name
from shapewatch.adapters.keras.naming import Names
from shapewatch.adapters.keras.rows import line_in_row, lines_in_rows
from shapewatch.adapters.keras.settings import constructions
from shapewatch.recorder import Line
from shapewatch.recording import Layer as LayerRecord
from shapewatch.recording import Span
from shapewatch.source import span_at


def layers_of(names: Names, made_at: Mapping[str, Line | None], is_told: bool) -> Iterator[LayerRecord]:
    """Every layer that is known, run or not: what ran is judged by its siblings that did not.

    Args:
        made_at: of layers by their paths, the line that called them first on symbolic tensors.
        is_told: whether a failure is told with this recording, so that it is worth reading the program's files for the
            lines that made the other layers. A search makes hundreds of recordings that nobody sees.
    """
    counted: dict[int, int] = {}
    known = constructions(layer for _, layer in names.items())
    lines = {path: _definition(path, layer, names, made_at.get(path)) for path, layer in names.items()}
    unknown = [layer for path, layer in names.items() if lines[path] is None and known.get(id(layer))]
    elsewhere = lines_of(unknown, known) if is_told and unknown else {}
    if is_told:
        called = {path: span for path in made_at if (span := lines.get(path)) is not None}
        lines |= {path: made_for_a_name(span, type(names.get(path)).__name__) or span for path, span in called.items()}
        lines |= lines_in_rows(called, dict(names.items()))
    for path, layer in names.items():
        kind = kinds.kind_of_layer(layer)
        facts = kinds.layer_facts(layer, kind)
        yield LayerRecord(
            path=path,
            type=type(layer).__name__,
            kind=kind or ("container" if isinstance(layer, Sequential) else "module"),
            facts=facts | ({"made_in_call": True} if names.is_made_in_call(path) else {}),
            parameters=counted.setdefault(id(layer), kinds.parameters_of(layer)),
            leaf=kind is not None,
            defined=lines[path] or elsewhere.get(id(layer)),
            name="" if path == layer.name else layer.name,
            auto_named=names.is_auto_named(layer, path),
            made_by=known.get(id(layer), ""),
        )


def _definition(path: str, layer: Layer, names: Names, first_call: Line | None) -> Span | None:
    """The line that makes a layer: `self.name = …` in the class of the nearest parent that names it; in a functional
    model the line that calls it first, which mostly makes it too."""
    if first_call is not None:
        return span_at(*first_call)
    parts = path.split(".")
    for cut in range(len(parts) - 1, -1, -1):
        parent = names.get(".".join(parts[:cut]))
        if parent is not None:
            owner: type = type(parent)
            span = attribute_line(owner, parts[cut].partition("[")[0], type(layer).__name__)
            if span is not None:
                row = names.get(".".join(parts[: cut + 1])) if cut == len(parts) - 2 else None
                return line_in_row(span, row, layer) or span
    return None
