"""Tensors with more or fewer axes than an operation takes."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

NO_SCALARS = {"releases": "up to PyTorch 0.3 a single value was a tensor of one axis; since then it has none"}

TEMPLATES = (
    Template(
        "Expected {expected:text} input to {op:word}, but got input of size: {input:shape}",
        "rank",
        example="nn.Conv2d(3, 8, 3)(torch.randn(1, 1, 3, 32, 32))",
    ),
    Template(
        "expected {argument:stride|padding|dilation|output_padding} to be a single integer value or a list of"
        " {spatial:n} values to match the convolution"
        " dimensions, but got {_same:word}={given:shape}",
        "only-dress",
        {"op": "conv"},
        example="F.conv2d(torch.randn(1, 3, 8, 8), torch.randn(8, 3, 3))",
    ),
    Template(
        "expected at least 3D input (got {got:n}D input)",
        "rank",
        {"op": "norm", "expected": "at least 3", "releases": "SyncBatchNorm takes features of 2 axes from 1.4 on"},
        seen="expected at least 3D input (got 2D input)",
        release="1.1 to 1.3",
    ),
    Template(
        "expected {expected:text} input (got {got:n}D input)",
        "rank",
        {"op": "norm"},
        example="nn.BatchNorm2d(64)(torch.randn(2, 64, 4))",
    ),
    Template(
        "{op:split|chunk} expects at least a 1-dimensional tensor",
        "rank",
        {"expected": "at least 1", "got": 0},
        example="torch.tensor(1.0).split(1)",
    ),
    Template(
        "Expected 3D or higher dimensionality input (got {got:n} dimensions)",
        "rank",
        {"op": "local_response_norm", "expected": "at least 3"},
        example="nn.LocalResponseNorm(2)(torch.randn(2, 3))",
    ),
    Template(
        "{op:max_pool1d|avg_pool1d|max_pool2d|max_pool3d}: Expected {expected:text} tensor with optional 0 dim batch"
        " size"
        " for input, but got: {input:shape}",
        "rank",
        example="nn.MaxPool1d(2)(torch.randn(1, 3, 8, 8))",
    ),
    Template(
        "Expected {expected:text} tensor with optional 0 dim batch size for input, but got: {input:shape}",
        "rank",
        seen="Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:[8, 8]",
        release="1.10 to 2.13, on a GPU",
    ),
    Template(
        "Expected {expected:text} tensor with possibly 0 batch size and other non-zero dimensions for input, but got:"
        " {input:shape}",
        "rank",
        example="F.pad(torch.randn(3, 0, 8), (1, 1, 1, 1), mode='reflect')",
    ),
    Template(
        "non-empty {expected:text} tensor expected for input",
        "rank",
        {"op": "pool"},
        example="nn.MaxPool2d(2)(torch.randn(8, 8))",
    ),
    Template(
        "non-empty {expected:text} tensor expected but got ndim: {got:n}",
        "rank",
        seen="non-empty 3D or 4D input tensor expected but got ndim: 2",
        release="1.5 to 1.8",
    ),
    Template(
        "{expected:2D|3D|4D|5D} input tensor expected but got: {input:shape}",
        "rank",
        seen="3D or 4D input tensor expected but got: [64 x 1024] at SpatialConvolutionMM.c:33",
        release="before 1.0, and Torch 7",
    ),
    Template(
        "adaptive_{_kind:avg|max}_pool{_of:1d|2d|3d}(): Expected {expected:text} tensor, but got {input:shape}",
        "rank",
        example="nn.AdaptiveAvgPool2d(2)(torch.randn(8, 7))",
    ),
    Template(
        "Got {got:n}D input, but {op:word} mode needs {expected:n}D input",
        "rank",
        example="F.interpolate(torch.randn(1, 3, 8), scale_factor=2, mode='bilinear')",
    ),
    Template(
        "Input Error: Only {expected:text} input Tensors supported (got {got:n}D)",
        "rank",
        {"op": "interpolate"},
        example="F.interpolate(torch.randn(3, 8), size=4)",
    ),
    Template(
        "grid_sampler(): expected {_expected:text} input and grid with same number of dimensions, but got input with"
        " sizes {input:shape} and grid with sizes {grid:shape}",
        "only-dress",
        {"op": "grid_sample"},
        example="F.grid_sample(torch.randn(2, 3, 4, 4), torch.randn(2, 4, 2), align_corners=False)",
    ),
    Template(
        "For batched ({rank:n}-D) `query`, expected `key` and `value` to be {expected:n}-D but found {got:n}-D and"
        " {other:n}-D tensors",
        "rank",
        {"op": "attention"},
        example="nn.MultiheadAttention(8, 2)(torch.randn(10, 3, 8), torch.randn(10, 8), torch.randn(10, 8))",
    ),
    Template(
        "For unbatched ({rank:n}-D) `query`, expected `key` and `value` to be {expected:n}-D but found {got:n}-D and"
        " {other:n}-D tensors",
        "rank",
        {"op": "attention"},
        example="nn.MultiheadAttention(8, 2)(torch.randn(10, 8), torch.randn(10, 3, 8), torch.randn(10, 3, 8))",
    ),
    Template(
        "({rank:n}-D) `query`, expected `{what:word}` to be {expected:text} but found {got:n}-D tensor",
        "rank",
        {"op": "attention"},
        example="q = torch.randn(10, 3, 8)\nnn.MultiheadAttention(8, 2)(q, q, q, attn_mask=torch.zeros(1, 2, 10, 10))",
    ),
    Template(
        "query should be {expected:text} tensor but received {got:n}-D query tensor",
        "rank",
        {"op": "attention"},
        example="q = torch.randn(1, 10, 3, 8)\nnn.MultiheadAttention(8, 2)(q, q, q)",
    ),
    Template(
        "attn_mask's dimension {got:n} is not supported",
        "rank",
        {"op": "attention", "what": "attn_mask"},
        seen="attn_mask's dimension 4 is not supported",
        release="1.5 to 2.13; only direct calls of multi_head_attention_forward",
    ),
    Template(
        "Expected query, key, and value to all be {expected:text} dimensional, but got query.dim: {got:n}",
        "rank",
        {"op": "attention"},
        example="F.scaled_dot_product_attention(torch.randn(8), torch.randn(8), torch.randn(8))",
    ),
    Template(
        "{batch:batched|unbatched} {expected:n}-D input, hx and cx should also be {rank:n}-D but got"
        " ({got:n}-D, {other:n}-D) tensors",
        "rank",
        {"op": "the hidden state", "what": "hidden state"},
        example="nn.LSTM(8, 16)(torch.randn(5, 2, 8), (torch.zeros(2, 16), torch.zeros(2, 16)))",
    ),
    Template(
        "{batch:batched|unbatched} {expected:n}-D input, hx should also be {rank:n}-D but got {got:n}-D tensor",
        "rank",
        {"op": "the hidden state", "what": "hidden state"},
        example="nn.GRU(8, 16)(torch.randn(5, 2, 8), torch.zeros(2, 16))",
    ),
    Template(
        "{op:LSTM|GRU|RNN|LSTMCell|GRUCell|RNNCell|Softmax2d|CrossMapLRN2d|MultiMarginLoss}: expected {what:word} to be"
        " {expected:text}, got {got:n}D",
        "rank",
        example="nn.LSTM(8, 16)(torch.randn(5, 2, 1, 8))",
    ),
    Template(
        "{op:LSTM|GRU|RNN|LSTMCell|GRUCell|RNNCell}: Expected {what:word} to be {expected:text} but received {got:n}-D",
        "rank",
        seen="LSTM: Expected input to be 2-D or 3-D but received 4-D tensor",
        release="1.11 to 2.0",
    ),
    Template(
        "to have the same dimension as tensor for argument #{_argument:n} '{_what:word}'; but {got:n} does not equal"
        " {expected:n}",
        "rank",
        seen="Expected tensor for argument #1 'input' to have the same dimension as tensor for argument #2 'weight';"
        " but"
        " 3 does not equal 4 (while checking arguments for cudnn_convolution)",
        release="0.4 to 2.13, on a GPU",
    ),
    Template(
        "input tensor should be 1D or 2D",
        "rank",
        {"op": "nll_loss", "expected": "1D or 2D"},
        seen="input tensor should be 1D or 2D",
        release="1.5 to 2.13",
    ),
    Template(
        "input must have {expected:n} dimensions, got {got:n}",
        "rank",
        {"op": "recurrent"},
        seen="input must have 3 dimensions, got 2",
        release="0.2 to 1.10",
    ),
    Template(
        "{op:dropout1d|dropout2d|dropout3d}: Expected {expected:text} input, but received a {got:n}D input",
        "rank",
        example="nn.Dropout1d()(torch.randn(2, 3, 4, 5))",
    ),
    Template(
        "{what:input|weight} has to be {expected:text} Tensor, but got Tensor of dimension {got:n}",
        "rank",
        {"op": "embedding_bag"},
        example="nn.EmbeddingBag(10, 4)(torch.zeros(2, 2, 2).long())",
    ),
    Template(
        "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got:"
        " anchor {expected:n}D, positive {positive:n}D, and negative {got:n}D inputs",
        "rank",
        {"op": "triplet_margin_loss"},
        example="F.triplet_margin_loss(torch.randn(4, 3), torch.randn(4, 3), torch.randn(3))",
    ),
    Template(
        "{what:batch1|batch2} must be a {expected:n}D tensor",
        "rank",
        {"op": "bmm"},
        example="torch.bmm(torch.randn(1, 10, 64), torch.randn(64, 10))",
    ),
    Template(
        "{what:self|mat2} must be a matrix",
        "rank",
        {"op": "mm", "expected": 2},
        example="torch.mm(torch.randn(2, 3, 4), torch.randn(4, 5))",
    ),
    Template(
        "matrices expected, got {left:n}D, {right:n}D tensors",
        "rank",
        {"op": "mm", "expected": 2},
        seen="matrices expected, got 3D, 2D tensors at /pytorch/aten/src/TH/generic/THTensorMath.cpp:929",
        release="0.2 to 1.6",
    ),
    Template(
        "vector + matrix @ vector expected, got {result:n}, {left:n}, {right:n}",
        "rank",
        {"op": "mv"},
        example="torch.mv(torch.randn(2, 3), torch.randn(3, 1))",
    ),
    Template(
        "both arguments to matmul need to be at least 1D, but they are {left:n}D and {right:n}D",
        "rank",
        {"op": "matmul", "expected": "at least 1"},
        example="torch.matmul(torch.tensor(0.0), torch.randn(2, 2))",
    ),
    Template(
        "1D tensors expected, but got {left:n}D and {right:n}D tensors",
        "rank",
        {"op": "dot", "expected": 1},
        example="torch.dot(torch.randn(2, 3), torch.randn(3))",
    ),
    Template(
        "{op:outer|ger|addr}: Expected {expected:n}-D argument {what:word}, but got {got:n}-D",
        "rank",
        example="torch.outer(torch.randn(2, 2), torch.randn(3))",
    ),
    Template(
        "t() expects a tensor with <= 2 dimensions, but self is {got:n}D",
        "rank",
        {"op": "t", "expected": "0D, 1D or 2D"},
        example="torch.randn(2, 3, 4).t()",
    ),
    Template(
        "diag(): Supports {expected:text} tensors. Got {got:n}D",
        "rank",
        {"op": "diag"},
        example="torch.diag(torch.randn(2, 2, 2))",
    ),
    Template(
        "{op:tril|triu}: input tensor must have at least {expected:n} dimensions",
        "rank",
        example="torch.tril(torch.randn(3))",
    ),
    Template(
        "expected total dims >= {expected:n}, but got total dims = {got:n}",
        "rank",
        {"op": "rot90"},
        example="torch.rot90(torch.randn(3), 1, [0, 1])",
    ),
    Template(
        "bincount only supports {expected:n}-d non-negative integral inputs",
        "rank",
        {"op": "bincount"},
        example="torch.bincount(torch.zeros(2, 2).long())",
    ),
    Template(
        "prob_dist must be 1 or 2 dim",
        "rank",
        {"op": "multinomial", "expected": "1D or 2D"},
        example="torch.multinomial(torch.rand(2, 2, 2), 1)",
    ),
    Template(
        "torch.meshgrid: Expected {expected:text} tensor in the tensor list but got",
        "rank",
        {"op": "meshgrid"},
        example="torch.meshgrid(torch.randn(2, 2), torch.randn(3), indexing='ij')",
    ),
    Template(
        "stft({_call:text}: expected a 1D window tensor of size equal to win_length={expected:n}, but got window with"
        " size"
        " {got:shape}",
        "only-dress",
        {"op": "stft"},
        example="torch.stft(torch.randn(100), 16, return_complex=True, window=torch.ones(20))",
    ),
    Template(
        "stft({_call:text}: expected a {expected:text} tensor",
        "rank",
        {"op": "stft"},
        example="torch.stft(torch.randn(2, 2, 100), 16, return_complex=True, window=torch.ones(16))",
    ),
    Template(
        "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
        "rank",
        {"op": "repeat"},
        example="torch.randn(2, 3, 4).repeat(2, 2)",
    ),
    Template(
        "too many indices for tensor of dimension {got:n}",
        "rank",
        {"op": "indexing"},
        example="torch.randn(2, 3)[:, :, 0]",
    ),
    Template(
        "invalid index of a 0-dim tensor",
        "rank",
        {"op": "indexing", "expected": "at least 1", "got": 0, **NO_SCALARS},
        example="torch.tensor(1.0)[0]",
    ),
    Template(
        "{op:slice|select|diagonal}() cannot be applied to a 0-dim tensor",
        "rank",
        {"expected": "at least 1", "got": 0, **NO_SCALARS},
        example="torch.tensor(1.0).select(0, 0)",
    ),
    Template(
        "len() of a 0-d tensor",
        "rank",
        {"op": "len", "expected": "at least 1", "got": 0, **NO_SCALARS},
        example="len(torch.tensor(0.0))",
    ),
    Template(
        "iteration over a 0-d tensor",
        "rank",
        {"op": "iteration", "expected": "at least 1", "got": 0, **NO_SCALARS},
        example="list(torch.tensor(0.0))",
    ),
    Template(
        "a Tensor with {count:n} elements cannot be converted to Scalar",
        "rank",
        {"op": "item", "expected": "one-element"},
        example="torch.randn(3).item()",
    ),
    Template(
        "only one element tensors can be converted to Python scalars",
        "rank",
        {"op": "item", "expected": "one-element"},
        example="float(torch.randn(3)) if 0 else torch.as_tensor([torch.randn(3)])",
    ),
    Template(
        "grad can be implicitly created only for scalar outputs",
        "rank",
        {"op": "backward", "expected": "one-element"},
        example="torch.randn(3, requires_grad=True).mul(2).backward()",
    ),
    Template(
        "value of Tensor with more than one value is ambiguous",
        "only-dress",
        {"op": "if"},
        example="bool(torch.randn(3) > 0)",
    ),
    Template(
        "expected {expected:n}D tensor as input, got {got:n}D",
        "rank",
        seen="Expected 4D tensor as input, got 2D tensor instead.",
        release="0.1 to 0.3",
    ),
    *(
        Template(
            f"{ranks} (batch mode) tensor expected for input",
            "rank",
            {"op": "pool", "expected": ranks},
            seen=f"{ranks} (batch mode) tensor expected for input at /pytorch/torch/lib/THNN/generic/pooling.c:14",
            release="0.1 to 1.1",
        )
        for ranks in ("2D or 3D", "3D or 4D", "4D or 5D")
    ),
    Template(
        "Expected {expected:n}-dimensional tensor, but got {got:n}-dimensional tensor for argument #{_argument:n}"
        " '{what:word}' (while checking arguments for {op:word})",
        "rank",
        seen="Expected 3-dimensional tensor, but got 4-dimensional tensor for argument #1 'batch1' (while checking"
        " arguments for bmm)",
        release="1.0 to 1.9",
    ),
    Template(
        "Input dimension should be at least {expected:n}",
        "rank",
        {"op": "pool"},
        example="F.adaptive_avg_pool2d(torch.randn(8), (1, None))",
    ),
    Template(
        "Embeddings parameter is expected to be {expected:n}-dimensional",
        "rank",
        {"op": "embedding"},
        example="nn.Embedding.from_pretrained(torch.randn(8))",
    ),
    Template(
        "Fan in and fan out can not be computed for tensor with fewer than {expected:n} dimensions",
        "rank",
        {"op": "init"},
        seen="Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
        release="0.3 to 2.13",
    ),
    Template(
        "pic should be 2/3 dimensional. Got {got:n} dimensions",
        "rank",
        {"op": "to_pil_image", "expected": "2D or 3D"},
        seen="pic should be 2/3 dimensional. Got 4 dimensions.",
        release="torchvision",
    ),
    Template(
        "Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {input:shape}",
        "rank",
        {"op": "normalize", "expected": "at least 3"},
        seen="Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = torch.Size([224])",
        release="torchvision",
    ),
    Template(
        "matrix and matrix expected at",
        "rank",
        {"op": "mm", "expected": 2},
        seen="invalid argument 1: matrix and matrix expected at /pytorch/torch/lib/TH/generic/THTensorMath.c:1285",
        release="0.1 and 0.2",
    ),
    Template(
        "Expected a Tensor of dimension {expected:n} and got a tensor with dim {got:n}",
        "rank",
        seen="Expected a Tensor of dimension 3 and got a tensor with dim 2",
        release="1.7 to 2.13",
    ),
)

LAST = (
    Template(
        "expected {expected:n}D tensor, got {got:n}D",
        "rank",
        seen="Expected 2D Tensor, got 3D.",
        release="torchaudio and others",
    ),
    Template(
        "expected {expected:n}D tensor, but got {got:n}D",
        "rank",
        seen="expected 4D tensor, but got 3D tensor",
        release="0.2 to 2.13",
    ),
    Template(
        "expected {expected:n}D tensor",
        "rank",
        seen="invalid argument 6: expected 3D tensor at /pytorch/aten/src/TH/generic/THTensorMath.cpp:994",
        release="0.2 to 1.4",
    ),
)
"""So short that every other template is tried first."""
