"""Messages of the kernels of one tensor: windows, norms, reshape, axes, indices."""

from __future__ import annotations

from shapewatch.messages.nouns import Template
from shapewatch.messages.tensorflow.nodes import CONVOLUTIONS, LAYOUT, NEGATIVE, POOLINGS, said_of

_TF1 = "TensorFlow 1"

_WINDOWS = (
    Template(
        "input depth must be evenly divisible by filter depth: {got:n} vs {expected:n}",
        "conv-channels",
        example='tf.nn.conv2d(tf.zeros([1, 8, 8, 1]), tf.zeros([3, 3, 3, 16]), 1, "SAME")',
    ),
    Template(
        "input and filter must have the same depth: {got:n} vs {expected:n}",
        "conv-channels",
        seen="input and filter must have the same depth: 1 vs 3",
        release=_TF1,
    ),
    Template(
        "filter must have the same depth as input: {_:text}{got:n} vs {expected:n}",
        "conv-channels",
        seen="filter must have the same depth as input: 1 vs 3",
        release=_TF1,
    ),
    Template(
        "input and filter must have the same depth: {input:shape} vs {weight:shape}",
        "conv-channels",
        seen="input and filter must have the same depth: [1,8,8,1] vs [3,3,3,16]",
        release=_TF1,
    ),
    Template(
        "Conv{_:2D|3D}SlowBackpropInput: Size of out_backprop doesn't match computed: actual = {got:n}, computed = "
        "{expected:n}",
        "transposed-output",
        {"op": "Conv2DBackpropInput"},
        seen="Conv2DSlowBackpropInput: Size of out_backprop doesn't match computed: actual = 8, computed = "
        "9spatial_dim: 1 input: 18 filter: 3 output: 8 stride: 2 dilation: 1",
        release="all, on a GPU or without oneDNN",
    ),
    Template(
        "Size of out_backprop doesn't match computed: actual = {got:n}, computed = {expected:n}",
        "transposed-output",
        seen="Conv2DBackpropInput: Size of out_backprop doesn't match computed: actual = 8, computed = 9",
        release="all, on a GPU or without oneDNN",
    ),
    Template(
        "input and out_backprop must have the same batch size. Input batch: {target:n}, out_backprop batch: {output:n}",
        "transposed-output",
        {"what": "batch"},
        seen="Conv2DCustomBackpropInput: input and out_backprop must have the same batch size. Input batch: 32, "
        "out_backprop batch: 16",
        release="all",
    ),
    Template(
        "Computed output size would be negative: {output:n} [input_size: {input:n}, effective_filter_size: "
        "{kernel:n}, stride: {stride:n}]",
        "window",
        {"op": "convolution"},
        example='tf.nn.conv2d(tf.zeros([1, 2, 2, 3]), tf.zeros([5, 5, 3, 8]), 1, "VALID")  # 2 - 5 + 1 = -2',
    ),
    Template(
        "Computed output size would be negative",
        "window",
        seen="Computed output size would be negative",
        release="TensorFlow 2",
    ),
    Template(
        "could not create a descriptor for a pooling forward propagation primitive",
        "only-dress",
        {"op": "pooling"},
        example='tf.nn.max_pool2d(tf.zeros([1, 1, 1, 3]), 2, 2, "VALID")',
    ),
    Template(
        "could not create a primitive descriptor for the convolution forward propagation primitive",
        "only-dress",
        {"op": "convolution"},
        example="tf.nn.conv2d_transpose(tf.zeros([1, 4, 4, 8]), tf.zeros([2, 2, 16, 4]), [1, 8, 8, 16], 2)",
    ),
    Template(
        "Check failed: index >= 0 && index < num_total_dims Invalid index from the dimension: {_:n}, {__:n}, C",
        "rank",
        {"op": "Conv2D", "expected": 4},
        seen="F tensorflow/core/util/tensor_format.h:428] Check failed: index >= 0 && index < num_total_dims "
        "Invalid index from the dimension: 3, 0, C",
        release="TensorFlow 2; the process ends",
    ),
    Template(
        "input must be {expected:n}-dimensional{input:shape}",
        "rank",
        seen="input must be 4-dimensional[8,8,3]",
        release="all",
    ),
    Template(
        "{_:tensor_in|input} must be {expected:n}-dimensional",
        "rank",
        seen="tensor_in must be 4-dimensional",
        release="all",
    ),
    Template(
        "must be at least {expected:n}-D, got shape{input:shape}",
        "rank",
        {"bound": "at least"},
        example="tf.image.random_contrast(tf.zeros([8, 9]), 0.1, 0.2)  # 3",
    ),
    Template(
        "scale must have the same number of elements as the channels of x, got {expected:n} and {got:n}",
        "norm",
        example="tf.raw_ops.FusedBatchNormV3(x=tf.zeros([1, 4, 4, 8]), scale=tf.zeros([4]), offset=tf.zeros([4]), "
        "mean=tf.zeros([0]), variance=tf.zeros([0]))",
    ),
    Template(
        "paddings must be less than the dimension size: {_before:n}, {after:n} not less than {size:n}",
        "padding",
        example='tf.pad(tf.zeros([2, 3]), [[0, 0], [3, 3]], "REFLECT")',
    ),
    Template(
        "The first dimension of paddings must be the rank of inputs{padding:shape} {input:shape}",
        "padding",
        example="tf.pad(tf.zeros([2, 3]), [[1, 1]])",
    ),
)

