"""Which input sizes a model accepts: wiring for the command `sizes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shapewatch.adapters import InputSpec, adapter_of
from shapewatch.sizes.accepted import Accepted
from shapewatch.sizes.survey import survey
from shapewatch.watching.session import decorations_aside
from shapewatch.watching.wishes import UsageError


def sizes_of(model: Any, specs: Sequence[InputSpec]) -> Accepted:
    """Which input sizes a model accepts, from passes on shapes alone that begin with the sizes of `specs`.

    Raises:
        UsageError: the model is no model, or there is no such dtype.
        Exception: a fault of ours, where the model could not be run at all.
    """
    try:
        adapter = adapter_of(model)
        probe = adapter.prepare_shapes(model, specs)
    except ValueError as error:
        raise UsageError(str(error)) from None
    with decorations_aside():
        return survey(probe, specs, adapter.name)
