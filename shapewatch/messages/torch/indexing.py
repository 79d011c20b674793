"""Masks, gather and scatter, assignments to a part, indices beyond the end."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

SHAPES = (
    Template(
        "The shape of the mask {mask:shape} at index {axis:axis} does not match the shape of the indexed tensor"
        " {input:shape} at index {input_axis:axis}",
        "index-shape",
        example="torch.randn(8, 10)[torch.ones(4, 10).bool()]",
    ),
    Template(
        "shape mismatch: value tensor of shape {value:shape} cannot be broadcast to indexing result of shape"
        " {selected:shape}",
        "index-shape",
        example="torch.zeros(10, 8)[[0, 1, 2]] = torch.ones(5, 8)",
    ),
    Template(
        "shape mismatch: indexing tensors could not be broadcast together with shapes {indices:shapes}",
        "index-shape",
        example="torch.randn(5, 5)[torch.zeros(2).long(), torch.zeros(3).long()]",
    ),
    Template(
        "Number of elements of source < number of ones in mask",
        "index-shape",
        {"op": "masked_scatter"},
        example="torch.zeros(6).masked_scatter(torch.ones(6).bool(), torch.ones(4))",
    ),
    Template(
        "Size does not match at dimension {axis:axis} expected index {index:shape} to be no larger than self"
        " {input:shape}",
        "index-shape",
        {"op": "gather"},
        example="torch.gather(torch.randn(2, 3), 1, torch.zeros(4, 1).long())",
    ),
    Template(
        "Size does not match at dimension {axis:axis} expected index {index:shape} to be smaller than self"
        " {input:shape}",
        "index-shape",
        {"op": "gather"},
        seen="Size does not match at dimension 0 expected index [4, 1] to be smaller than self [2, 3] apart from"
        " dimension 1",
        release="1.7 to 1.12",
    ),
    Template(
        "Size does not match at dimension {axis:axis} get {got:n} vs {expected:n}",
        "index-shape",
        {"op": "gather"},
        seen="Size does not match at dimension 0 get 2 vs 1",
        release="1.5 to 1.9, on a GPU",
    ),
    Template(
        "Expected index {index:shape} to be {_order:text} than self {input:shape} apart from dimension"
        " {along:axis} and to be {_size:text} size than src {value:shape}",
        "index-shape",
        {"op": "scatter"},
        example="torch.zeros(2, 3).scatter_(1, torch.zeros(4, 1).long(), torch.ones(4, 1))",
    ),
    Template(
        "Expected index {index:shape} to be {_order:text} than self {input:shape} apart from dimension {along:axis}",
        "index-shape",
        {"op": "scatter"},
        example="torch.zeros(2, 3).scatter_(1, torch.zeros(4, 1).long(), 1.0)",
    ),
    Template(
        "Expected tensor {input:shape} , src {value:shape} and index {index:shape} to have the same size apart from"
        " dimension {along:axis}",
        "index-shape",
        {"op": "scatter"},
        seen="Expected tensor [32, 1], src [128, 5] and index [32, 1] to have the same size apart from dimension 1",
        release="0.3 to 1.4",
    ),
    Template(
        "{_what:Index|Input} tensor must have same dimensions as {_other:input|output|self|src} tensor",
        "index-shape",
        {
            "op": "gather or scatter",
            "releases": "reductions and selections gave other numbers of axes in early releases, up to 0.3",
        },
        seen="Index tensor must have same dimensions as input tensor at"
        " /pytorch/torch/lib/THC/generic/THCTensorScatterGather.cu:111",
        release="0.1 to 1.4",
    ),
    Template(
        "{_what:Index|Input} tensor must have {_same:text} dimensions as {_other:input|output|self|src} tensor",
        "index-shape",
        {"op": "gather or scatter"},
        example="torch.gather(torch.randn(2, 3), 1, torch.zeros(2).long())",
    ),
    Template(
        "torch.take_along_dim(): input and indices should have the same number of dimensions, but got {expected:n}"
        " dimensions for input, and {got:n} dimensions for indices",
        "rank",
        {"op": "take_along_dim"},
        example="torch.take_along_dim(torch.randn(2, 3), torch.zeros(2).long(), 1)",
    ),
    Template(
        "{op:index_add_|index_copy_|index_add|index_copy}(): Number of indices ({indices:n}) should be equal to"
        " source.size(dim){_colon:text}({entries:n})",
        "index-shape",
        example="torch.zeros(5, 3).index_copy_(0, torch.tensor([0, 1]), torch.ones(3, 3))",
    ),
    Template(
        "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape ="
        " {input:shape} source.shape = {value:shape}",
        "index-shape",
        {"op": "index_add_"},
        example="torch.zeros(5, 3).index_add_(0, torch.tensor([0, 1]), torch.ones(2, 4))",
    ),
    Template(
        "tensor must have same slice shapes. Destination slice shape: {input:shape} at dimension {axis:axis} and source"
        " slice shape: {value:shape}",
        "index-shape",
        {"op": "index_copy_"},
        example="torch.zeros(5, 3).index_copy_(0, torch.tensor([0, 1]), torch.ones(2, 4))",
    ),
    Template(
        "Expected shape of indices to be same as that of the input tensor ({input:shape}) but got indices tensor with"
        " shape: {index:shape}",
        "index-shape",
        {"op": "max_unpool"},
        example="p, i = F.max_pool2d(torch.randn(1, 3, 8, 8), 2, return_indices=True)\nF.max_unpool2d(p, i[:, :2], 2)",
    ),
    Template(
        "index_select(): Index is supposed to be a vector",
        "rank",
        {"op": "index_select", "expected": "1D index"},
        example="torch.randn(5, 3).index_select(0, torch.zeros(2, 2).long())",
    ),
    Template(
        "boundaries tensor should be {rank:n} dimension or the first N-1 dimensions of boundaries tensor and input"
        " value tensor must match, but we got boundaries tensor {left:shape} and input value tensor {right:shape}",
        "only-dress",
        {"op": "searchsorted"},
        example="torch.searchsorted(torch.randn(2, 3), torch.randn(3, 2))",
    ),
)

RANGE = (
    Template(
        "index {index:axis} is out of bounds for dimension {axis:axis} with size {size:n}",
        "index-range",
        example="torch.randn(2, 3)[:, 7]",
    ),
    Template(
        "index {index:axis} is out of range for dimension {axis:axis} (of size {size:n})",
        "index-range",
        seen="index 10 is out of range for dimension 0 (of size 10)",
        release="0.2 and 0.3",
    ),
    Template(
        "k not in range for dimension",
        "index-range",
        {"op": "topk"},
        seen="invalid argument 5: k not in range for dimension at /pytorch/aten/src/THC/generic/THCTensorTopK.cu:23",
        release="0.2 to 1.7",
    ),
    Template(
        "select(): index {index:axis} out of range for tensor of size {input:shape} at dimension {axis:axis}",
        "index-range",
        {"op": "select"},
        example="torch.randn(5, 3).select(0, 7)",
    ),
    Template(
        "start ({index:axis}) + length ({length:n}) exceeds dimension size ({size:n})",
        "index-range",
        {"op": "narrow"},
        example="torch.randn(5).narrow(0, 3, 4)",
    ),
    Template(
        "index out of range: Tried to access index {index:axis} out of table with {last:n} rows",
        "index-range",
        {"op": "embedding"},
        seen="index out of range: Tried to access index 12 out of table with 9 rows. at"
        " /pytorch/aten/src/TH/generic/THTensorEvenMoreMath.cpp:418",
        release="1.2 to 1.4",
    ),
    Template(
        "index out of range in self",
        "index-range",
        {"op": "embedding"},
        example="nn.Embedding(10, 4)(torch.tensor([12]))",
    ),
    Template(
        "index out of range at {_file:text}TH",
        "index-range",
        {"op": "embedding"},
        seen="index out of range at /pytorch/aten/src/TH/generic/THTensorMath.cpp:352",
        release="0.2 to 1.1",
    ),
    Template(
        "Invalid index in {op:gather|scatter|scatterAdd} at",
        "index-range",
        seen="Invalid index in gather at /pytorch/aten/src/TH/generic/THTensorEvenMoreMath.cpp:459",
        release="0.2 to 1.4",
    ),
    Template(
        "selected index k out of range",
        "index-range",
        {"op": "topk"},
        example="torch.randn(3).topk(5)",
    ),
    Template(
        "indices in 'edge_index' point to valid indices in the interval [0, {last:n}] (got interval [{least:axis},"
        " {index:axis}])",
        "index-range",
        {"op": "edge_index"},
        seen="Encountered an index error. Please ensure that all indices in 'edge_index' point to valid indices in the"
        " interval [0, 33] (got interval [0, 39])",
        release="torch_geometric",
    ),
    Template(
        "Assertion `srcIndex < srcSelectDimSize` failed",
        "index-range",
        {"op": "embedding"},
        seen="../aten/src/ATen/native/cuda/Indexing.cu:1141: indexSelectLargeIndex: block: [12,0,0], thread: [32,0,0]"
        " Assertion `srcIndex < srcSelectDimSize` failed.",
        release="0.2 to 2.13, on a GPU",
    ),
    Template(
        'Assertion `{_condition:text}"index out of bounds"',
        "index-range",
        seen="../aten/src/ATen/native/cuda/ScatterGatherKernel.cu:144: operator(): block: [0,0,0], thread: [3,0,0]"
        ' Assertion `idx_dim >= 0 && idx_dim < index_size && "index out of bounds"` failed.',
        release="1.5 to 2.13, on a GPU",
    ),
    Template(
        "Assertion `indexValue >= 0 && indexValue < {_limit:text}` failed",
        "index-range",
        {"op": "gather or scatter"},
        seen="THCudaScatterGather.cu:188: Assertion `indexValue >= 0 && indexValue < tensor.sizes[dim]` failed.",
        release="0.2 to 1.7, on a GPU",
    ),
)

TEMPLATES = SHAPES + RANGE
