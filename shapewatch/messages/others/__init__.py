"""Messages of everything else that meets shapes around a network: array libraries, other frameworks, and the libraries
that are built on PyTorch, TensorFlow and Keras and check shapes before these do.

By the framework's name, as the report tells it.
"""

from __future__ import annotations

from collections.abc import Mapping

from shapewatch.messages.nouns import Template
from shapewatch.messages.others import arrays, frameworks, images, libraries, models, python

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
    "diffusers": models.DIFFUSERS,
    "environments": models.ENVIRONMENTS,
    "dgl": models.DGL,
    "xgboost": models.XGBOOST,
    "tensorrt": models.TENSORRT,
    "pillow": images.PILLOW,
    "torchvision": images.TORCHVISION,
    "albumentations": images.ALBUMENTATIONS,
    "scikit-image": images.SCIKIT_IMAGE,
    "opencv": libraries.OPENCV,
    "pandas": libraries.TABLES_AND_PLOTS,
    "python": python.PYTHON,
}