_RESHAPES = (
    Template(
        "Input to reshape is a tensor with {count:n} values, but the requested shape requires a multiple of "
        "{multiple:n}",
        "reshape",
        example="tf.reshape(tf.zeros([4, 6]), [-1, 5])  # 24",
    ),
    Template(
        "Input to reshape is a tensor with {count:n} values, but the requested shape has {requested:n}",
        "reshape",
        example="tf.reshape(tf.zeros([4, 6]), [5, 5])  # 24, 25",
    ),
    Template(
        "Only one input size may be -1, not both {_:n} and {__:n}",
        "reshape",
        {"unknowns": 2},
        example="tf.reshape(tf.zeros([4, 6]), [-1, -1])",
    ),
    Template(
        "Can not squeeze dim[{axis:axis}], expected a dimension of 1, got {size:n}",
        "axis-range",
        {"op": "Squeeze"},
        example="tf.squeeze(tf.zeros([2, 3]), axis=1)",
    ),
    Template(
        "Tried to explicitly squeeze dimension {axis:axis} but dimension was not 1: {size:n}",
        "axis-range",
        {"op": "Squeeze"},
        seen="Tried to explicitly squeeze dimension 1 but dimension was not 1: 3",
        release=_TF1,
    ),
    Template(
        "transpose expects a vector of size {rank:n}. But input(1) is a vector of size {got:n}",
        "axis-range",
        {"op": "Transpose"},
        example="tf.transpose(tf.zeros([2, 3, 4]), [0, 2])",
    ),
    Template(
        "Expected dimension in the range [-{rank:n}, {_:n}), but got {axis:axis}",
        "axis-range",
        example="tf.argmax(tf.zeros([3]), axis=1)",
    ),
    Template(
        "Invalid reduction dimension ({axis:axis} for input with {rank:n} dimension",
        "axis-range",
        example="tf.reduce_sum(tf.zeros([2, 3]), axis=2)",
    ),
    Template(
        "Invalid reduction dimension {axis:axis} for input with {rank:n} dimension",
        "axis-range",
        seen="Invalid reduction dimension 2 for input with 2 dimensions.",
        release="TensorFlow 1 and 2, in a graph",
    ),
    Template(
        "Tried to expand dim index {axis:axis} for tensor with {rank:n} dimensions",
        "axis-range",
        {"op": "ExpandDims"},
        example="tf.expand_dims(tf.zeros([2, 3]), axis=4)",
    ),
    Template(
        "Index out of range using input dim {axis:axis}; input has only {rank:n} dims",
        "axis-range",
        {"op": "StridedSlice"},
        example="tf.zeros([2, 3])[:, :, 0]",
    ),
    Template(
        "Expected multiples argument to be a vector of length {rank:n} but got length {got:n}",
        "axis-range",
        {"op": "Tile"},
        example="tf.tile(tf.zeros([2, 3]), [2])  # 1",
    ),
)

