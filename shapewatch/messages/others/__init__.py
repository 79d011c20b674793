"""Messages of everything else that meets shapes around a network: array libraries, other frameworks, and the libraries
that are built on PyTorch, TensorFlow and Keras and check shapes before these do.

By the framework's name, as the report tells it.
"""

from __future__ import annotations

from collections.abc import Mapping

from shapewatch.messages.nouns import Template
from shapewatch.messages.others import arrays, frameworks, libraries, python

FRAMEWORK_TEMPLATES: Mapping[str, tuple[Template, ...]] = {
    "paddle": frameworks.PADDLE,
    "jax": arrays.JAX,
    "numpy": arrays.NUMPY,
    "einops": libraries.EINOPS,
    "onnxruntime": frameworks.ONNXRUNTIME,
    "theano": frameworks.THEANO,
    "mxnet": frameworks.MXNET,
    "torchmetrics": libraries.TORCHMETRICS,
    "transformers": libraries.TRANSFORMERS,
    "timm": libraries.TIMM,
    "scikit-learn": libraries.SCIKIT_LEARN,
    "opencv": libraries.OPENCV,
    "pandas": libraries.TABLES_AND_PLOTS,
    "python": python.PYTHON,
}
