"""Where tensors meet: element by element, broadcast, concatenated, stacked, split."""

from __future__ import annotations

from shapewatch.messages.nouns import Template
from shapewatch.messages.torch.dimensions import NO_SCALARS

ELEMENTWISE = (
    Template(
        "The size of tensor a ({a:n}) must match the size of tensor b ({b:n}) at non-singleton dimension {axis:axis}",
        "elementwise",
        example="torch.randn(2, 64, 28, 28) + torch.randn(2, 256, 28, 28)",
    ),
    Template(
        "The size of tensor a {a:n} must match the size of tensor b ({b:n}) at non-singleton dimension {axis:axis}",
        "elementwise",
        seen="The size of tensor a 64 must match the size of tensor b (256) at non-singleton dimension 1",
        release="shape functions of TorchScript, 1.10 to 2.13",
    ),
    Template(
        "Attempting to broadcast a dimension of length {b:n} at {axis:axis}! Mismatching argument at index"
        " {operand:n} had {right:shape}; but expected shape should be broadcastable to {left:shape}",
        "elementwise",
        {"traced": True},
        example="torch.randn(2, 64, 8, device='meta') + torch.randn(2, 128, 8, device='meta')",
    ),
    Template(
        "Attempting to broadcast a dimension of length {b:n} at {axis:axis}",
        "elementwise",
        {"traced": True},
        seen="Attempting to broadcast a dimension of length 2 at -1!",
        release="2.1 to 2.3",
    ),
    Template(
        "Attempting to broadcast a dimension of length {b:n}!",
        "elementwise",
        {"traced": True},
        seen="Attempting to broadcast a dimension of length 128!",
        release="1.12 to 2.0",
    ),
    Template(
        "inconsistent tensor size, expected tensor {left:shape} and {_of:src|mask} {right:shape} to have the"
        " same number of elements",
        "elementwise",
        example="torch.dot(torch.randn(3), torch.randn(4))",
    ),
    Template(
        "inconsistent tensor size, expected tensor {left:shape} and src {right:shape} to have thesame number of",
        "elementwise",
        example="torch.dot(torch.randn(3, device='meta'), torch.randn(4, device='meta'))",
    ),
    Template(
        "inconsistent tensor size, expected {_of:word} {result:shape}, t {left:shape} and src {right:shape} to have the"
        " same number of elements",
        "elementwise",
        seen="inconsistent tensor size, expected r_ [64 x 10], t [64 x 10] and src [64 x 1] to have the same number of"
        " elements, but got 640, 640 and 64 elements respectively at /pytorch/torch/lib/TH/generic/THTensorMath.c:887",
        release="0.2 and 0.3",
    ),
    Template(
        "to have same size as tensor for argument #{_argument:n} '{_what:word}'; but {left:shape} does not equal"
        " {right:shape}",
        "elementwise",
        seen="Expected tensor for argument #1 'grad_output' to have same size as tensor for argument #2 'weight'; but"
        " [4, 3] does not equal [4, 5] (while checking arguments for cudnn_batch_norm)",
        release="0.4 to 2.13, on a GPU",
    ),
    Template(
        "Value is not broadcastable with batch_shape+event_shape: {left:shape} vs {right:shape}",
        "elementwise",
        {"op": "log_prob"},
        example="torch.distributions.Normal(torch.zeros(4), 1.0, validate_args=True).log_prob(torch.zeros(3))",
    ),
    Template(
        "inconsistent tensor sizes at {_file:text}TH",
        "concat",
        seen="inconsistent tensor sizes at /pytorch/torch/lib/TH/generic/THTensorMath.c:2864",
        release="0.1 and 0.2",
    ),
    Template(
        "sizes do not match at {_file:text}TH",
        "only-dress",
        seen="invalid argument 3: sizes do not match at /pytorch/torch/lib/THC/THCTensorMathPointwise.cuh:217",
        release="0.1 and 0.2",
    ),
    Template(
        "X1 and X2 must have the same number of columns. X1: {a:n} X2: {b:n}",
        "elementwise",
        {"op": "cdist", "axis": -1},
        example="torch.cdist(torch.randn(2, 3), torch.randn(2, 4))",
    ),
    Template(
        "repeats must have the same size as input along dim, but got repeats.size(0) = {b:n} and"
        " input.size({axis:axis}) = {a:n}",
        "elementwise",
        {"op": "repeat_interleave"},
        example="torch.randn(3, 5).repeat_interleave(torch.ones(2).long(), dim=0)",
    ),
    Template(
        "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [{a:n}, {b:n}",
        "elementwise",
        {"op": "vmap"},
        example="torch.vmap(torch.add)(torch.randn(2, 3), torch.randn(4, 3))",
    ),
    Template(
        "grid_sampler(): expected grid and input to have same batch size, but got input with sizes {input:shape} and"
        " grid with sizes {grid:shape}",
        "only-dress",
        {"op": "grid_sample"},
        example="F.grid_sample(torch.randn(2, 3, 4, 4), torch.randn(3, 4, 4, 2), align_corners=False)",
    ),
    Template(
        "grid_sampler(): expected grid and input to have the same batch size, but {_came:got|received} input with sizes"
        " {input:shape} and grid with sizes {grid:shape}",
        "only-dress",
        {"op": "grid_sample"},
        seen="grid_sampler(): expected grid and input to have the same batch size, but received input with sizes"
        " [2, 3, 4, 4] and grid with sizes [3, 4, 4, 2]",
        release="other devices",
    ),
    Template(
        "Mismatch in shape: grad_output[{operand:n}] has a shape of {right:shape} and output[{output:n}] has a shape of"
        " {left:shape}",
        "gradient",
        {"op": "backward"},
        example="torch.randn(3, requires_grad=True).mul(2).backward(torch.ones(2))",
    ),
    Template(
        "Function {function:word} returned an invalid gradient at index {operand:n} - got {right:shape} but expected"
        " shape compatible with {left:shape}",
        "gradient",
        {"op": "backward"},
        example="class Sum(torch.autograd.Function):\n"
        "    forward = staticmethod(lambda ctx, x: x.sum())\n"
        "    backward = staticmethod(lambda ctx, g: torch.ones(4))\n"
        "Sum.apply(torch.randn(3, requires_grad=True)).backward()",
    ),
    Template(
        "invalid gradient at index {operand:n} - expected shape {left:shape} but got {right:shape}",
        "gradient",
        {"op": "backward"},
        seen="invalid gradient at index 0 - expected shape [] but got [4]",
        release="0.4 to 1.4",
    ),
    Template(
        "attempting to assign a gradient of size '{right:shape}' to a tensor of size '{left:shape}'",
        "elementwise",
        {"op": "grad"},
        example="torch.randn(3, requires_grad=True).grad = torch.randn(4)",
    ),
    Template(
        "Registering a parametrization may not change the shape of the tensor, unless `unsafe` flag is enabled."
        " unparametrized shape: {left:shape} parametrized shape: {right:shape}",
        "only-dress",
        {"op": "parametrization"},
        example="class First(nn.Module):\n    def forward(self, x):\n        return x[:1]\n"
        "nn.utils.parametrize.register_parametrization(nn.Linear(2, 2), 'weight', First())",
    ),
)

