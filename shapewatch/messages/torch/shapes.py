"""Reshaping, and axes that are not there."""

from __future__ import annotations

from shapewatch.messages.nouns import Template
from shapewatch.messages.torch.dimensions import NO_SCALARS

RESHAPE = (
    Template(
        "shape '{shape:shape}' is invalid for input of size {count:n}",
        "reshape",
        example="torch.randn(1600).view(-1, 576)",
    ),
    Template(
        "Wrong size for view. Input size: {input:shape}. Output size: {shape:shape}",
        "reshape",
        seen="Wrong size for view. Input size: 1x512x8x8. Output size: 1x512x4x4",
        release="before 1.0, and Torch 7",
    ),
    Template(
        "size '{shape:shape}' is invalid for input with {count:n} elements",
        "reshape",
        seen="invalid argument 2: size '[-1 x 400]' is invalid for input with 6304 elements at"
        " /pytorch/torch/lib/TH/THStorage.c:37",
        release="0.1 to 0.4",
    ),
    Template(
        "size '{shape:shape}' is invalid for input of with {count:n} elements",
        "reshape",
        seen="size '[64 x 5 x 7 x 13 x 13]' is invalid for input of with 1352000 elements at"
        " /b/wheel/pytorch-src/torch/lib/TH/THStorage.c:59",
        release="0.1",
    ),
    Template(
        "cannot reshape tensor of {count:n} elements into shape {shape:shape} because the unspecified dimension",
        "reshape",
        example="torch.empty(0, 3).reshape(-1, 0)",
    ),
    Template(
        "unflatten: Provided sizes {shape:shape} don't multiply up to the size of dim {axis:axis} ({count:n}) in the"
        " input tensor",
        "reshape",
        {"op": "unflatten"},
        example="nn.Unflatten(1, (2, 4))(torch.randn(2, 9))",
    ),
    Template(
        "invalid shape dimension {size:axis} at index {axis:axis} of shape {shape:shape}",
        "reshape",
        example="torch.randn(2, 3).view(-2, 3)",
    ),
    Template(
        "only one dimension can be inferred",
        "reshape",
        example="torch.randn(2, 3).view(-1, -1)",
    ),
    Template(
        "view size is not compatible with input tensor's size and stride",
        "view-stride",
        example="torch.randn(2, 3, 4).transpose(1, 2).view(2, 12)",
    ),
    Template(
        "Cannot view a tensor with shape {input:shape} and strides {strides:shape} as a tensor with shape"
        " {shape:shape}",
        "view-stride",
        example="torch._refs.view(torch.randn(2, 3, 4).transpose(1, 2), (2, 12))",
    ),
    Template(
        "view: input is not contiguous",
        "view-stride",
        seen="view: input is not contiguous",
        release="0.1 and 0.2",
    ),
    Template(
        "invalid argument {argument:n}: input is not contiguous at",
        "view-stride",
        seen="invalid argument 1: input is not contiguous at /pytorch/torch/lib/TH/generic/THTensor.c:231",
        release="0.1 and 0.2",
    ),
    Template(
        "setStorage: sizes {shape:shape}, strides {strides:shape}, storage offset {offset:n}, and itemsize {itemsize:n}"
        " requiring a storage size of {required:n} are out of bounds for storage of size {size:n}",
        "only-dress",
        {"op": "as_strided"},
        example="torch.randn(4).as_strided((3, 3), (3, 1), 0)",
    ),
    Template(
        "Dimension size must be non-negative",
        "only-dress",
        {"op": "zeros"},
        example="torch.zeros(-1, 3)",
    ),
    Template(
        "Trying to create tensor with negative dimension {size:axis}: {shape:shape}",
        "only-dress",
        example="torch.empty(-4, 3)",
    ),
    Template(
        "sizes must be non-negative",
        "only-dress",
        seen="sizes must be non-negative",
        release="0.4 to 1.4",
    ),
    Template(
        "narrow(): length must be non-negative",
        "only-dress",
        {"op": "narrow"},
        example="torch.randn(5).narrow(0, 0, -1)",
    ),
)

AXES = (
    Template(
        "Dimension out of range (expected to be in range of [{least:axis}, {most:axis}], but got {axis:axis})",
        "axis-range",
        example="torch.randn(5, 3).transpose(1, 2)",
    ),
    Template(
        "Dimension out of range (expected to be in range of [{least:axis}, {most:axis}], but got {axis:axis}",
        "axis-range",
        seen="dimension out of range (expected to be in range of [-1, 0], but got 1",
        release="texts that lost their tail",
    ),
    Template(
        "Dimension specified as {axis:axis} but tensor has no dimensions",
        "axis-range",
        {"rank": 0, **NO_SCALARS},
        example="torch.tensor(1.0).unbind(0)",
    ),
    Template(
        "dimension {axis:axis} out of range of {rank:n}D tensor",
        "axis-range",
        seen="invalid argument 2: dimension 1 out of range of 1D tensor at /pytorch/torch/lib/TH/generic/THTensor.c:24",
        release="0.1 to 0.4",
    ),
    Template(
        "the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = {rank:n}"
        " is not equal to len(dims) = {given:n}",
        "axis-range",
        {"op": "permute"},
        example="torch.randn(5, 6, 7).permute(0, 3, 1, 2)",
    ),
    Template(
        "number of dims don't match in permute",
        "axis-range",
        {"op": "permute"},
        seen="number of dims don't match in permute",
        release="0.2 to 1.10",
    ),
    Template(
        "permute(): duplicate dims are not allowed",
        "axis-range",
        {"op": "permute"},
        example="torch.randn(2, 3, 4).permute(0, 1, 1)",
    ),
    Template(
        "flatten() has invalid args: start_dim cannot come after end_dim",
        "axis-range",
        {"op": "flatten"},
        example="torch.randn(2, 3, 4).flatten(2, 1)",
    ),
    Template(
        "Got in_dim={axis:axis} for some input, but that input is a Tensor of dimensionality {rank:n}",
        "axis-range",
        {"op": "vmap"},
        example="torch.vmap(torch.sum, in_dims=2)(torch.randn(5, 3))",
    ),
    Template(
        "shifts and dimensions must align. shifts: {shifts:n}, dims: {given:n}",
        "axis-range",
        {"op": "roll"},
        example="torch.roll(torch.randn(3, 3), (1,), (0, 1))",
    ),
    Template(
        "movedim: Invalid source or destination dims: source ({source:shape} dims) should contain the same number of"
        " dims as destination ({destination:shape} dims)",
        "axis-range",
        {"op": "movedim"},
        example="torch.randn(2, 3).movedim((0, 1), (0,))",
    ),
)

TEMPLATES = RESHAPE + AXES
