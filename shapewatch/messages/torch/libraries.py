"""Libraries on top of PyTorch: torchvision, timm, segmentation models, detectron2, and others."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

TEMPLATES = (
    Template(
        "Image dimensions must be divisible by the patch size",
        "model-input",
        {"what": "multiple", "tensor": "image"},
        seen="AssertionError: Image dimensions must be divisible by the patch size.",
        release="vit-pytorch",
    ),
    Template(
        "The `num_classes` ({classes:n}) in {_head:word} of {_model:word} does not matches the length of `CLASSES`"
        " {names:n}) in",
        "classes",
        {"what": "names"},
        seen="The `num_classes` (80) in Shared2FCBBoxHead of MMDataParallel does not matches the length of `CLASSES` 3)"
        " in CocoDataset",
        release="mmdetection 2",
    ),
    Template(
        "Wrong shape for input_ids (shape {input:shape}) or attention_mask (shape {_mask:shape})",
        "rank",
        {"op": "input_ids", "expected": 2},
        seen="Wrong shape for input_ids (shape torch.Size([5])) or attention_mask (shape torch.Size([5]))",
        release="transformers",
    ),
    Template(
        "Skip loading parameter '{parameter:word}' to the model due to incompatible shapes: {checkpoint:shape} in the"
        " checkpoint but {model:shape} in the model",
        "weights",
        seen="Skip loading parameter 'roi_heads.cls_score.weight' to the model due to incompatible shapes: (81, 1024)"
        " in"
        " the checkpoint but (2, 1024) in the model! You might want to double check if this is expected.",
        release="detectron2, fvcore",
    ),
    Template(
        "Unexpected observation shape {given:shape} for {_space:word} environment, please use {expected:shape}",
        "model-input",
        {"tensor": "observation"},
        seen="Error: Unexpected observation shape (4,) for Box environment, please use (3,) or (n_env, 3) for the"
        " observation shape.",
        release="stable_baselines3",
    ),
    Template(
        "Invalid shape for attention bias: {mask:shape} (expected {expected:shape})",
        "attention",
        {"what": "mask"},
        seen="Invalid shape for attention bias: torch.Size([2, 8, 10, 10]) (expected (2, 8, 10, 12))",
        release="xformers",
    ),
    Template(
        "shape, we expect {expected:text}. Got: {input:shape}",
        "rank",
        seen="Invalid input shape, we expect BxCxHxW. Got: torch.Size([3, 4])",
        release="kornia",
    ),
    Template(
        "Input {axis_name:height|width} ({got:n}) doesn't match model ({expected:n})",
        "model-input",
        {"tensor": "image"},
        seen="Input height (384) doesn't match model (224).",
        release="timm 0.9 to 1.0",
    ),
    Template(
        "Input image {axis_name:height|width} ({got:n}) doesn't match model ({expected:n})",
        "model-input",
        {"tensor": "image"},
        seen="Input image height (384) doesn't match model (224).",
        release="timm 0.6 to 0.9",
    ),
    Template(
        "Input sequence length ({got:n}) doesn't match model configuration ({expected:n})",
        "model-input",
        {"axis_name": "the length", "tensor": "sequence"},
        seen="Input sequence length (336) doesn't match model configuration (512).",
        release="transformers, models of time series",
    ),
    Template(
        "Input image {_what:text} ({height:n}*{width:n}) doesn't match model ({expected_height:n}*{expected_width:n})",
        "model-input",
        {"tensor": "image"},
        seen="Input image size (300*200) doesn't match model (224*224).",
        release="timm 0.1 to 0.8 and transformers",
    ),
    Template(
        "Input {axis_name:height|width} ({got:n}) should be divisible by patch size ({multiple:n})",
        "model-input",
        {"tensor": "image"},
        seen="Input height (250) should be divisible by patch size (16).",
        release="timm 0.9 to 1.0",
    ),
    Template(
        "Input image {axis_name:height|width} {got:n} is not a multiple of patch {_side:height|width}: {multiple:n}",
        "model-input",
        {"tensor": "image"},
        seen="AssertionError: Input image height 225 is not a multiple of patch height: 14",
        release="DINOv2",
    ),
    Template(
        "Input image height {height:n} is not a multiple of patch height {multiple:n}",
        "model-input",
        {"tensor": "image"},
        seen="AssertionError: Input image height 225 is not a multiple of patch height 14",
        release="DINOv2",
    ),
    Template(
        "Wrong image {axis_name:height|width}! Expected {expected:n} but got {got:n}",
        "model-input",
        {"tensor": "image"},
        seen="Wrong image height! Expected 224 but got 256!",
        release="torchvision 0.11 to 0.28",
    ),
    Template(
        "Required crop size {kernel:shape} is larger than input image size {input:shape}",
        "window",
        {"op": "RandomCrop"},
        seen="Required crop size (224, 224) is larger than input image size (200, 180)",
        release="torchvision",
    ),
    Template(
        "Expected target boxes to be a tensor of shape [N, 4], got {input:shape}",
        "only-dress",
        {"op": "detection"},
        seen="Expected target boxes to be a tensor of shape [N, 4], got torch.Size([0]).",
        release="torchvision",
    ),
    Template(
        "Wrong input shape height={height:n}, width={width:n}. Expected image height and width divisible by"
        " {multiple:n}",
        "model-input",
        {"tensor": "image"},
        seen="Wrong input shape height=300, width=200. Expected image height and width divisible by 32.",
        release="segmentation_models_pytorch",
    ),
)
