"""Matrix products, einsum and attention."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_ATTEND = "nn.MultiheadAttention(8, 2)"

MATRICES = (
    Template(
        "mat1 and mat2 shapes cannot be multiplied ({left:shape} and {right:shape})",
        "matmul",
        example="nn.Linear(512, 10)(torch.randn(64, 2048))",
    ),
    Template(
        "a and b must have same reduction dim, but got {left:shape} X {right:shape}",
        "matmul",
        example="torch.mm(torch.randn(2, 3, device='meta'), torch.randn(4, 5, device='meta'))",
    ),
    Template(
        "size mismatch, m1: {left:shape}, m2: {right:shape}",
        "matmul",
        seen="size mismatch, m1: [2 x 12], m2: [8 x 4] at /pytorch/aten/src/TH/generic/THTensorMath.cpp:752",
        release="0.2 to 1.6",
    ),
    Template(
        "size mismatch, [{rows:n} x {expected:n}], [{got:n}] at",
        "layer-width",
        seen="Linear.lua:43: size mismatch, [10 x 400], [576] at /torch/pkg/torch/lib/TH/generic/THTensorMath.c:672",
        release="Lua",
    ),
    Template(
        "size mismatch, got input ({length:n}), mat ({left:shape}), vec ({right:shape})",
        "matmul",
        {"op": "mv"},
        example="torch.randn(2, 3) @ torch.randn(4)",
    ),
    Template(
        "size mismatch, got {length:n}, {left:shape}, {right:shape}",
        "matmul",
        {"op": "mv"},
        seen="size mismatch, got 2, 2x3,4",
        release="1.0 to 1.10",
    ),
    Template(
        "mat1 dim 1 must match mat2 dim 0",
        "matmul",
        seen="mat1 dim 1 must match mat2 dim 0",
        release="1.7 and 1.8 on a GPU",
    ),
    Template(
        "contracting dimensions differ {a:n} & {b:n}",
        "matmul",
        seen="(mpsFileLoc): error: 'mps.matmul' op contracting dimensions differ 512 & 2048",
        release="2.x on Metal",
    ),
    Template(
        "contracted dimensions need to match, but first has size {a:n} in dim {axis:axis} and second has size {b:n}",
        "matmul",
        {"op": "tensordot"},
        example="torch.tensordot(torch.randn(2, 3), torch.randn(4, 5), dims=1)",
    ),
    Template(
        "Incompatible shapes of A and B for the equation {_equation:text} ({left:shape} and {right:shape})",
        "matmul",
        example="torch.linalg.solve(torch.randn(3, 3), torch.randn(4, 2))",
    ),
    Template(
        "linalg.{op:word}: A must be batches of square matrices, but they are {rows:n} by {columns:n} matrices",
        "only-dress",
        example="torch.linalg.inv(torch.randn(2, 3))",
    ),
    Template(
        "A must be batches of square matrices, but they are {rows:n} by {columns:n} matrices",
        "only-dress",
        {"op": "linalg"},
        seen="A must be batches of square matrices, but they are 3 by 2 matrices",
        release="1.0 to 1.10",
    ),
    Template(
        "each A matrix is {rows:n} by {columns:n} but each b matrix is {right_rows:n} by {right_columns:n}",
        "only-dress",
        {"op": "linalg"},
        seen="Incompatible matrix sizes for solve: each A matrix is 3 by 3 but each b matrix is 4 by 2",
        release="1.0 to 1.12",
    ),
    Template(
        "linalg.cross: inputs dimension {axis:axis} must have length {expected:n}. Got {left_size:n} and"
        " {right_size:n}",
        "only-dress",
        {"op": "linalg.cross"},
        example="torch.linalg.cross(torch.randn(2, 4), torch.randn(2, 4), dim=-1)",
    ),
    Template(
        "Expected size for first two dimensions of batch2 tensor to be: {expected:shape} but got: {got:shape}",
        "batched-matmul",
        example="torch.bmm(torch.randn(8, 10, 64), torch.randn(8, 32, 10))",
    ),
    Template(
        "Expected tensor to have size {expected:n} at dimension {axis:axis}, but got size {got:n} for argument"
        " #{argument:n} 'batch2'",
        "batched-matmul",
        seen="Expected tensor to have size 441 at dimension 1, but got size 121 for argument #2 'batch2'"
        " (while checking arguments for bmm)",
        release="1.0 to 1.9",
    ),
    Template(
        "Expected size for first two dimensions of batch2 tensor",
        "batched-matmul",
        seen="Expected size for first two dimensions of batch2 tensor",
        release="texts that lost their tail",
    ),
    Template(
        "batch1 and batch2 must have same number of batches, got {expected:n} and {got:n}",
        "batched-matmul",
        {"axis": 0},
        seen="batch1 and batch2 must have same number of batches, got 8 and 4",
        release="1.1 to 1.9",
    ),
    Template(
        "batch1 and batch2 must have same batch size",
        "batched-matmul",
        {"axis": 0},
        seen="batch1 and batch2 must have same batch size",
        release="1.10 and later, on a GPU",
    ),
    Template(
        "batch1 dim 2 must match batch2 dim 1",
        "batched-matmul",
        seen="batch1 dim 2 must match batch2 dim 1",
        release="1.7 and 1.8 on a GPU",
    ),
    Template(
        "equal number of batches expected, got {expected:n}, {got:n}",
        "batched-matmul",
        {"axis": 0},
        seen="invalid argument 7: equal number of batches expected, got 10, 2 at"
        " /pytorch/aten/src/TH/generic/THTensorMath.cpp:998",
        release="0.2 to 1.4",
    ),
    Template(
        "wrong matrix size, batch1: {left:shape}, batch2: {right:shape}",
        "batched-matmul",
        seen="invalid argument 6: wrong matrix size, batch1: 3x4, batch2: 5x6 at"
        " /pytorch/aten/src/THC/generic/THCTensorMathBlas.cu:494",
        release="0.2 to 1.4",
    ),
    Template(
        "bilinear(): {operand:word} size does not match weight size: got {got:n} but expected {expected:n}",
        "layer-width",
        {"op": "bilinear"},
        example="nn.Bilinear(3, 4, 7)(torch.randn(2, 3), torch.randn(2, 5))",
    ),
)

EINSUM = (
    Template(
        "einsum(): subscript {subscript:word} has size {b:n} for operand {operand:n} which does not broadcast with"
        " previously seen size {a:n}",
        "einsum",
        example="torch.einsum('bij,bjk->bik', torch.randn(2, 3, 16), torch.randn(2, 8, 4))",
    ),
    Template(
        "einsum(): the number of subscripts in the equation ({expected:n}) does not match the number of dimensions"
        " ({got:n}) for operand {operand:n}",
        "einsum",
        example="torch.einsum('bchw,bc->bchw', torch.randn(1, 8, 4, 4), torch.randn(8))",
    ),
    Template(
        "einsum(): the number of subscripts in the equation ({expected:n}) is more than the number of dimensions"
        " ({got:n}) for operand {operand:n}",
        "einsum",
        example="torch.einsum('...ij,jk->...ik', torch.randn(3), torch.randn(3, 4))",
    ),
    Template(
        "operands do not broadcast with remapped shapes [original->remapped]: {_first:shape}->{one:shape}"
        " {_second:shape}->{another:shape}",
        "einsum",
        seen="einsum(): operands do not broadcast with remapped shapes [original->remapped]:"
        " [2, 3, 16]->[2, 3, 1, 16] [2, 8, 4]->[2, 1, 4, 8]",
        release="1.8 to 1.11",
    ),
    Template(
        "operands do not broadcast with remapped shapes [original->remapped]: {detail:text}",
        "einsum",
        seen="einsum(): operands do not broadcast with remapped shapes [original->remapped]: [2, 3, 16]->",
        release="1.8 to 1.11, texts that lost their tail",
    ),
    Template(
        "size of dimension does not match previous size, operand {operand:n}, dim {axis:axis}",
        "einsum",
        seen="size of dimension does not match previous size, operand 1, dim 1",
        release="1.0 to 1.7",
    ),
    Template(
        "einsum(): fewer operands were provided than specified in the equation",
        "einsum",
        example="torch.einsum('ij,jk->ik', torch.randn(2, 3))",
    ),
    Template(
        "einsum(): output subscript {subscript:word} does not appear in the equation for any input operand",
        "einsum",
        example="torch.einsum('ij->ik', torch.randn(2, 3))",
    ),
    Template(
        "Size of label '{subscript:word}' for operand {operand:n} ({b:n}) does not match previous terms ({a:n})",
        "einsum",
        seen="Size of label 'j' for operand 1 (16) does not match previous terms (8).",
        release="opt_einsum",
    ),
)

ATTENTION = (
    Template(
        "Expected attn_mask->sizes()[{_axis:n}] == {_what:word} to be true, but got false",
        "attention",
        {"what": "mask"},
        seen="Expected attn_mask->sizes()[0] == batch_size to be true, but got false.",
        release="1.12",
    ),
    Template(
        "embed_dim {embed_dim:n} not divisible by num_heads {num_heads:n}",
        "attention",
        {"what": "heads"},
        example="w = nn.MultiheadAttention(8, 2)\nq = torch.randn(5, 1, 8)\n"
        "F.multi_head_attention_forward(q, q, q, 8, 3, w.in_proj_weight, w.in_proj_bias, None, None, False, 0.0,"
        " w.out_proj.weight, w.out_proj.bias)",
    ),
    Template(
        "embed_dim must be divisible by num_heads (got `embed_dim`: {embed_dim:n} and `num_heads`: {num_heads:n})",
        "attention",
        seen="embed_dim must be divisible by num_heads (got `embed_dim`: 300 and `num_heads`: 8).",
        release="transformers",
    ),
    Template(
        "embed_dim must be divisible by num_heads",
        "attention",
        {"what": "heads"},
        example="nn.MultiheadAttention(1024, 12)",
    ),
    Template(
        "{_width:d_out|d_model|dim|hidden_dim|n_embd|embed_size|emb_size} must be divisible by"
        " {_heads:num_heads|n_heads|nhead|n_head|heads|num_attention_heads}",
        "attention",
        {"what": "heads"},
        seen="d_model must be divisible by num_heads",
        release="models of one's own",
    ),
    Template(
        "was expecting embedding dimension of {expected:n}, but got {got:n}",
        "attention",
        {"what": "width"},
        example="x = torch.randn(5, 2, 256)\nnn.MultiheadAttention(512, 8)(x, x, x)",
    ),
    Template(
        "shape of the {rank:n}D attn_mask is {mask:shape}, but should be {expected:shape}",
        "attention",
        {"what": "mask"},
        example=f"x = torch.randn(10, 5, 8)\n{_ATTEND}(x, x, x, attn_mask=torch.zeros(77, 77))",
    ),
    Template(
        "The size of the {rank:n}D attn_mask is not correct",
        "attention",
        {"what": "mask"},
        seen="The size of the 2D attn_mask is not correct.",
        release="1.5 to 1.11",
    ),
    Template(
        "Expected key_padded_mask.shape[{axis:axis}] to be {expected:n}, but got {got:n}",
        "attention",
        {"what": "padding"},
        example=f"x = torch.randn(10, 3, 8)\n{_ATTEND}(x, x, x, key_padding_mask=torch.zeros(10, 3).bool())",
    ),
    Template(
        "expecting key_padding_mask shape of {expected:shape}, but got {got:shape}",
        "attention",
        {"what": "padding"},
        seen="expecting key_padding_mask shape of (8, 5), but got torch.Size([5, 8])",
        release="1.10 to 1.12",
    ),
    Template(
        "Expected `attn_mask` shape to be {expected:shape} but got {mask:shape}",
        "attention",
        {"what": "mask"},
        seen="Expected `attn_mask` shape to be (3, 2, 10, 10) but got torch.Size([10, 10])",
        release="2.0 to 2.13, nested tensors",
    ),
    Template(
        "key's sequence and batch dims {left:shape} do not match value's {right:shape}",
        "attention",
        {"what": "value"},
        example="m = nn.MultiheadAttention(8, 2, kdim=4, vdim=5)\n"
        "m(torch.randn(5, 2, 8), torch.randn(6, 2, 4), torch.randn(7, 2, 5))",
    ),
    Template(
        "key shape {left:shape} does not match value shape {right:shape}",
        "attention",
        {"what": "value"},
        example=f"{_ATTEND}(torch.randn(5, 2, 8), torch.randn(6, 2, 8), torch.randn(7, 2, 8))",
    ),
    Template(
        "expecting {parameter:word} {of:weights|bias} shape of {expected:shape}, but got {got:shape}",
        "attention",
        {"what": "width"},
        seen="expecting key weights shape of (8, 6), but got torch.Size([8, 4])",
        release="1.9 to 2.13; only direct calls of multi_head_attention_forward",
    ),
    Template(
        "expecting static_{_what:k|v}.size({axis:axis}) of {expected:n}, but got {got:n}",
        "only-dress",
        {"op": "attention"},
        seen="expecting static_k.size(0) of 16, but got 8",
        release="1.9 to 2.13; only direct calls of multi_head_attention_forward",
    ),
    Template(
        "the batch number of src and tgt must be equal",
        "attention",
        {"what": "batches"},
        example="nn.Transformer(16, 2, 1, 1, 8)(torch.randn(5, 2, 16), torch.randn(5, 3, 16))",
    ),
    Template(
        "the feature number of src and tgt must be equal to d_model",
        "attention",
        {"what": "width"},
        example="nn.Transformer(16, 2, 1, 1, 8)(torch.randn(5, 2, 8), torch.randn(5, 2, 8))",
    ),
)

TEMPLATES = MATRICES + EINSUM + ATTENTION