EXPAND = (
    Template(
        "The expanded size of the tensor ({a:n}) must match the existing size ({b:n}) at non-singleton dimension"
        " {axis:axis}. Target sizes: {target:shape}. Tensor sizes: {given:shape}",
        "expand",
        example="torch.randn(96).expand(96, 64)",
    ),
    Template(
        "The expanded size of the tensor ({a:n}) must match the existing size ({b:n}) at non-singleton dimension"
        " {axis:axis}",
        "expand",
        seen="The expanded size of the tensor (3) must match the existing size (2) at non-singleton dimension 1."
        " at /pytorch/torch/lib/TH/generic/THTensor.c:309",
        release="0.2 to 1.4",
    ),
    Template(
        "The expanded size of the tensor ({a:n}) isn't allowed in a leading, non-existing dimension {axis:axis}",
        "expand",
        example="torch.randn(3).expand(-1, 3)",
    ),
    Template(
        "expand({_type:text}{given:shape}}, size={target:shape}): the number of sizes provided",
        "expand",
        example="torch.randn(2, 3).expand(3)",
    ),
    Template(
        "expand: attempting to expand a dimension of length {b:n} -> {a:n}",
        "expand",
        example="torch._refs.expand(torch.randn(96), 96, 64)",
    ),
    Template(
        "expand: attempting to expand a dimension of length {b:n}!",
        "expand",
        seen="expand: attempting to expand a dimension of length 96!",
        release="1.13 to 2.3, on shapes alone",
    ),
    Template(
        "output with shape {given:shape} doesn't match the broadcast shape {target:shape}",
        "expand",
        {"op": "in place"},
        example="torch.randn(1, 28, 28).sub_(torch.ones(3, 1, 1))",
    ),
)

