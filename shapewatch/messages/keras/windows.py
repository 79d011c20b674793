"""Convolution, pooling, cropping, normalisation; reshape, axes, indices; the state of recurrent layers."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_KERAS_2 = "Keras 2, tf.keras until 2.15"

_WINDOWS = (
    Template(
        "Kernel shape must have the same length as input, but received kernel of shape {filter:shape} and input of "
        "shape {input:shape}",
        "rank",
        facts={"op": "convolution"},
        example="layers.Conv2D(16, 3)(keras.Input((5, 28, 28, 1)))",
    ),
    Template(
        "Computed output size would be zero or negative. Received `inputs shape={input:shape}`, `kernel "
        "shape={weight:shape}`, `dilation_rate={dilation:text}`, `strides={strides:text}`, `padding={padding:word}`",
        "window",
        facts={"op": "convolution"},
        example="layers.Conv2D(128, 3)(keras.Input((1, 1, 64)))",
    ),
    Template(
        "Computed output size would be zero or negative. Received: `inputs.shape={input:shape}`, "
        "`pool_size={kernel:shape}`, `strides={strides:text}`, `padding={padding:word}`",
        "window",
        facts={"op": "pooling"},
        example="layers.MaxPooling2D()(keras.Input((1, 1, 8)))",
    ),
    Template(
        "One of the dimensions in the output is <= 0 due to downsampling in {layer:word}. Consider increasing the "
        "input size. Received input shape {input:shape} which would produce output shape with a zero or negative "
        "value in a dimension",
        "window",
        seen="One of the dimensions in the output is <= 0 due to downsampling in conv2d_4. Consider increasing the "
        "input size. Received input shape [None, 2, 2, 32] which would produce output shape with a zero or "
        "negative value in a dimension.",
        release="tf.keras 2.5 to 2.15",
    ),
    Template(
        "The convolution operation resulted in an empty output. Output shape: {output:shape}",
        "window",
        facts={"op": "convolution"},
        seen="The convolution operation resulted in an empty output. Output shape: (1, 0, 0, 4). This can happen if",
        release="Keras 3 on JAX and NumPy",
    ),
    Template(
        "The convolution operation resulted in an empty output. This can happen if the input is too small",
        "window",
        facts={"op": "convolution"},
        seen="The convolution operation resulted in an empty output. This can happen if the input is too small for "
        "the given kernel size, strides, dilation rate, and padding mode.",
        release="Keras 3 on JAX and NumPy",
    ),
    Template(
        "Values in `cropping` argument should be smaller than the corresponding spatial dimension of the input. "
        "Received: {_:text}shape={input:shape}, cropping={cropping:text}",
        "window",
        facts={"op": "cropping"},
        seen="Values in `cropping` argument should be smaller than the corresponding spatial dimension of the "
        "input. Received: inputs.shape=(None, 8, 8, 3), cropping=((5, 5), (5, 5))",
        release="Keras 2 and 3",
    ),
    Template(
        "`cropping` parameter of `Cropping1D` layer must be smaller than the input length. Received: "
        "{_:text}shape={input:shape}, cropping={cropping:text}",
        "window",
        facts={"op": "cropping"},
        example="layers.Cropping1D(5)(keras.Input((8, 3)))",
    ),
    Template(
        "The number of input channels must be evenly divisible by the number of groups. Received "
        "groups={groups:n}, but the input has {channels:n} channels (full input shape is {input:shape})",
        "groups",
        example="layers.Conv2D(8, 3, groups=2)(np.zeros((1, 8, 8, 3)))",
    ),
    Template(
        "The number of filters must be evenly divisible by the number of groups. Received: groups={groups:n}, "
        "filters={channels:n}",
        "groups",
        facts={"what": "filters"},
        example="layers.Conv2D(7, 3, groups=2)",
    ),
    Template(
        "The number of input channels must match the kernel's input channels. Received: input channels={got:n}, "
        "kernel input channels={expected:n}, data_format='{data_format:word}'",
        "conv-channels",
        example="ops.conv(keras.Input((8, 8, 3)), np.zeros((3, 3, 4, 8)))",
    ),
    Template(
        "The number of input channels must be evenly divisible by kernel's in_channels. Received input channels "
        "{got:n} and kernel in_channels {expected:n}",
        "conv-channels",
        seen="The number of input channels must be evenly divisible by kernel's in_channels. Received input channels 3 "
        "and kernel in_channels 4. ",
        release="Keras 3 on NumPy and PyTorch",
    ),
    Template(
        "Number of groups ({groups:n}) must be a multiple of the number of channels ({channels:n})",
        "groups",
        facts={"layer_type": "GroupNormalization"},
        example="layers.GroupNormalization(groups=3)(keras.Input((8, 8, 16)))",
    ),
    Template(
        "Number of groups ({groups:n}) cannot be more than the number of channels ({channels:n})",
        "groups",
        facts={"layer_type": "GroupNormalization"},
        example="layers.GroupNormalization(groups=32)(keras.Input((8, 8, 16)))",
    ),
    Template(
        "Axis {axis:axis} is out of bounds for input shape {input:shape}",
        "axis-range",
        facts={"op": "normalization"},
        seen="Axis 4 is out of bounds for input shape (None, 8, 8). Received: axis=4",
        release="Keras 3",
    ),
    Template(
        "Invalid axis. Expected 0 <= axis < inputs.rank (with inputs.rank={rank:n})",
        "axis-range",
        facts={"op": "normalization"},
        seen="Invalid axis. Expected 0 <= axis < inputs.rank (with inputs.rank=3). Received: layer.axis=(4,)",
        release="tf.keras 2",
    ),
    Template(
        "Argument {parameter:word} must be a vector of length `x.shape[axis]`. Expected: `{expected_shape:shape}`. "
        "Received: `{given:shape}",
        "norm",
        seen="Argument `mean` must be a vector of length `x.shape[axis]`. Expected: `(8,)`. Received: `(4,).",
        release="Keras 3",
    ),
    Template(
        "Arguments {parameter:word} must be a vector of length `x.shape[axis]`. Expected: "
        "`{expected_shape:shape}`. Received: `{given:shape}",
        "norm",
        example="ops.batch_normalization(keras.Input((8,)), keras.Input(batch_shape=(4,)), np.zeros(4), axis=-1)",
    ),
    Template(
        "The number of channels ({channels:n}) must be divisible by block_size**2 ({groups:n})",
        "split",
        facts={"op": "depth_to_space"},
        example="ops.depth_to_space(keras.Input((4, 4, 6)), 2)",
    ),
    Template(
        "({size:n}) must be divisible by block_size ({parts:n})",
        "split",
        facts={"op": "space_to_depth"},
        example="ops.space_to_depth(keras.Input((5, 4, 6)), 2)",
    ),
)

_AXES = (
    Template(
        "The total size of the tensor must be unchanged. Received: input_shape={input:shape}, "
        "{target:newshape|target_shape}={shape:shape}",
        "reshape",
        example="ops.reshape(keras.Input(batch_shape=(4, 6)), (5, 5))",
    ),
    Template(
        "The total size of the tensor must be unchanged, however, the input size cannot by divided by the "
        "specified dimensions in {_:newshape|target_shape}. Received: input_shape={input:shape}, "
        "{__:newshape|target_shape}={shape:shape}",
        "reshape",
        example="ops.reshape(keras.Input(batch_shape=(4, 6)), (-1, 5))",
    ),
    Template(
        "total size of new array must be unchanged, input_shape = {input:shape}, output_shape = {shape:shape}",
        "reshape",
        facts={"target": "target_shape"},
        seen="total size of new array must be unchanged, input_shape = [7, 7, 64], output_shape = [3136, 2]",
        release=_KERAS_2,
    ),
    Template(
        "Cannot squeeze axis {axis:axis}, because the dimension is not 1",
        "axis-range",
        facts={"op": "squeeze"},
        example="ops.squeeze(keras.Input((3, 4)), axis=1)",
    ),
    Template(
        "Cannot squeeze axis={axis:axis}, because the dimension is not 1",
        "axis-range",
        facts={"op": "squeeze"},
        example="ops.squeeze(np.zeros((2, 3), 'float32'), axis=1)",
    ),
    Template(
        "axis must be a list of the same length as the input shape, expected {rank:n}, but received {got:n}",
        "axis-range",
        facts={"op": "transpose"},
        example="ops.transpose(keras.Input((4, 6)), (0, 2))",
    ),
    Template(
        "Each axis in `axes` must be an integer in [-{rank:n}, {_:n}). Received: axes={axes:text}",
        "axis-range",
        facts={"op": "transpose"},
        example="ops.transpose(keras.Input((4, 6)), (0, 2, 3))",
    ),
    Template(
        "axis {axis:axis} is out of bounds for an array with dimension {rank:n}",
        "axis-range",
        seen="axis 3 is out of bounds for an array with dimension 2.",
        release="Keras 3",
    ),
    Template(
        "`x` size on given `axis` must be divisible by `indices_or_sections` when `indices_or_sections` is an int. "
        "But received {size:n} and {parts:n}",
        "split",
        example="ops.split(keras.Input((7,)), 2, axis=-1)",
    ),
    Template(
        "`x` and `indices` must have the same number of dimensions, but receive shape {input:shape} and {index:shape}",
        "index-shape",
        example="ops.take_along_axis(keras.Input(batch_shape=(2, 3)), keras.Input(batch_shape=(2,), "
        "dtype='int32'), axis=1)",
    ),
    Template(
        "`pad_width` must have the same length as `x.shape`. Received: pad_width={padding:text} (of length "
        "{got:n}) and x.shape={input:shape} (of length {rank:n})",
        "padding",
        example="ops.pad(keras.Input(batch_shape=(2, 3)), ((1, 1), (1, 1), (1, 1)))",
    ),
    Template(
        "Array has shape {input:shape} but out-of-bounds index {index:text} was requested",
        "index-range",
        example="keras.Input(batch_shape=(2, 3))[:, 5]",
    ),
    Template(
        "Array has shape {input:shape} but slice has to many indices",
        "axis-range",
        facts={"op": "slicing"},
        example="keras.Input(batch_shape=(2, 3))[:, :, 0]",
    ),
    Template(
        "Argument `segment_ids` and `data` should have same leading dimension. Got {index:shape} v.s. {input:shape}",
        "index-shape",
        facts={"op": "segment_sum"},
        example="ops.segment_sum(np.zeros(12, 'float32'), np.zeros(8, 'int32'))",
    ),
    Template(
        "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). Received "
        "{_:text}shape={input:shape}",
        "rank",
        facts={"expected": "3 or 4", "op": "image"},
        example="ops.image.resize(np.zeros((8, 9), 'float32'), (4, 4))",
    ),
)

_RECURRENT = (
    Template(
        "When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch size: "
        "sequence.shape={input:shape}",
        "recurrent-state",
        facts={"what": "batch"},
        example="layers.LSTM(4, stateful=True)(keras.Input((5, 8)))",
    ),
    Template(
        "the batch size of the input sequences must be the same as the batch size of the initial state. - Expected "
        "batch size: {expected_batch:n} - Received batch size: {got_batch:n}",
        "recurrent-state",
        facts={"what": "batch"},
        example="layer = layers.LSTM(4, stateful=True); layer(np.zeros((2, 5, 8)))\nlayer(np.zeros((3, 5, 8)))",
    ),
    Template(
        "In a stateful network, you should only pass inputs with a number of samples that can be divided by the "
        "batch size. Found: {samples:n} samples",
        "recurrent-state",
        facts={"what": "batch"},
        seen="In a stateful network, you should only pass inputs with a number of samples that can be divided by "
        "the batch size. Found: 1001 samples",
        release=_KERAS_2,
    ),
    Template(
        "If a RNN is stateful, it needs to know its batch size",
        "recurrent-state",
        facts={"what": "batch"},
        seen="If a RNN is stateful, it needs to know its batch size. Specify the batch size of your input tensors",
        release=_KERAS_2,
    ),
    Template(
        "An `initial_state` was passed that is not compatible with `cell.state_size`. Received "
        "`state_spec`={received:lines}; however `cell.state_size` is {expected_size:text}",
        "recurrent-state",
        facts={"what": "initial_state"},
        seen="An `initial_state` was passed that is not compatible with `cell.state_size`. Received "
        "`state_spec`=ListWrapper([InputSpec(shape=(None, 64), ndim=2)]); however `cell.state_size` is [128, "
        "128]",
        release=_KERAS_2,
    ),
)

TEMPLATES: tuple[Template, ...] = (*_WINDOWS, *_AXES, *_RECURRENT)
