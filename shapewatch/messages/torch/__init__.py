"""What PyTorch says when shapes do not fit: eagerly, on shapes alone, compiled, on a GPU, and in older releases.

One file per area. A template stands before those whose text is a part of its own.
"""

from __future__ import annotations

from shapewatch.messages.nouns import Template
from shapewatch.messages.torch import (
    branches,
    dimensions,
    exported,
    indexing,
    layers,
    libraries,
    loading,
    losses,
    products,
    shapes,
    windows,
)

TEMPLATES: tuple[Template, ...] = (
    *branches.TEMPLATES,
    *products.TEMPLATES,
    *windows.TEMPLATES,
    *layers.TEMPLATES,
    *losses.TEMPLATES,
    *indexing.TEMPLATES,
    *loading.TEMPLATES,
    *exported.TEMPLATES,
    *libraries.TEMPLATES,
    *shapes.TEMPLATES,
    *dimensions.TEMPLATES,
    *dimensions.LAST,
)