CONCAT = (
    Template(
        "Sizes of tensors must match except in dimension {axis:axis}. Expected size {expected:n} but got size {got:n}"
        " for tensor number {index:n}",
        "concat",
        example="torch.cat([torch.randn(1, 64, 56, 56), torch.randn(1, 64, 57, 57)], dim=1)",
    ),
    Template(
        "Sizes of tensors must match except in dimension {axis:axis}. Expected {expected:n} in dimension"
        " {differs:axis} but got {got:n} for tensor number {index:n}",
        "concat",
        example="torch.cat([torch.randn(2, 3, device='meta'), torch.randn(3, 4, device='meta')], 1)",
    ),
    Template(
        "Sizes of tensors must match except in dimension {axis:axis}. Expected {expected:n} but got {got:n} for tensor"
        " number {index:n}",
        "concat",
        seen="Sizes of tensors must match except in dimension 1. Expected 2 but got 3 for tensor number 1 in the list",
        release="2.0 to 2.3, on shapes alone",
    ),
    Template(
        "Sizes of tensors must match except in dimension {axis:axis}. Got {expected:n} and {got:n} in dimension"
        " {differs:axis}",
        "concat",
        seen="invalid argument 0: Sizes of tensors must match except in dimension 1. Got 24 and 23 in dimension 2 at"
        " /pytorch/aten/src/THC/generic/THCTensorMath.cu:87",
        release="0.2 to 1.9",
    ),
    Template(
        "Sizes of tensors must match except in dimension {axis:axis}. Got {expected:n} and {got:n} (The offending index"
        " is {index:n})",
        "concat",
        seen="Sizes of tensors must match except in dimension 1. Got 57 and 56 (The offending index is 0)",
        release="1.4 to 1.8",
    ),
    Template(
        "Sizes of tensors must match except in dimension {axis:axis}. Got {expected:n} and {got:n}",
        "concat",
        seen="Sizes of tensors must match except in dimension 1. Got 57 and 56",
        release="texts that lost their tail",
    ),
    Template(
        "Sizes of tensors must match expect in dimension {axis:axis}. Got",
        "concat",
        seen="Sizes of tensors must match expect in dimension 1. Got",
        release="quantized tensors; the word is the framework's",
    ),
    Template(
        "Sizes of tensors must match except in dimension {axis:axis}",
        "concat",
        seen="torch.cat(): Sizes of tensors must match except in dimension 1.",
        release="texts that lost their tail",
    ),
    Template(
        "Gather got an input of invalid size: got {right:shape}, but expected {left:shape}",
        "gather",
        {"op": "gather of replicas"},
        seen="Gather got an input of invalid size: got [1, 5], but expected [1, 7] (gather at"
        " /pytorch/torch/csrc/cuda/comm.cpp:183)",
        release="0.4 to 1.5, DataParallel",
    ),
    Template(
        "Input tensor at index {index:n} has invalid shape {right:shape}, but expected {left:shape}",
        "concat",
        {"op": "gather of replicas"},
        seen="Input tensor at index 1 has invalid shape [1, 5], but expected [1, 7]",
        release="1.6 to 2.13, DataParallel",
    ),
    Template(
        "Tensors must have same number of dimensions: got {left_rank:n} and {right_rank:n}",
        "concat",
        {"op": "cat"},
        example="torch.cat([torch.randn(5, 3), torch.randn(5, 3, 4)], 1)",
    ),
    Template(
        "zero-dimensional tensor (at position {index:n}) cannot be concatenated",
        "concat",
        {"op": "cat", "left_rank": 0, **NO_SCALARS},
        example="torch.cat([torch.tensor(1.0), torch.tensor(0.0)])",
    ),
)