_INDICES = (
    Template(
        "slice index {index:n} of dimension {axis:axis} out of bounds. for {_:text}with input shapes: {input:shape}",
        "index-range",
        {"op": "StridedSlice"},
        example="@tf.function\ndef f(x): return x[:, 5]  # axis 1\nf(tf.zeros([2, 3]))",
    ),
    Template(
        "slice index {index:n} of dimension {axis:axis} out of bounds",
        "index-range",
        {"op": "StridedSlice"},
        example="tf.zeros([3])[5]  # axis 0",
    ),
    Template(
        "Expected begin[{axis:axis}] in [0, {size:n}], but got {index:n}",
        "index-range",
        {"op": "Slice"},
        example="tf.slice(tf.zeros([3, 3]), [0, 5], [3, 1])  # axis 1",
    ),
    Template(
        "Expected size[{axis:axis}] in [0, {size:n}], but got {got:n}",
        "index-range",
        {"op": "Slice"},
        example="tf.slice(tf.zeros([3, 3]), [0, 2], [3, 2])  # axis 1: 3 - 2 = 1",
    ),
    Template(
        "] = {index:axis} is not in [0, {size:n})",
        "index-range",
        example="tf.nn.embedding_lookup(tf.zeros([10, 4]), [12])",
    ),
    Template(
        "flat indices[{_:text}] = {_where:shape} does not index into {_what:text}(shape: {input:shape})",
        "index-range",
        seen="flat indices[0, :] = [5, 0] does not index into param (shape: [4,3]).",
        release="all",
    ),
    Template(
        "= {index:shape} does not index into param shape {input:shape}",
        "index-range",
        {"op": "GatherNd"},
        example="tf.gather_nd(tf.zeros([5, 2]), [[7, 0]])",
    ),
    Template(
        "index innermost dimension length must be <= params rank; saw: {got:n} vs. {rank:n}",
        "index-shape",
        {"op": "GatherNd"},
        example="tf.gather_nd(tf.zeros([5, 2]), [[0, 0, 0]])  # 3 indices",
    ),
    Template(
        "Outer dimensions of indices and update must match. Indices shape: {index:shape}, updates shape:{value:shape}",
        "index-shape",
        {"op": "scatter"},
        example="tf.tensor_scatter_nd_update(tf.zeros([5, 2]), [[0], [1]], tf.zeros([3, 2]))",
    ),
    Template(
        "data.shape must start with partitions.shape, got data.shape = {input:shape}, partitions.shape = {index:shape}",
        "index-shape",
        {"op": "DynamicPartition"},
        example="tf.dynamic_partition(tf.zeros([3]), tf.zeros([4], tf.int32), 2)",
    ),
    Template(
        "segment_ids should be the same size as dimension {axis:axis} of input",
        "index-shape",
        {"op": "segment"},
        example="tf.math.segment_sum(tf.zeros([3, 2]), tf.zeros([4], tf.int32))  # axis 0",
    ),
    Template(
        "input must have at least k columns. Had {size:n}, needed {index:n}",
        "index-range",
        {"op": "TopKV2"},
        example="tf.math.top_k(tf.zeros([3]), 5)",
    ),
)

