"""Outputs against targets."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

TEMPLATES = (
    Template(
        "expected input batch_size ({output:n}) to match target batch_size ({target:n})",
        "target-batch",
        example="F.cross_entropy(torch.randn(32, 10), torch.zeros(64).long())",
    ),
    Template(
        "(target, 0) == batch_size{_end:text}failed",
        "target-batch",
        seen="Assertion `THIndexTensor_(size)(target, 0) == batch_size' failed. at"
        " /pytorch/torch/lib/THNN/generic/ClassNLLCriterion.c:50",
        release="0.1 to 0.3",
    ),
    Template(
        "Input and target should have the same size in the batch dimension",
        "target-batch",
        example="nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 10])(torch.randn(4, 16), torch.zeros(3).long())",
    ),
    Template(
        "Expected target size {expected:shape}, got {target:shape}",
        "target-shape",
        {"op": "cross_entropy"},
        example="F.cross_entropy(torch.randn(2, 7, 5), torch.zeros(2, 7).long())",
    ),
    Template(
        "Target size ({target:shape}) must be the same as input size ({output:shape})",
        "target-shape",
        {"op": "binary_cross_entropy_with_logits"},
        example="F.binary_cross_entropy_with_logits(torch.randn(16, 1), torch.rand(16))",
    ),
    Template(
        "Using a target size ({target:shape}) that is different to the input size ({output:shape})",
        "target-shape",
        example="F.binary_cross_entropy(torch.rand(16, 1), torch.rand(16))",
    ),
    Template(
        "Target and input must have the same number of elements. target nelement ({target_count:n}) != input nelement"
        " ({output_count:n})",
        "target-shape",
        {"op": "binary_cross_entropy"},
        seen="Target and input must have the same number of elements. target nelement (16) != input nelement (32)",
        release="0.3 to 1.4",
    ),
    Template(
        "size mismatch (got input: {output:shape} , target: {target:shape}",
        "target-shape",
        {"op": "cross_entropy"},
        example="F.cross_entropy(torch.randn(2, 5, 8, 8), torch.zeros(2, 7, 8).long())",
    ),
    Template(
        "input and target batch or spatial sizes don't match: target {target:shape}, input {output:shape}",
        "target-shape",
        {"op": "cross_entropy"},
        seen="input and target batch or spatial sizes don't match: target [2 x 7 x 8], input [2 x 5 x 8 x 8] at"
        " /pytorch/aten/src/THNN/generic/SpatialClassNLLCriterion.c:58",
        release="0.3 to 1.6",
    ),
    Template(
        "input and target shapes do not match: input {output:shape}, target {target:shape}",
        "target-shape",
        seen="input and target shapes do not match: input [4 x 3], target [4 x 1] at"
        " /pytorch/aten/src/THNN/generic/MSECriterion.c:13",
        release="0.3 to 1.1",
    ),
    Template(
        "input and target have different number of elements: input {output:shape} has {output_count:n} elements, while"
        " target {target:shape} has",
        "target-shape",
        seen="input and target have different number of elements: input[64 x 1] has 64 elements, while target[64 x 10]"
        " has 640 elements at /pytorch/torch/lib/THNN/generic/SmoothL1Criterion.c:13",
        release="0.1 to 1.0",
    ),
    Template(
        "inconsistent target size: {target:shape} for input of size: {output:shape}",
        "target-shape",
        {"op": "multilabel_margin_loss"},
        example="F.multilabel_margin_loss(torch.randn(3, 4), torch.zeros(3, 5).long())",
    ),
    Template(
        "For 1D input, 1D target must have size 1, but got target size: {target:n}",
        "target-batch",
        {"op": "nll_loss", "output": 1},
        example="F.nll_loss(torch.randn(5), torch.zeros(3).long())",
    ),
    Template(
        "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size)."
        " Expected target size {expected:shape}, but got {target:shape}. Input has shape {output:shape}",
        "target-shape",
        {"op": "multi_margin_loss"},
        example="F.multi_margin_loss(torch.randn(3, 4), torch.zeros(2).long())",
    ),
    Template(
        "inconsistent target size, expected {expected:shape} but got {target:shape}",
        "target-shape",
        seen="inconsistent target size, expected 3 but got [2]",
        release="1.5 to 2.3",
    ),
    Template(
        "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: {output:shape},"
        " input2: {other:shape}, target: {target:shape}",
        "target-shape",
        {"op": "margin_ranking_loss"},
        example="F.margin_ranking_loss(torch.randn(4), torch.randn(4), torch.ones(4, 1))",
    ),
    Template(
        "var is of incorrect size",
        "only-dress",
        {"op": "gaussian_nll_loss"},
        example="F.gaussian_nll_loss(torch.randn(4, 3), torch.randn(4, 3), torch.ones(4, 2))",
    ),
    Template(
        "0D or 1D target tensor expected, multi-target not supported",
        "target-rank",
        {"expected": "0D or 1D"},
        example="F.cross_entropy(torch.randn(4, 5), torch.zeros(4, 1).long())",
    ),
    Template(
        "Expected floating point type for target with class probabilities, got {_type:word}",
        "target-probabilities",
        example="F.cross_entropy(torch.randn(4, 3), torch.zeros(4, 3).long())",
    ),
    Template(
        "multi-target not supported",
        "target-rank",
        {"expected": "1D"},
        seen="multi-target not supported at /pytorch/torch/lib/THNN/generic/ClassNLLCriterion.c:20",
        release="0.1 to 1.6",
    ),
    Template(
        "only batches of spatial targets supported ({expected:text} tensors) but got targets of dimension: {got:n}",
        "target-rank",
        example="F.cross_entropy(torch.randn(2, 5, 8, 8), torch.zeros(2, 1, 8, 8).long())",
    ),
    Template(
        "only batches of spatial targets supported ({expected:text} tensors) but got targets of size: {_colon:text}"
        "{target:shape}",
        "target-rank",
        seen="1only batches of spatial targets supported (non-empty 3D tensors) but got targets of size: :"
        " [1, 1, 512, 512]",
        release="0.3 to 1.9",
    ),
    Template(
        "only batches of spatial targets supported ({expected:text} tensors) but get targets of size {_colon:text}"
        "{target:shape}",
        "target-rank",
        seen="only batches of spatial targets supported (non-empty 3D tensors) but get targets of size :[2, 100, "
        "152, 3]",
        release="0.3 to 1.9, as it is typed",
    ),
    Template(
        "only batches of spatial inputs supported ({expected:text} tensors), but got input of dimension: {got:n}",
        "rank",
        {"op": "cross_entropy"},
        example="torch._C._nn.nll_loss2d(torch.randn(2, 5, 8), torch.zeros(2, 8, 8).long())",
    ),
    Template(
        "{expected:n}D target tensor expects {output_rank:n}D input tensors, but found inputs with sizes"
        " {output:shape} and {other:shape}",
        "target-rank",
        {"op": "cosine_embedding_loss"},
        example="F.cosine_embedding_loss(torch.randn(4, 2, 3), torch.randn(4, 2, 3), torch.ones(4))",
    ),
    Template(
        "{expected:n}D target tensor expects {output_rank:n}D input tensors, but found inputs with size {output:shape}",
        "target-rank",
        seen="1D target tensor expects 2D input tensors, but found inputs with size [4, 2, 3].",
        release="1.9 to 2.13, on shapes alone",
    ),
    Template(
        "Shape mismatch: predictions shape {output:shape} != targets shape {target:shape}",
        "target-shape",
        seen="Shape mismatch: predictions shape torch.Size([4, 1]) != targets shape torch.Size([4])",
        release="libraries on top",
    ),
    Template(
        "Target {index:axis} is out of bounds",
        "classes",
        {"op": "cross_entropy"},
        example="F.cross_entropy(torch.randn(4, 5), torch.full((4,), 7))",
    ),
    Template(
        "Class values must be {_what:smaller|larger} than num_classes",
        "classes",
        {"op": "one_hot"},
        example="F.one_hot(torch.tensor([0, 5]), 5)",
    ),
    Template(
        "weight tensor should be defined either for all {classes:n} classes or no classes but got weight tensor of"
        " shape: {weight:shape}",
        "classes",
        {"what": "weight"},
        example="F.cross_entropy(torch.randn(3, 5), torch.zeros(3).long(), weight=torch.ones(4))",
    ),
    Template(
        "weight tensor should be defined either for all or no classes",
        "classes",
        {"what": "weight"},
        seen="weight tensor should be defined either for all or no classes at"
        " /pytorch/torch/lib/THNN/generic/ClassNLLCriterion.c:43",
        release="0.1 to 1.6",
    ),
    Template(
        "expected weight shape to be {expected:shape}, got {weight:shape}",
        "classes",
        {"what": "weight"},
        seen="expected weight shape to be (5,), got (4,)",
        release="2.10 to 2.13, linear_cross_entropy",
    ),
    Template(
        "Assertion `cur_target >= 0 && cur_target < n_classes{_end:text}failed",
        "classes",
        {"op": "cross_entropy"},
        seen="Assertion `cur_target >= 0 && cur_target < n_classes' failed. at"
        " /pytorch/torch/lib/THNN/generic/ClassNLLCriterion.c:57",
        release="0.1 to 1.6",
    ),
    Template(
        "Assertion `t >= 0 && t < n_classes` failed",
        "classes",
        {"op": "cross_entropy"},
        seen="../aten/src/ATen/native/cuda/Loss.cu:250: nll_loss_forward_reduce_cuda_kernel_2d: block: [0,0,0], thread:"
        " [3,0,0] Assertion `t >= 0 && t < n_classes` failed.",
        release="0.2 to 2.13, on a GPU",
    ),
    Template(
        "{what:input_lengths|target_lengths} must be of size batch_size",
        "data-lengths",
        {"op": "ctc_loss"},
        example="F.ctc_loss(torch.randn(5, 2, 4), torch.ones(2, 3).long(), torch.tensor([5]), torch.tensor([3, 3]))",
    ),
    Template(
        "Expected input_lengths to have value at most {x:n}, but got value {y:n}",
        "only-dress",
        {"op": "ctc_loss"},
        example="F.ctc_loss(torch.randn(5, 2, 4), torch.ones(2, 3).long(), torch.tensor([6, 5]), torch.tensor([3, 3]))",
    ),
    Template(
        "Expected tensor to have size at least {expected:n} at dimension {axis:axis}, but got size {got:n} for argument"
        " #{argument:n} 'targets'",
        "target-shape",
        {"op": "ctc_loss"},
        example="F.ctc_loss(torch.randn(5, 2, 4), torch.ones(2, 2).long(), torch.tensor([5, 5]), torch.tensor([3, 2]))",
    ),
)
