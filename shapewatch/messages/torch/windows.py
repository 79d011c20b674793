"""Convolution, pooling, padding, upsampling, folding."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

CONV = (
    Template(
        "could not create a primitive descriptor for a convolution forward propagation primitive",
        "only-dress",
        {"op": "convolution"},
        seen="could not create a primitive descriptor for a convolution forward propagation primitive",
        release="1.9 and later, oneDNN",
    ),
    Template(
        "non-empty {expected:text} weight tensor expected, but got: {input:shape}",
        "rank",
        {"op": "the weight of a convolution"},
        seen="non-empty 2D or 4D weight tensor expected, but got: [32 x 3 x 3] at"
        " /pytorch/aten/src/THNN/generic/SpatialConvolutionMM.c:29",
        release="0.4 to 1.4",
    ),
    Template(
        "2D or 4D weight tensor expected, but got: {input:shape}",
        "rank",
        {"op": "the weight of a convolution", "expected": "2D or 4D"},
        seen="2D or 4D weight tensor expected, but got: [16 x 1 x 3 x 3 x 3] at"
        " /pytorch/torch/lib/THNN/generic/SpatialConvolutionMM.c:15",
        release="0.1 to 0.3",
    ),
    Template(
        "Given groups={groups:n}, weight of size {weight:shape} , expected input {input:shape} to have {expected:n}"
        " channels, but got {got:n} channels instead",
        "conv-channels",
        example="nn.Conv2d(3, 64, 7, groups=1)(torch.randn(1, 5, 224, 224))",
    ),
    Template(
        "Given transposed={_flag:n}, weight of size {weight:shape} , expected input {input:shape} to have {expected:n}"
        " channels, but got {got:n} channels instead",
        "conv-channels",
        {"transposed": True},
        example="nn.ConvTranspose2d(256, 128, 2)(torch.randn(1, 512, 8, 8))",
    ),
    Template(
        "Given groups={groups:n}, weight {weight:shape} , so expected input {input:shape} to have {expected:n}"
        " channels,"
        " but got {got:n} channels instead",
        "conv-channels",
        seen="Given groups=1, weight[64, 3, 3, 3], so expected input[16, 1, 28, 28] to have 3 channels, but got 1"
        " channels instead",
        release="0.3 and 0.4",
    ),
    Template(
        "Given transposed={_flag:n}, weight {weight:shape} , so expected input {input:shape} to have {expected:n}"
        " channels, but got {got:n} channels instead",
        "conv-channels",
        {"transposed": True},
        seen="Given transposed=1, weight[64, 3, 3, 3], so expected input[16, 1, 28, 28] to have 64 channels, but got 1"
        " channels instead",
        release="0.3 and 0.4",
    ),
    Template(
        "Given weight of size {weight:shape} , expected bias to be {rank:n}-dimensional with {expected:n} elements,"
        " but got bias of size {bias:shape}",
        "layer-width",
        {"op": "conv", "what": "bias"},
        example="F.conv2d(torch.randn(1, 3, 8, 8), torch.randn(8, 3, 3, 3), torch.randn(4))",
    ),
    Template(
        "Need input of dimension {rank:n} and input.size[{axis:axis}] == {expected:n} but got input to be of shape:"
        " {input:shape}",
        "conv-channels",
        seen="Need input of dimension 4 and input.size[1] == 3 but got input to be of shape: [16 x 1 x 28 x 28] at"
        " /pytorch/torch/lib/THNN/generic/SpatialConvolutionMM.c:47",
        release="0.1 and 0.2",
    ),
    Template(
        "Need input.size[{axis:axis}] == {expected:n} but got {got:n} instead",
        "conv-channels",
        seen="Need input.size[1] == 3 but got 1 instead. at"
        " /pytorch/torch/lib/THCUNN/generic/SpatialConvolutionMM.cu:49",
        release="0.1 and 0.2",
    ),
    Template(
        "Expected {_wanted:n}-dimensional input for {expected:n}-dimensional weight {weight:shape} , but got"
        " {got:n}-dimensional input of size {input:shape}",
        "rank",
        {"op": "conv"},
        seen="Expected 4-dimensional input for 4-dimensional weight [64, 3, 7, 7], but got 3-dimensional input of size"
        " [3, 224, 224] instead",
        release="1.1 to 1.13",
    ),
    Template(
        "Expected {_wanted:n}-dimensional weight for {got:n}-dimensional input {input:shape}, but got weight of size "
        "{weight:shape}",
        "rank",
        {"op": "conv", "what": "weight"},
        seen="Expected 4-dimensional weight for 4-dimensional input [2, 1, 40, 100], but got weight of size [20, 40, 1]"
        " instead",
        release="0.4 and 1.0",
    ),
    Template(
        "Expected {_wanted:n}-dimensional input for {expected:n}-dimensional weight {weight:shape} , but got input of"
        " size {input:shape}",
        "rank",
        {"op": "conv"},
        seen="Expected 4-dimensional input for 4-dimensional weight [64, 3, 7, 7], but got input of size [16, 64]"
        " instead",
        release="0.4 and 1.0",
    ),
    Template(
        "Invalid channel dimensions",
        "conv-channels",
        example="F.conv2d(torch.randn(1, 1, 8, 8, device='meta'), torch.randn(8, 3, 3, 3, device='meta'))",
    ),
)

GROUPS = (
    Template(
        "num_channels ({channels:n}) must be divisible by num_groups ({groups:n})",
        "groups",
        {"op": "group_norm"},
        example="nn.GroupNorm(3, 64)",
    ),
    Template(
        "num_channels must be divisible by num_groups",
        "groups",
        {"op": "group_norm"},
        seen="num_channels must be divisible by num_groups",
        release="1.8 to 2.7",
    ),
    Template(
        "Expected number of channels in input to be divisible by num_groups, but got input of shape {input:shape} and"
        " num_groups={groups:n}",
        "groups",
        {"op": "group_norm"},
        example="F.group_norm(torch.randn(2, 10, 4), 4)",
    ),
    Template(
        "{what:in_channels|out_channels} must be divisible by groups",
        "groups",
        {"op": "conv"},
        example="nn.Conv2d(10, 20, 3, groups=3)",
    ),
    Template(
        "Given groups={groups:n}, expected weight to be {_how:text} {least:n} at dimension"
        " {axis:axis}, but got weight of size {_open:text}{weight:shape}",
        "groups",
        {"op": "conv"},
        example="F.conv2d(torch.randn(1, 4, 8, 8), torch.randn(1, 2, 3, 3), groups=2)",
    ),
    Template(
        "Number of channels must be divisible by groups. Got {channels:n} channels and {groups:n} groups",
        "groups",
        {"op": "channel_shuffle"},
        example="nn.ChannelShuffle(2)(torch.randn(1, 5, 4, 4))",
    ),
    Template(
        "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but"
        " input.size({axis:axis})={channels:n} is not divisible by {groups:n}",
        "groups",
        {"op": "pixel_shuffle"},
        example="nn.PixelShuffle(2)(torch.randn(1, 6, 4, 4))",
    ),
    Template(
        "pixel_shuffle expects {_what:text}, but got input with sizes {input:shape}, upscale_factor={factor:n}, and"
        " self.size(1)={channels:n} is not divisible by {groups:n}",
        "groups",
        {"op": "pixel_shuffle"},
        seen="pixel_shuffle expects input channel to be divisible by square of upscale_factor, but got input with sizes"
        " [1, 6, 4, 4], upscale_factor=2, and self.size(1)=6 is not divisible by 4",
        release="1.0 to 1.7",
    ),
    Template(
        "Invalid input shape for pixel_shuffle: {input:shape} with upscale_factor = {factor:n}",
        "groups",
        {"op": "pixel_shuffle"},
        example="F.pixel_shuffle(torch.randn(1, 6, 4, 4, device='meta'), 2)",
    ),
    Template(
        "pixel_unshuffle expects {what:height|width} to be divisible by downscale_factor, but"
        " input.size({axis:axis})={size:n} is not divisible by {parts:n}",
        "split",
        {"op": "pixel_unshuffle"},
        example="nn.PixelUnshuffle(2)(torch.randn(1, 6, 5, 4))",
    ),
    Template(
        "Expected size of input's dimension {axis:axis} to be divisible by the product of kernel_size, but got"
        " input.size({_same:axis})={size:n} and kernel_size={kernel:shape}",
        "only-dress",
        {"op": "fold"},
        example="F.fold(torch.randn(1, 7, 4), output_size=(4, 4), kernel_size=(2, 2), stride=2)",
    ),
    Template(
        "expected size of input's dimension {axis:axis} to match the calculated number of sliding blocks"
        " {_blocks:text}="
        " {expected:n}, but got input.size({_same:axis})={got:n}",
        "only-dress",
        {"op": "fold"},
        example="F.fold(torch.randn(1, 4, 9), output_size=(4, 4), kernel_size=2, stride=2)",
    ),
    Template(
        "expected input.size({axis:axis}) to be {expected:n} but got {got:n}",
        "only-dress",
        {"op": "fold"},
        example="F.fold(torch.randn(1, 4, 9, device='meta'), (4, 4), 2, stride=2)",
    ),
)

WINDOW = (
    Template(
        "Calculated padded input size per channel: {padded:shape}. Kernel size: {kernel:shape}. Kernel size can't",
        "window",
        example="nn.Conv2d(3, 8, 3)(torch.randn(1, 3, 2, 2))",
    ),
    Template(
        "Calculated input size: {padded:shape}. Kernel size: {kernel:shape}. Kernel size can't",
        "window",
        seen="Calculated input size: (1 x 1). Kernel size: (3 x 3). Kernel size can't be greater than actual input"
        " size at /pytorch/torch/lib/THNN/generic/SpatialConvolutionMM.c:50",
        release="0.3",
    ),
    Template(
        "Given input size per channel: {input:shape}. Calculated output size per channel: {output:shape}. Output size"
        " is too small",
        "window",
        seen="Given input size per channel: (1 x 1). Calculated output size per channel: (-1 x -1). Output size is too"
        " small at /pytorch/aten/src/THNN/generic/SpatialConvolutionMM.c:48",
        release="0.4 to 1.4",
    ),
    Template(
        "Given input size: {input:shape}. Calculated output size: {output:shape}. Output size is too small",
        "window",
        example="nn.AvgPool2d(7)(torch.randn(1, 2048, 4, 4))",
    ),
    Template(
        "input image ({detail:text}) smaller than kernel size",
        "window",
        {"op": "pool3d"},
        seen="input image (T: 8 H: 7 W: 7) smaller than kernel size (kT: 16 kH: 7 kW: 7)",
        release="0.2 to 1.8",
    ),
    Template(
        "max_pool1d() Invalid computed output size: {output:n}",
        "window",
        {"op": "max_pool1d"},
        example="F.max_pool1d(torch.randn(1, 3, 2), 5)",
    ),
    Template(
        "Given input with spatial size {input:shape}, kernel_size={kernel:shape}, dilation={dilation:shape},"
        " padding={padding:shape}, calculated shape of the array of sliding blocks as {output:shape}",
        "window",
        {"op": "unfold"},
        example="F.unfold(torch.randn(1, 3, 1, 1), kernel_size=3, padding=0)",
    ),
    Template(
        "maximum size for tensor at dimension {axis:axis} is {input:n} but size is {kernel:n}",
        "window",
        {"op": "unfold"},
        example="torch.randn(3).unfold(0, 5, 1)",
    ),
    Template(
        "Expected input to have non-zero size for non-batch dimensions, but input has sizes {input:shape}",
        "only-dress",
        {"op": "adaptive pooling"},
        example="F.adaptive_avg_pool2d(torch.randn(1, 3, 0, 8), 2)",
    ),
    Template(
        "{op:adaptive_avg_pool1d|adaptive_avg_pool2d|adaptive_avg_pool3d|adaptive_max_pool2d|adaptive_max_pool3d}:"
        " output_size must be {expected:n}",
        "only-dress",
        example="F.adaptive_avg_pool2d(torch.randn(1, 3, 8, 8), (1, 1, 1))",
    ),
)

PADDING = (
    Template(
        "Padding size should be less than the corresponding input dimension, but got: padding {padding:shape} at"
        " dimension {axis:axis} of input {input:shape}",
        "padding",
        example="F.pad(torch.randn(1, 128, 1, 12), (1, 1, 1, 1), mode='reflect')",
    ),
    Template(
        "The input size {size:n}, plus negative padding {before:axis} and {after:axis}{_comma:text}resulted in a"
        " negative"
        " output size, which is invalid. Check dimension {axis:axis}",
        "only-dress",
        {"op": "pad"},
        seen="The input size 3, plus negative padding 0 and -5 resulted in a negative output size, which is invalid."
        " Check dimension 1 of your input.",
        release="1.0 to 2.5",
    ),
    Template(
        "Padding value causes wrapping around more than once",
        "padding",
        {"op": "circular"},
        example="F.pad(torch.randn(1, 3, 2), (3, 3), mode='circular')",
    ),
    Template(
        "Padding length must be divisible by 2",
        "only-dress",
        {"op": "pad"},
        example="F.pad(torch.randn(2, 3), (1, 1, 1))",
    ),
    Template(
        "Padding length should be less than or equal to two times the input dimension but got padding length {length:n}"
        " and input of dimension {got:n}",
        "rank",
        {"op": "pad"},
        example="F.pad(torch.randn(2, 3), (1, 1, 1, 1, 1, 1))",
    ),
    Template(
        "Padding size {length:n} is not supported for {got:n}D input tensor",
        "rank",
        {"op": "pad"},
        example="F.pad(torch.randn(8, 8), (1, 1, 1, 1), mode='reflect')",
    ),
    Template(
        "{rank:n}D tensors expect {length:n} values for padding",
        "only-dress",
        {"op": "pad"},
        seen="4D tensors expect 4 values for padding",
        release="0.2 to 1.9",
    ),
    Template(
        "padding with non-constant padding are supported for now",
        "only-dress",
        {"op": "pad"},
        seen="Only 3D, 4D, 5D padding with non-constant padding are supported for now",
        release="0.4 to 1.13",
    ),
    Template(
        "pad should be at most half of effective kernel size, but got pad={padding:shape}, kernel_size={kernel:shape}",
        "only-dress",
        {"op": "pool"},
        example="nn.MaxPool2d(3, padding=2)(torch.randn(1, 3, 8, 8))",
    ),
    Template(
        "pad should be smaller than half of kernel size",
        "only-dress",
        {"op": "pool"},
        seen="pad should be smaller than half of kernel size, but got padW = 2, padH = 2, kW = 2, kH = 2",
        release="0.1 to 1.8",
    ),
)

RESIZE = (
    Template(
        "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of"
        " {input:shape} and output size of {size:shape}",
        "resize",
        example="F.interpolate(torch.randn(1, 3, 8, 8), size=(4, 4, 4))",
    ),
    Template(
        "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions"
        " of {input:shape} and scale_factor of shape {factor:text}. Please",
        "resize",
        example="F.interpolate(torch.randn(1, 3, 8, 8), scale_factor=(2.0, 2.0, 2.0))",
    ),
    Template(
        "{what:size|scale_factor} shape must match input shape. Input is {input_rank:n}D,",
        "resize",
        seen="size shape must match input shape. Input is 2D, size is 3",
        release="1.1 to 1.9",
    ),
    Template(
        "Input and output sizes should be greater than 0, but got input (H: {height:n}, W: {width:n}) output"
        " (H: {to_height:n}, W: {to_width:n})",
        "resize",
        example="F.interpolate(torch.randn(1, 3, 1, 1), scale_factor=0.5)",
    ),
    Template(
        "Input and output sizes should be greater than 0, but got input (W: {width:n}) and output (W: {to_width:n})",
        "resize",
        example="F.interpolate(torch.randn(1, 3, 1), scale_factor=0.5)",
    ),
    Template(
        "Input and output sizes should be greater than 0, but got input (D: {depth:n}, H: {height:n}, W: {width:n})"
        " output (D: {to_depth:n}, H: {to_height:n}, W: {to_width:n})",
        "resize",
        example="F.interpolate(torch.randn(1, 3, 1, 1, 1), scale_factor=0.5)",
    ),
    Template(
        "Input and output sizes should be greater than 0, but got input size {input:shape} and output size"
        " {size:shape}",
        "resize",
        example="F.interpolate(torch.randn(1, 3, 1, 1, device='meta'), scale_factor=0.5)",
    ),
    Template(
        "It is expected {what:output_size|input_size} equals to {expected:n}, but got size {got:n}",
        "resize",
        example="torch.ops.aten.upsample_nearest2d(torch.randn(1, 3, 8, 8), [4, 4, 4])",
    ),
    Template(
        "Expected a batch of {spatial:n}D affine matrices of shape Nx{shape:shape} for size {size:shape}. Got"
        " {input:shape}",
        "only-dress",
        {"op": "affine_grid"},
        example="F.affine_grid(torch.randn(2, 3, 3), (2, 3, 4, 4), align_corners=False)",
    ),
    Template(
        "grid_sampler(): expected grid to have size {expected:n} in last dimension, but got grid with sizes"
        " {input:shape}",
        "only-dress",
        {"op": "grid_sample"},
        example="F.grid_sample(torch.randn(2, 3, 4, 4), torch.randn(2, 4, 4, 3), align_corners=False)",
    ),
    Template(
        "requested an output size of {requested:shape}, but valid sizes range from {least:shape} to {most:shape} (for"
        " an input of {input:shape})",
        "transposed-output",
        example="nn.ConvTranspose2d(4, 4, 3, 2)(torch.randn(1, 4, 5, 5), output_size=(20, 20))",
    ),
    Template(
        "for {rank:n}D input, output_size must have {least:n} or {most:n} elements (got {got:n})",
        "only-dress",
        {"op": "conv_transpose"},
        example="nn.ConvTranspose2d(4, 4, 3, 2)(torch.randn(1, 4, 5, 5), output_size=(9,))",
    ),
    Template(
        'invalid output_size "{requested:shape}" (dim {axis:axis} must be between {least:n} and {most:n})',
        "transposed-output",
        {"op": "max_unpool"},
        example="p, i = F.max_pool2d(torch.randn(1, 3, 8, 8), 2, return_indices=True)\n"
        "F.max_unpool2d(p, i, 2, output_size=(20, 20))",
    ),
    Template(
        "output padding must be smaller than either stride or dilation",
        "transposed-output",
        {"op": "output_padding"},
        example="nn.ConvTranspose2d(4, 4, 3, stride=2, output_padding=2)(torch.randn(1, 4, 5, 5))",
    ),
)

TEMPLATES = CONV + GROUPS + WINDOW + PADDING + RESIZE