OF_NODES: tuple[Template, ...] = (
    *said_of(
        CONVOLUTIONS,
        NEGATIVE,
        "window",
        "{input:shape}, {weight:shape}",
        settings=LAYOUT,
        example='@tf.function\ndef f(x, y): return tf.nn.conv2d(x, y, 1, "VALID", '
        'data_format="NHWC")\nf(tf.zeros([1, 1, 1, 64]), tf.zeros([3, 3, 64, 128]))',
    ),
    *said_of(
        CONVOLUTIONS,
        NEGATIVE,
        "window",
        "{input:shape}, {weight:shape}",
        now="Negative dimension size caused by subtracting 5 from 4 for '{{node d}} = "
        "DepthwiseConv2dNative[T=DT_FLOAT](x, y)' with input shapes: [?,4,4,8], [5,5,8,1].",
        before="Negative dimension size caused by subtracting 5 from 4 for 'conv2d_3/convolution' (op: 'Conv2D') "
        "with input shapes: [?,4,4,64], [5,5,64,64].",
    ),
    *said_of(
        POOLINGS,
        NEGATIVE,
        "window",
        "{input:shape}",
        settings=LAYOUT,
        example='@tf.function\ndef f(x): return tf.nn.max_pool2d(x, 2, 2, "VALID", '
        'data_format="NHWC")\nf(tf.zeros([1, 1, 1, 8]))',
    ),
    *said_of(
        POOLINGS,
        NEGATIVE,
        "window",
        "{input:shape}",
        now="Negative dimension size caused by subtracting 2 from 1 for '{{node p}} = MaxPool3D[T=DT_FLOAT](x)' "
        "with input shapes: [?,1,1,1,8].",
        before="Negative dimension size caused by subtracting 2 from 1 for 'pool4/MaxPool' (op: 'MaxPool') with "
        "input shapes: [?,1,14,512].",
    ),
    *said_of(
        "StridedSlice|Slice",
        NEGATIVE,
        "only-dress",
        "{input:shape}",
        now="Negative dimension size caused by subtracting 6 from 4 for '{{node s}} = Slice[T=DT_FLOAT](x, b, s)' "
        "with input shapes: [?,4], [2], [2].",
        before="Negative dimension size caused by subtracting 6 from 4 for 'Slice' (op: 'Slice') with input "
        "shapes: [?,4], [2], [2].",
    ),
    *said_of(
        CONVOLUTIONS,
        "Depth of input ({got:n}) is not a multiple of input depth of filter ({expected:n})",
        "conv-channels",
        "{input:shape}, {weight:shape}",
        settings=LAYOUT,
        example='@tf.function\ndef f(x, y): return tf.nn.conv2d(x, y, 1, "SAME", '
        'data_format="NHWC")\nf(tf.zeros([1, 60, 100, 1]), tf.zeros([11, 11, 3, 96]))',
    ),
    *said_of(
        CONVOLUTIONS,
        "Depth of input ({got:n}) is not a multiple of input depth of filter ({expected:n})",
        "conv-channels",
        "{input:shape}, {weight:shape}",
        now="Depth of input (1) is not a multiple of input depth of filter (3) for '{{node c}} = "
        "Conv2D[T=DT_FLOAT](x, y)' with input shapes: [1,9,9,1], [5,5,3,8].",
        before="Depth of input (1) is not a multiple of input depth of filter (3) for 'conv1' (op: 'Conv2D') with "
        "input shapes: [?,9,9,1], [5,5,3,8].",
    ),
    *said_of(
        CONVOLUTIONS,
        "Depth of output ({channels:n}) is not a multiple of the number of groups ({groups:n})",
        "groups",
        "{input:shape}, {weight:shape}",
        facts={"what": "filters"},
        example='@tf.function\ndef f(x, y): return tf.nn.conv2d(x, y, 1, "SAME")\nf(tf.zeros([1, 9, 10, 4]), '
        "tf.zeros([5, 5, 2, 7]))  # 4 / 2 = 2 groups",
    ),
)

_OF_NO_NODE = (
    Template(
        "Negative dimension size caused by subtracting {kernel:n} from {size:n}",
        "window",
        seen="Negative dimension size caused by subtracting 8 from 4",
        release="TensorFlow 0",
    ),
)

TEMPLATES: tuple[Template, ...] = (*_OF_NO_NODE, *_WINDOWS, *_RESHAPES, *_INDICES)