STACK = (
    Template(
        "expected a non-empty list of Tensors",
        "only-dress",
        {"op": "cat"},
        example="torch.cat([])",
    ),
    Template(
        "{op:stack|hstack|vstack|dstack} expects a non-empty TensorList",
        "only-dress",
        example="torch.stack([])",
    ),
    Template(
        "stack expects each tensor to be equal size, but got {first:shape} at entry {at:n} and {other:shape} at entry"
        " {entry:n}",
        "stack",
        example="torch.stack([torch.randn(3, 480, 640), torch.randn(3, 427, 640)])",
    ),
    Template(
        "stack expects each tensor to be equal size, but got {first:shape} at entry {at:n} and {other:shape}",
        "stack",
        seen="stack expects each tensor to be equal size, but got [3, 64, 64] at entry 0 and [3, 60, 51]",
        release="texts that lost their tail",
    ),
    Template(
        "stack expects each tensor to be equal size, but got {first:shape} at entry {entry:n}",
        "stack",
        example="torch.stack([torch.randn(2, device='meta'), torch.randn(3, device='meta')])",
    ),
    Template(
        "Stack expects each tensor to be the same size, but got {first:shape} at entry {at:n} and {other:shape} at"
        " entry"
        " {entry:n}",
        "stack",
        seen="Stack expects each tensor to be the same size, but got [3, 8] at entry 0 and [3, 7] at entry 2",
        release="1.13 to 2.13, on nested tensors and under torch.vmap",
    ),
    Template(
        "stack expects each tensor to be equal size",
        "stack",
        seen="stack expects each tensor to be equal size",
        release="1.7, and texts that lost their tail",
    ),
)

SPLIT = (
    Template(
        "split_with_sizes expects split_sizes to sum exactly to {size:n} (input tensor's size at dimension"
        " {axis:axis}), but got split_sizes={sizes:shape}",
        "split",
        example="torch.randn(2, 128).split([42, 42, 42], dim=1)",
    ),
    Template(
        "Split sizes add up to {total:n} but got the tensor's size of {size:n}",
        "split",
        example="torch._refs.split_with_sizes(torch.randn(2, 128), [40, 44], 1)",
    ),
    Template(
        "torch.{op:hsplit|vsplit|dsplit} attempted to split along dimension {axis:axis}, but the size of the"
        " dimension {size:n} is not"
        " divisible by the split_size {parts:n}",
        "split",
        example="torch.hsplit(torch.randn(4, 7), 2)",
    ),
    Template(
        "Halving dimension must be even, but dimension {axis:axis} is size {size:n}",
        "split",
        {"op": "glu", "parts": 2},
        example="nn.GLU(1)(torch.randn(2, 3))",
    ),
)

TEMPLATES = ELEMENTWISE + EXPAND + CONCAT + STACK + SPLIT
