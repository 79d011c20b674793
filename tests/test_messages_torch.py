"""PyTorch's templates: each is raised with the installed release, found by itself alone, and tells the true sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data
from support.templates import check_example, check_seen, name, names_are_whole, of_other_releases, raised, raised_by
from torch import nn
from torch.nn import functional

from shapewatch.messages.nouns import Template
from shapewatch.messages.pasted import errors_of
from shapewatch.messages.tables import found
from shapewatch.messages.torch import TEMPLATES

NAMES = {"torch": torch, "nn": nn, "F": functional, "np": np}

PLACES = frozenset(
    {"axis", "differs", "along", "input_axis", "index", "entry", "at", "operand", "output", "least", "most"}
)
"""Facts that say where, or count from zero. They are compared one by one in `RAISED`, where that matters."""

COMPUTED: Mapping[str, tuple[int, ...]] = {
    "torch._refs.split_with_sizes(torch.randn(2, 128), [40, 44], 1)": (40 + 44,),
    "torch.einsum('bchw,bc->bchw', torch.randn(1, 8, 4, 4), torch.randn(8))": (len("bc"),),
    "torch.randn(4).as_strided((3, 3), (3, 1), 0)": (9 * 4, 4 * 4),
    "torch.linalg.cross(torch.randn(2, 4), torch.randn(2, 4), dim=-1)": (3,),
    "F.interpolate(torch.randn(1, 3, 8), scale_factor=2, mode='bilinear')": (4,),
    "torch.tril(torch.randn(3))": (2,),
    "F.adaptive_avg_pool2d(torch.randn(8), (1, None))": (3,),
    "nn.Embedding.from_pretrained(torch.randn(8))": (2,),
}
"""Sizes that an example does not name: the framework computes them, or asks for them itself."""


@pytest.mark.parametrize("template", raised_by(TEMPLATES), ids=name)
def test_is_raised_found_and_true(template: Template) -> None:
    reading, message = check_example(template, NAMES, COMPUTED.get(template.example, ()), PLACES)
    assert reading.framework == "torch"
    assert names_are_whole(reading, message)


@pytest.mark.parametrize("template", of_other_releases(TEMPLATES), ids=name)
def test_of_other_releases_is_found(template: Template) -> None:
    assert names_are_whole(check_seen(template, PLACES), template.seen)


RAISED: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    (
        "torch.randn(7, 30, 11) * torch.randn(7, 15, 11)",
        "elementwise",
        {"a": 30, "b": 15, "axis": 1},
    ),
    (
        "torch.randn(7, 30, device='meta') - torch.randn(7, 15, device='meta')",
        "elementwise",
        {"left": (7, 30), "right": (7, 15), "b": 15, "axis": -1},
    ),
    (
        "torch.zeros(6, 9).copy_(torch.ones(5, 9))",
        "elementwise",
        {"a": 6, "b": 5, "axis": 0},
    ),
    (
        "x = torch.zeros(6, 9)\nx[:, 1:4] = torch.ones(6, 5)",
        "expand",
        {"target": (6, 3), "given": (6, 5), "axis": 1},
    ),
    ("torch.zeros(9).add_(torch.ones(6, 9))", "expand", {"given": (9,), "target": (6, 9)}),
    ("nn.Linear(20, 3)(torch.randn(4, 10, 21))", "matmul", {"left": (40, 21), "right": (20, 3)}),
    ("torch.randn(5, 6) @ torch.randn(7, 8)", "matmul", {"left": (5, 6), "right": (7, 8)}),
    ("torch.randn(2, 5, 6) @ torch.randn(2, 7, 8)", "batched-matmul", {"expected": (2, 6), "got": (2, 7)}),
    ("torch.einsum('ab,bc', torch.randn(3, 4), torch.randn(5, 6))", "einsum", {"subscript": "b", "a": 4, "b": 5}),
    (
        "x = torch.randn(9, 2, 12)\nnn.MultiheadAttention(12, 3)(x, x, x, attn_mask=torch.zeros(9, 8))",
        "attention",
        {"mask": (9, 8), "expected": (9, 9), "what": "mask"},
    ),
    ("nn.MultiheadAttention(12, 5)", "attention", {"what": "heads"}),
    (
        "nn.Conv1d(6, 12, 3, groups=2)(torch.randn(4, 8, 50))",
        "conv-channels",
        {"weight": (12, 3, 3), "input": (4, 8, 50), "expected": 6, "got": 8, "groups": 2},
    ),
    (
        "nn.ConvTranspose1d(6, 12, 3)(torch.randn(4, 8, 50))",
        "conv-channels",
        {"weight": (6, 12, 3), "input": (4, 8, 50), "expected": 6, "got": 8, "transposed": True},
    ),
    ("nn.Conv3d(1, 2, 3, groups=2)", "groups", {"what": "in_channels"}),
    ("nn.GroupNorm(7, 20)", "groups", {"channels": 20, "groups": 7}),
    (
        "nn.Conv2d(3, 8, 7, padding=1)(torch.randn(1, 3, 4, 20))",
        "window",
        {"padded": (6, 22), "kernel": (7, 7)},
    ),
    (
        "nn.MaxPool2d(4)(torch.randn(2, 16, 3, 9))",
        "window",
        {"input": (16, 3, 9), "output": (16, 0, 2)},
    ),
    (
        "F.pad(torch.randn(2, 5, 4), (6, 1), mode='reflect')",
        "padding",
        {"padding": (6, 1), "axis": 2, "input": (2, 5, 4)},
    ),
    (
        "nn.ConvTranspose2d(2, 2, 3, 2)(torch.randn(1, 2, 4, 4), output_size=(12, 12))",
        "transposed-output",
        {"requested": (12, 12), "least": (9, 9), "most": (10, 10)},
    ),
    ("nn.BatchNorm1d(31)(torch.randn(8, 32))", "norm", {"expected": 31, "got": 32}),
    (
        "nn.LayerNorm((3, 32))(torch.randn(8, 3, 31))",
        "norm",
        {"normalized_shape": (3, 32), "input": (8, 3, 31)},
    ),
    ("nn.BatchNorm2d(9)(torch.randn(1, 9, 1, 1))", "norm-one-value", {"input": (1, 9, 1, 1)}),
    ("torch.randn(6, 35).reshape(6, 4, 9)", "reshape", {"shape": (6, 4, 9), "count": 210}),
    ("torch.randn(6, 35).view(-1, 4)", "reshape", {"shape": (None, 4), "count": 210}),
    ("torch.randn(5, 6, 7).permute(2, 0, 1).view(-1)", "view-stride", {}),
    ("torch.randn(5, 6).sum(dim=3)", "axis-range", {"axis": 3, "least": -2, "most": 1}),
    ("torch.randn(5, 6).permute(0, 2, 1)", "axis-range", {"rank": 2, "given": 3}),
    (
        "torch.cat([torch.randn(4, 3, 20, 20), torch.randn(4, 5, 20, 21)], 1)",
        "concat",
        {"axis": 1, "expected": 20, "got": 21, "index": 1},
    ),
    (
        "torch.cat([torch.randn(4, 6, device='meta'), torch.randn(5, 7, device='meta')], 1)",
        "concat",
        {"axis": 1, "differs": 0, "expected": 4, "got": 5},
    ),
    ("torch.cat([torch.randn(4, 6), torch.randn(4)], 1)", "concat", {"op": "cat", "left_rank": 2, "right_rank": 1}),
    (
        "torch.utils.data.default_collate([torch.zeros(3, 8), torch.zeros(3, 8), torch.zeros(3, 7)])",
        "stack",
        {"first": (3, 8), "other": (3, 7), "entry": 2},
    ),
    ("torch.randn(4, 10).split([3, 3], 1)", "split", {"sizes": (3, 3), "size": 10, "axis": 1}),
    (
        "torch.randn(6, 7)[torch.ones(6, 8).bool()]",
        "index-shape",
        {"mask": (6, 8), "input": (6, 7), "axis": 1, "input_axis": 1},
    ),
    (
        "x = torch.zeros(6, 7)\nx[torch.ones(6).bool()] = torch.ones(4, 7)",
        "index-shape",
        {"value": (4, 7), "selected": (6, 7)},
    ),
    ("torch.zeros(30522, 1)[30525]", "index-range", {"index": 30525, "size": 30522, "axis": 0}),
    ("F.cross_entropy(torch.randn(1, 4), torch.tensor([-1]))", "classes", {"index": -1}),
    ("torch.zeros(3, 4)[5]", "index-range", {"index": 5, "size": 3, "axis": 0}),
    ("torch.zeros(3, 4)[torch.tensor([-5])]", "index-range", {"index": -5, "size": 3, "axis": 0}),
    ("nn.Conv2d(1, 1, 3)(torch.randn(6, 7))", "rank", {"op": "conv2d", "input": (6, 7)}),
    ("nn.BatchNorm3d(5)(torch.randn(6, 5))", "rank", {"expected": "5D", "got": 2}),
    ("nn.GRU(5, 6)(torch.randn(1, 2, 3, 5))", "rank", {"op": "GRU", "expected": "2D or 3D", "got": 4}),
    ("nn.GRU(12, 6)(torch.randn(9, 4, 13))", "recurrent", {"expected": 12, "got": 13}),
    (
        "nn.GRU(12, 6, num_layers=2)(torch.randn(9, 4, 12), torch.zeros(2, 9, 6))",
        "recurrent-state",
        {"expected": (2, 4, 6), "got": (2, 9, 6)},
    ),
    ("F.nll_loss(torch.randn(12, 4), torch.zeros(11).long())", "target-batch", {"output": 12, "target": 11}),
    (
        "F.cross_entropy(torch.randn(12, 4, 6), torch.zeros(12, 5).long())",
        "target-shape",
        {"expected": (12, 6), "target": (12, 5)},
    ),
    (
        "F.binary_cross_entropy_with_logits(torch.randn(12, 4), torch.zeros(12))",
        "target-shape",
        {"output": (12, 4), "target": (12,)},
    ),
    ("F.cross_entropy(torch.randn(12, 4), torch.zeros(12, 3).long())", "target-rank", {"expected": "0D or 1D"}),
    (
        "F.cross_entropy(torch.randn(2, 4, 6, 6), torch.zeros(2, 1, 6, 6).long())",
        "target-rank",
        {"expected": "3D", "got": 4},
    ),
    ("F.cross_entropy(torch.randn(2, 4), torch.tensor([1, 4]))", "classes", {"index": 4}),
    (
        "nn.Conv2d(3, 16, 5).load_state_dict(nn.Conv2d(1, 16, 5).state_dict())",
        "weights",
        {"parameter": "weight", "checkpoint": (16, 1, 5, 5), "model": (16, 3, 5, 5)},
    ),
    (
        "nn.Linear(2, 3, bias=False).load_state_dict({'module.weight': torch.zeros(3, 2)})",
        "weight-names",
        {"missing": "weight"},
    ),
    ("torch.utils.data.TensorDataset(torch.zeros(4), torch.zeros(5))", "data-lengths", {}),
    ("torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0]])", "samples", {"expected": 3, "got": 2}),
    (
        "torch.compile(lambda x: x @ torch.ones(5, 7), backend='eager')(torch.ones(4, 6))",
        "matmul",
        {"left": (4, 6), "right": (5, 7)},
    ),
    (
        "torch.vmap(lambda x: x + torch.ones(5))(torch.ones(3, 4))",
        "elementwise",
        {"a": 4, "b": 5, "axis": 1},
    ),
)
"""What people do, and all that has to be read of it."""


@pytest.mark.parametrize(("code", "fault", "facts"), RAISED, ids=[code for code, _, _ in RAISED])
def test_reads(code: str, fault: str, facts: Mapping[str, Any]) -> None:
    first = found(raised(code, NAMES))[0]
    assert first.fault == fault
    assert {fact: first.facts.get(fact) for fact in facts} == facts


def test_every_name_of_a_state_dict_error_is_read() -> None:
    model = "nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))"
    message = raised(
        f"{model}.load_state_dict({{'0.weight': torch.zeros(3, 5), '0.bias': torch.zeros(6), 'extra': 1}})", NAMES
    )
    told = [
        (one.fault, one.facts.get("parameter", one.facts.get("missing", one.facts.get("unexpected"))))
        for one in found(message)
    ]
    assert told == [
        ("weight-names", "1.weight"),
        ("weight-names", "extra"),
        ("weights", "0.weight"),
        ("weights", "0.bias"),
    ]


ORDINARY = (
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 79.15 GiB total capacity)",
    "RuntimeError: expected scalar type Float but found Double",
    "RuntimeError: expected m1 and m2 to have the same dtype, but got: float != double",
    "RuntimeError: mat1 and mat2 must have the same dtype, but got Float and Half",
    "RuntimeError: Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) should be the same",
    "RuntimeError: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
    " (when checking argument for argument mat1 in method wrapper_CUDA_addmm)",
    "RuntimeError: CUDA error: device-side assert triggered",
    "RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, opa, opb, m, n, k)`",
    "RuntimeError: cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
    "RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation:"
    " [torch.FloatTensor [64, 10]], which is output 0 of AsStridedBackward0, is at version 2; expected version 1",
    "RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors)",
    "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn",
    "RuntimeError: Expected to have finished reduction in the prior iteration before starting a new one.",
    "RuntimeError: Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int;"
    " but got torch.FloatTensor instead (while checking arguments for embedding)",
    "RuntimeError: all elements of input should be between 0 and 1",
    "RuntimeError: Error(s) in loading state_dict for Net:",
    "RuntimeError: DataLoader worker (pid 4711) is killed by signal: Killed.",
    "RuntimeError: Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False.",
    "RuntimeError: Found no NVIDIA driver on your system.",
    "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
    "RuntimeError: Numpy is not available",
    "RuntimeError: stack smashing detected",
    "_pickle.UnpicklingError: invalid load key, 'v'.",
    "AttributeError: 'NoneType' object has no attribute 'shape'",
    "AttributeError: 'tuple' object has no attribute 'size'",
    "TypeError: conv2d() received an invalid combination of arguments - got (tuple, Parameter, Parameter, tuple, tuple,"
    " tuple, int), but expected one of: * (Tensor input, Tensor weight, Tensor bias, tuple of ints stride)",
    "TypeError: forward() takes 2 positional arguments but 3 were given",
    "TypeError: Caught TypeError in DataLoader worker process 0.",
    "TypeError: default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'X'>",
    "KeyError: 'input_ids'",
    "KeyError: (3, 224, 224)",
    "IndexError: list index out of range",
    "IndexError: tuple index out of range",
    "IndexError: string index out of range",
    "ValueError: not enough values to unpack (expected 2, got 1)",
    "ValueError: too many values to unpack (expected 2)",
    "ValueError: optimizer got an empty parameter list",
    "ValueError: num_samples should be a positive integer value, but got num_samples=0",
    "ValueError: invalid literal for int() with base 10: '3x3'",
    "FileNotFoundError: [Errno 2] No such file or directory: 'data/batch_32/shape_[3, 224, 224].pt'",
    "AssertionError: Torch not compiled with CUDA enabled",
    "ModuleNotFoundError: No module named 'torch.shape'",
    "torch._dynamo.exc.Unsupported: call_function BuiltinVariable(print) [ConstantVariable(str)] {}",
    "UserWarning: Detected call of `lr_scheduler.step()` before `optimizer.step()`.",
    "UserWarning: The default value of the antialias parameter will change from None to True",
    "[rank1]: NCCL WARN Cuda failure 'out of memory'",
    "Epoch 3/90  loss 2.3  shape torch.Size([64, 3, 224, 224])  size 64 x 3",
    "input size (3, 224, 224), output size (1000,), expected about 25 M parameters",
    "Estimated Total Size (MB): 62.79, Input size (MB): 0.57, Forward/backward pass size (MB): 322.14",
    "INFO model: Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3)) weight of size [64, 3, 7, 7]",
    "batch 12: expected input of 128 tokens, but got 131 after padding; dimension 1 will be cut",
    "100%|##########| 391/391 [00:12<00:00, 31.2it/s, dim=2, size mismatch=0]",
)
"""Errors and lines of logs that speak of tensors and sizes, and are of no shape that does not fit."""


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not_read(text: str) -> None:
    assert [one.template.text for one in found(text) if not one.template.beside] == []


@pytest.mark.parametrize("line", ("a, b = text.split()", "kind = names[3]", ""))
@pytest.mark.parametrize(
    "error", ("ValueError: not enough values to unpack (expected 2, got 1)", "IndexError: tuple index out of range")
)
def test_what_python_says_of_any_tuple_is_read_beside_a_shape_only(line: str, error: str) -> None:
    def pasted(source: str) -> str:
        return f'Traceback (most recent call last):\n  File "net.py", line 3, in forward\n    {source}\n{error}\n'

    assert not errors_of(pasted(line))
    assert errors_of(pasted("length, width = x.shape[3]"))
