"""TensorFlow's messages: of its shape functions, of its kernels, and of its Python."""

from __future__ import annotations

from shapewatch.messages.nouns import Template
from shapewatch.messages.tensorflow import checks, data, graph, meeting, windows

TEMPLATES: tuple[Template, ...] = (
    *graph.TEMPLATES,
    *meeting.TEMPLATES,
    *windows.TEMPLATES,
    *data.TEMPLATES,
    *checks.TEMPLATES,
)
