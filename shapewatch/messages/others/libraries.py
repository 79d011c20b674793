"""Libraries around a network that check shapes themselves."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

EINOPS: tuple[Template, ...] = (
    Template(
        'Error while processing {op:word}-reduction pattern "{pattern:text}". Input tensor shape: {input:shape}. '
        "Additional info: {axes:text}. {detail:text}",
        "pattern",
        seen='Error while processing rearrange-reduction pattern "b (h w) c -> b c h w".\n Input tensor shape: '
        "torch.Size([2, 197, 64]). Additional info: {'h': 14}.\n Shape mismatch, can't divide axis of length "
        "197 in chunks of 14",
        release="0.3 and later",
    ),
    Template(
        "Input tensor shape: {input:shape}. Additional info: {axes:text}. {detail:text}",
        "pattern",
        seen="Input tensor shape: torch.Size([96]). Additional info: {'heads': 8}. Expected 3 dimensions, got 1",
        release="0.3 and later, cut by who pasted it",
    ),
    Template(
        "Error while computing {op:word}('{pattern:text}', {axes:text}) {detail:text}",
        "pattern",
        seen="Error while computing Rearrange('b c (h p1) (w p2) -> b (h w) (p1 p2 c)', p1=16, p2=16)\n "
        "Shape mismatch, can't divide axis of length 43 in chunks of 16",
        release="0.3, of a layer",
    ),
    Template(
        'Error while processing {op:word}-reduction pattern "{pattern:text}".',
        "pattern",
        seen='Error while processing repeat-reduction pattern "b c -> b c d".',
        release="all",
    ),
    Template(
        "Error while computing einops.{op:word} for pattern {pattern:text}",
        "pattern",
        seen="Error while computing einops.rearrange for pattern b c -> (b c)",
        release="0.1",
    ),
    Template(
        "Can't parse shape with different number of dimensions: {pattern:text} {input:shape}",
        "pattern",
        {"op": "parse_shape"},
        seen="Can't parse shape with different number of dimensions: b c h w (2, 3, 4)",
        release="all",
    ),
    Template(
        "Shape mismatch, can't divide axis of length {length:n} in chunks of {part:n}",
        "pattern",
        seen="Shape mismatch, can't divide axis of length 85 in chunks of 2",
        release="all: what the longer messages come from",
    ),
    Template(
        "EinopsError: Shape mismatch, {length:n} != {product:n}",
        "pattern",
        seen="EinopsError: Shape mismatch, 96 != 64",
        release="all: what the longer messages come from",
    ),
    Template(
        "EinopsError: Wrong shape: expected {expected:n} dims. Received {got:n}-dim tensor",
        "rank",
        seen="EinopsError: Wrong shape: expected 5 dims. Received 4-dim tensor.",
        release="all: what the longer messages come from",
    ),
)

TORCHMETRICS: tuple[Template, ...] = (
    Template(
        "Predictions and targets are expected to have the same shape, but got {output:shape} and {target:shape}",
        "target-shape",
        seen="Predictions and targets are expected to have the same shape, but got torch.Size([4, 3]) and "
        "torch.Size([4, 2]).",
        release="all",
    ),
    Template(
        "The `preds` and `target` should have the same shape, got `preds` with shape={output:shape} and `target` "
        "with shape={target:shape}",
        "target-shape",
        seen="The `preds` and `target` should have the same shape, got `preds` with shape=torch.Size([4, 3]) and "
        "`target` with shape=torch.Size([4]).",
        release="0.3 and later",
    ),
    Template(
        "If `preds` have one dimension more than `target`, `preds.shape[1]` should be equal to number of classes",
        "classes",
        seen="If `preds` have one dimension more than `target`, `preds.shape[1]` should be equal to number of classes.",
        release="all",
    ),
    Template(
        "Either `preds` and `target` both should have the (same) shape (N, ...), or `target` should be (N, ...) "
        "and `preds` should be (N, C, ...)",
        "target-rank",
        seen="Either `preds` and `target` both should have the (same) shape (N, ...), or `target` should be (N, "
        "...) and `preds` should be (N, C, ...).",
        release="all",
    ),
    Template(
        "Detected more unique values in `{_:preds|target}` than expected. Expected only {classes:n} but found "
        "{found:n}",
        "classes",
        seen="Detected more unique values in `target` than expected. Expected only 3 but found 4 in `target`.",
        release="0.11 and later",
    ),
)

TRANSFORMERS: tuple[Template, ...] = (
    Template(
        "Make sure that the channel dimension of the pixel values match with the one set in the configuration. "
        "Expected {expected:n} but got {got:n}",
        "conv-channels",
        {"channels_last": False},
        seen="Make sure that the channel dimension of the pixel values match with the one set in the "
        "configuration. Expected 3 but got 1.",
        release="4",
    ),
    Template(
        "Make sure that the channel dimension of the pixel values match with the one set in the configuration",
        "conv-channels",
        {"channels_last": False},
        seen="Make sure that the channel dimension of the pixel values match with the one set in the configuration.",
        release="4",
    ),
    Template(
        "The hidden size ({embed_dim:n}) is not a multiple of the number of attention heads ({num_heads:n})",
        "attention",
        {"what": "heads"},
        seen="The hidden size (30) is not a multiple of the number of attention heads (4)",
        release="all",
    ),
    Template(
        "hidden_size must be divisible by num_heads (got `hidden_size`: {embed_dim:n} and `num_heads`: {num_heads:n})",
        "attention",
        {"what": "heads"},
        seen="hidden_size must be divisible by num_heads (got `hidden_size`: 30 and `num_heads`: 4).",
        release="4",
    ),
    Template(
        "Model dimension must be divisible by the number of heads",
        "attention",
        {"what": "heads"},
        seen="Model dimension must be divisible by the number of heads",
        release="OpenNMT-py",
    ),
    Template(
        "hidden_size should be divisible by num_heads",
        "attention",
        {"what": "heads"},
        seen="hidden_size should be divisible by num_heads.",
        release="packages of transformers of the field",
    ),
    Template(
        "dimension {embed_dim:n} must be divisible by the number of heads {num_heads:n}",
        "attention",
        {"what": "heads"},
        seen="dimension 1000 must be divisible by the number of heads 16",
        release="attention packages of the field",
    ),
    Template(
        "Attention mask should be of size {expected:shape}, but is {mask:shape}",
        "attention",
        {"what": "mask"},
        seen="Attention mask should be of size (1, 1, 5, 5), but is torch.Size([1, 1, 5, 7])",
        release="4",
    ),
    Template(
        "Attention weights should be of size {expected:shape}, but is {got:shape}",
        "attention",
        seen="Attention weights should be of size (1, 8, 5, 5), but is torch.Size([1, 8, 5, 7])",
        release="4",
    ),
    Template(
        "Unable to create tensor, you should probably activate truncation and/or padding",
        "samples",
        seen="Unable to create tensor, you should probably activate truncation and/or padding with 'padding=True' "
        "'truncation=True' to have batched tensors with the same length.",
        release="all",
    ),
    Template(
        "Image features and image tokens do not match: tokens: {tokens:n}, features {features:n}",
        "index-shape",
        {"op": "placeholders"},
        seen="Image features and image tokens do not match: tokens: 575, features 576",
        release="4",
    ),
    Template(
        "The number of image features ({features:n}) does not match the number of image tokens ({tokens:n})",
        "index-shape",
        {"op": "placeholders"},
        seen="The number of image features (576) does not match the number of image tokens (575)",
        release="4",
    ),
    Template(
        "Attempted to assign {_sum:text} = {features:n} {_of:word} tokens to {tokens:n} placeholders",
        "index-shape",
        {"op": "placeholders"},
        seen="Attempted to assign 576 + 576 = 1152 multimodal tokens to 576 placeholders",
        release="vLLM",
    ),
    Template(
        "Whisper expects the mel input features to be of length {expected:n}, but found {got:n}",
        "model-input",
        {"axis_name": "the length", "tensor": "mel features"},
        seen="Whisper expects the mel input features to be of length 3000, but found 2000.",
        release="4",
    ),
    Template(
        "dim {embed_dim:n} should be divided by num_heads {num_heads:n}",
        "attention",
        {"what": "heads"},
        seen="dim 768 should be divided by num_heads 10.",
        release="SegFormer and PVT, in many projects",
    ),
    Template(
        "{parameter:word}: found shape {checkpoint:shape} in the checkpoint and {model:shape} in the model "
        "instantiated",
        "weights",
        seen="- classifier.weight: found shape torch.Size([2, 768]) in the checkpoint and torch.Size([5, 768]) in "
        "the model instantiated",
        release="4",
    ),
    Template(
        "Trying to set a tensor of shape {checkpoint:shape} in {parameter:word} (which has shape {model:shape})",
        "weights",
        seen='Trying to set a tensor of shape torch.Size([2, 768]) in "weight" (which has shape torch.Size([5, '
        "768])), this looks incorrect.",
        release="accelerate, transformers 4",
    ),
    Template(
        "because {parameter:word} expected shape {_:lines}ize={model:shape}), but got {checkpoint:shape}",
        "weights",
        seen="Cannot load model because conv_in.weight expected shape tensor(..., device='meta', size=(320, 9, 3, "
        "3)), but got torch.Size([320, 4, 3, 3]).",
        release="diffusers",
    ),
    Template(
        "because {parameter:word} expected shape {model:shape}, but got {checkpoint:shape}",
        "weights",
        seen="Cannot load model because conv_in.weight expected shape torch.Size([320, 9, 3, 3]), but got "
        "torch.Size([320, 4, 3, 3]).",
        release="diffusers",
    ),
    Template(
        "Incorrect configuration settings! The config of {_:text} expects {expected:n} but received {__:lines} = "
        "{got:n}.",
        "conv-channels",
        {"what": "latents"},
        seen="Incorrect configuration settings! The config of `pipeline.unet`: FrozenDict() expects 4 but received "
        "`num_channels_latents`: 4 + `num_channels_mask`: 1 + `num_channels_masked_image`: 4 = 9. Please "
        "verify",
        release="diffusers",
    ),
)

TIMM: tuple[Template, ...] = (
    Template(
        "Input image size ({got:n}*{_:n}) doesn't match model",
        "model-input",
        {"what": "image size"},
        seen="Input image size (256*256) doesn't match model",
        release="until 0.6",
    ),
)

SCIKIT_LEARN: tuple[Template, ...] = (
    Template(
        "Found input variables with inconsistent numbers of samples: [{x:n}, {y:n}]",
        "data-lengths",
        seen="Found input variables with inconsistent numbers of samples: [600, 500]",
        release="all",
    ),
    Template(
        "Found input variables with inconsistent numbers of samples: {lengths:text}",
        "data-lengths",
        seen="Found input variables with inconsistent numbers of samples: [600, 500, 600]",
        release="all",
    ),
    Template(
        "X has {got:n} features, but {layer_type:word} is expecting {expected:n} features as input",
        "layer-width",
        seen="X has 12 features, but StandardScaler is expecting 13 features as input.",
        release="1.0 and later",
    ),
    Template(
        "Number of features of the model must match the input. Model n_features is {expected:n} and input "
        "n_features is {got:n}",
        "layer-width",
        seen="Number of features of the model must match the input. Model n_features is 13 and input n_features is 12",
        release="0.2x",
    ),
    Template(
        "Expected 2D array, got {got:n}D array instead",
        "rank",
        {"expected": 2},
        seen="Expected 2D array, got 1D array instead:\narray=[1. 2. 3.].",
        release="all",
    ),
    Template(
        "Found array with dim {got:n}. {layer_type:word} expected <= {expected:n}",
        "rank",
        {"bound": "at most"},
        seen="Found array with dim 4. StandardScaler expected <= 2.",
        release="all",
    ),
    Template(
        "y should be a 1d array, got an array of shape {target:shape} instead",
        "target-rank",
        {"expected": 1},
        seen="y should be a 1d array, got an array of shape (600, 10) instead.",
        release="0.24 and later",
    ),
    Template(
        "bad input shape {target:shape}",
        "target-rank",
        {"expected": 1},
        seen="bad input shape (600, 10)",
        release="until 0.23",
    ),
)

OPENCV: tuple[Template, ...] = (
    Template(
        "Invalid number of channels in input image: {_:lines}where{__:lines}' is {got:n}",
        "conv-channels",
        {"op": "cvtColor"},
        seen="error: (-2:Unspecified error) in function 'cvtColor'\n> Invalid number of channels in input "
        "image:\n>     'VScn::contains(scn)'\n> where\n>     'scn' is 1",
        release="4",
    ),
    Template(
        "Sizes of input arguments do not match",
        "only-dress",
        {"op": "opencv"},
        seen="error: (-209) Sizes of input arguments do not match in function binary_op",
        release="2 and 3",
    ),
)

TABLES_AND_PLOTS: tuple[Template, ...] = (
    Template(
        "Length of values ({x:n}) does not match length of index ({y:n})",
        "data-lengths",
        seen="Length of values (500) does not match length of index (600)",
        release="pandas 1 and later",
    ),
    Template(
        "x and y must have same first dimension, but have shapes {left:shape} and {right:shape}",
        "elementwise",
        {"op": "plot"},
        seen="x and y must have same first dimension, but have shapes (10,) and (9,)",
        release="matplotlib",
    ),
    Template(
        "Invalid shape {input:shape} for image data",
        "rank",
        {"op": "imshow", "expected": "2 or 3"},
        seen="Invalid shape (1, 28, 28) for image data",
        release="matplotlib",
    ),
    Template(
        "The number of features in data ({got:n}) is not the same as it was in training data ({expected:n})",
        "layer-width",
        seen="The number of features in data (12) is not the same as it was in training data (13).",
        release="lightgbm",
    ),
)
