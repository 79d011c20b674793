"""Frameworks other than PyTorch, TensorFlow, Keras and JAX, and runtimes."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

ONNXRUNTIME: tuple[Template, ...] = (
    Template(
        "for input: {tensor:word} for the following indices index: {axis:axis} Got: {got:n} Expected: {expected:n} "
        "index: {other_axis:axis} Got: {other_got:n} Expected: {other_expected:n}",
        "model-input",
        {"what": "onnx"},
        seen="Got invalid dimensions for input: images for the following indices\n index: 2 Got: 960 Expected: "
        "640\n index: 3 Got: 960 Expected: 640\n Please fix either the inputs/outputs or the model.",
        release="all, with its beginning or without",
    ),
    Template(
        "Got invalid dimensions for input: {tensor:word} for the following indices index: {axis:axis} Got: {got:n} "
        "Expected: {expected:n}",
        "model-input",
        {"what": "onnx"},
        seen="Got invalid dimensions for input: images for the following indices\n index: 2 Got: 960 Expected: 640",
        release="all",
    ),
    Template(
        "for input: {tensor:word} for the following indices index: {axis:axis} Got: {got:n} Expected: {expected:n}",
        "model-input",
        {"what": "onnx"},
        seen="for input: images for the following indices\n index: 2 Got: 960 Expected: 640",
        release="all, without its beginning",
    ),
    Template(
        "Invalid rank for input: {tensor:word} Got: {got:n} Expected: {expected:n}",
        "rank",
        seen="Invalid rank for input: images Got: 3 Expected: 4 Please fix either the inputs or the model.",
        release="all",
    ),
    Template(
        "Invalid Feed Shape",
        "model-input",
        {"what": "onnx"},
        seen="Invalid Feed Shape. Expected",
        release="early releases",
    ),
    Template(
        "while running {op:word} node. Name:{node:node} Status Message:{_:lines}Attempting to broadcast an axis by "
        "a dimension other than 1. {a:n} by {b:n}",
        "elementwise",
        seen="Non-zero status code returned while running Add node. Name:'Add_12' Status Message: "
        "element_wise_ops.h:503 axis == 1 || axis == largest was false. Attempting to broadcast an axis by a "
        "dimension other than 1. 64 by 128",
        release="all",
    ),
    Template(
        "Attempting to broadcast an axis by a dimension other than 1. {a:n} by {b:n}",
        "elementwise",
        seen="Attempting to broadcast an axis by a dimension other than 1. 64 by 128",
        release="all",
    ),
    Template(
        "Non concat axis dimensions must match: Axis {_:n} has mismatched dimensions of {expected:n} and {got:n}",
        "concat",
        seen="Non concat axis dimensions must match: Axis 2 has mismatched dimensions of 53 and 52",
        release="all",
    ),
    Template(
        "The input tensor cannot be reshaped to the requested shape. Input shape:{input:shape}, requested "
        "shape:{shape:shape}",
        "reshape",
        seen="The input tensor cannot be reshaped to the requested shape. Input shape:{1,64,7,7}, requested "
        "shape:{1,1024}",
        release="all",
    ),
    Template(
        "Input channels C is not equal to kernel channels * group. C: {got:n} kernel channels: {expected:n} group: "
        "{groups:n}",
        "conv-channels",
        seen="Input channels C is not equal to kernel channels * group. C: 1 kernel channels: 3 group: 1",
        release="all",
    ),
    Template(
        "X num_dims does not match W num_dims. X: {input:shape} W: {weight:shape}",
        "rank",
        {"op": "Conv"},
        seen="X num_dims does not match W num_dims. X: {1,28,28} W: {8,1,3,3}",
        release="all",
    ),
    Template(
        "GEMM: Dimension mismatch, W: {right:shape} K: {a:n} N:{_:n}",
        "matmul",
        {"op": "Gemm"},
        seen="GEMM: Dimension mismatch, W: {512,10} K: 1024 N:10",
        release="all",
    ),
    Template(
        "cannot broadcast on dim {_:n} LeftShape: {left:shape}, RightShape: {right:shape}",
        "batched-matmul",
        seen="left operand cannot broadcast on dim 0 LeftShape: {8,10,64}, RightShape: {4,64,10}",
        release="all",
    ),
    Template(
        "MatMul dimension mismatch",
        "only-dress",
        {"op": "MatMul"},
        seen="matmul_helper.h:59 onnxruntime::MatMulComputeHelper::Compute MatMul dimension mismatch",
        release="all",
    ),
    Template(
        "[ShapeInferenceError] Dimension mismatch in unification between {a:n} and {b:n}",
        "elementwise",
        seen="[ShapeInferenceError] Dimension mismatch in unification between 64 and 128",
        release="onnx",
    ),
    Template(
        "[ShapeInferenceError] {_:text}ncompatible dimensions",
        "only-dress",
        seen="(op_type:Add, node name: Add_3): [ShapeInferenceError] Incompatible dimensions",
        release="onnx",
    ),
    Template(
        "indices element out of data bounds, idx={index:n} must be within the inclusive range [-{size:n},",
        "index-range",
        {"op": "Gather"},
        seen="indices element out of data bounds, idx=12 must be within the inclusive range [-10,9]",
        release="all",
    ),
)

THEANO: tuple[Template, ...] = (
    Template(
        "Input dimension mis-match. {_:lines} Inputs shapes: {inputs:shapes}",
        "elementwise",
        seen="Input dimension mis-match. (input[0].shape[1] = 64, input[1].shape[1] = 32)\nApply node that caused the "
        "error: Elemwise{add,no_inplace}(<TensorType(float64, matrix)>)\nInputs shapes: [(8, 64), (8, 32)]",
        release="all",
    ),
    Template(
        "Input dimension mis-match. (input[{_:n}].shape[{axis:axis}] = {a:n}, input[{__:n}].shape[{___:n}] = {b:n})",
        "elementwise",
        seen="Input dimension mis-match. (input[0].shape[1] = 64, input[1].shape[1] = 32)",
        release="all",
    ),
    Template(
        "Input dimension mis-match. Input {_:n} (indices start at 0) has shape[{axis:axis}] == {a:n}, but the "
        "output's size on that axis is {b:n}",
        "elementwise",
        seen="GpuElemwise. Input dimension mis-match. Input 1 (indices start at 0) has shape[1] == 32, but the "
        "output's size on that axis is 64.",
        release="on a GPU",
    ),
    Template(
        "Shape mismatch: x has {a:n} cols (and {_:n} rows) but y has {b:n} rows",
        "matmul",
        seen="Shape mismatch: x has 64 cols (and 8 rows) but y has 32 rows (and 10 cols)",
        release="all",
    ),
    Template(
        "dimension mismatch in args to {op:gemm|gemv|dot22} {left:shape}x{right:shape}->{result:shape}",
        "matmul",
        seen="dimension mismatch in args to gemm (2,64)x(64,1)->(2,5)",
        release="all",
    ),
    Template(
        "dimension mismatch in args to {op:gemm|gemv|dot22} {left:shape}x{right:shape}",
        "matmul",
        seen="dimension mismatch in args to gemm (128,1000)x(512,256)",
        release="all",
    ),
    Template(
        "cannot reshape input of shape {input:shape} to shape {shape:shape}",
        "reshape",
        seen="GpuReshape: cannot reshape input of shape (64, 1000) to shape (64, 30, 30)",
        release="on a GPU",
    ),
    Template(
        "size must remain unchanged, changed from {count:n} to {requested:n}",
        "reshape",
        seen="size must remain unchanged, changed from 3072 to 3136",
        release="0.6 to 0.9, on a GPU",
    ),
    Template(
        "The hardcoded shape for the number of input feature map ({expected:n}) and the image's number of channels "
        "({got:n})",
        "conv-channels",
        seen="The hardcoded shape for the number of input feature map (3) and the image's number of channels (1) "
        "do not match",
        release="all",
    ),
    Template(
        "images and kernel must have the same stack size",
        "conv-channels",
        seen="GpuCorrMM images and kernel must have the same stack size",
        release="all",
    ),
    Template(
        "the filter stack size ({expected:n}) and image stack size ({got:n}) differ",
        "conv-channels",
        seen="ConvOp: the filter stack size (3) and image stack size (1) differ",
        release="all",
    ),
)

PADDLE: tuple[Template, ...] = (
    Template(
        "Broadcast dimension mismatch. Operands could not be broadcast together with the shape of X = {left:shape} "
        "and the shape of Y = {right:shape}. Received [{a:n}] in X is not equal to [{b:n}] in Y at i:{axis:axis}",
        "elementwise",
        seen="Broadcast dimension mismatch. Operands could not be broadcast together with the shape of X = [1, 64, "
        "3, 20] and the shape of Y = [1, 64, 4, 20]. Received [3] in X is not equal to [4] in Y at i:2.",
        release="2.0 and later",
    ),
    Template(
        "Broadcast dimension mismatch. Operands could not be broadcast together with the shape of X = {left:shape} "
        "and the shape of Y = {right:shape}",
        "elementwise",
        seen="Broadcast dimension mismatch. Operands could not be broadcast together with the shape of X = [1, 64] "
        "and the shape of Y = [1, 32].",
        release="2.0 and later",
    ),
    Template(
        "X's width should be equal to the Y's height, but received X's shape: {left:shape}, Y's shape: {right:shape}",
        "matmul",
        seen="Input X's width should be equal to the Y's height, but received X's shape: [8, 64], Y's shape: [32, 10].",
        release="2.0 and later",
    ),
    Template(
        "the input's channels is {got:n}, the input's shape is {input:shape}; the filter's channels is "
        "{expected:n}, the filter's shape is {weight:shape}; the groups is {groups:n}",
        "conv-channels",
        seen="The number of input's channels should be equal to filter's channels * groups for Op(Conv). But "
        "received: the input's channels is 1, the input's shape is [1, 1, 28, 28]; the filter's channels is "
        "3, the filter's shape is [8, 3, 3, 3]; the groups is 1, the data_format is NCHW.",
        release="2.0 and later",
    ),
    Template(
        "dimension of input[{_:n}] and input[{index:n}] is expected to be equal. But received input[{__:n}]'s "
        "shape = {left:shape}, input[{___:n}]'s shape = {right:shape}",
        "concat",
        seen="The 2-th dimension of input[0] and input[1] is expected to be equal. But received input[0]'s shape = "
        "[1, 64, 26, 26], input[1]'s shape = [1, 64, 25, 25].",
        release="2.0 and later",
    ),
    Template(
        "But received X's shape = {input:shape}, X's size = {count:n}, 'shape' is {shape:shape}, the capacity of "
        "'shape' is {_:n}",
        "reshape",
        seen="The 'shape' in ReshapeOp is invalid. The input tensor X'size must be equal to the capacity of "
        "'shape'. But received X's shape = [4, 6], X's size = 24, 'shape' is [5, 5], the capacity of 'shape' "
        "is 25.",
        release="2.0 and later",
    ),
)

MXNET: tuple[Template, ...] = (
    Template(
        "Shape inconsistent, Provided = {given:shape}, inferred shape={expected:shape}",
        "model-input",
        {"what": "operator"},
        seen="Error in operator dense0_fwd: Shape inconsistent, Provided = [64,784], inferred shape=[64,100]",
        release="1",
    ),
    Template(
        "Incompatible attr in node {node:node} at {_:n}-th input: expected {left:shape}, got {right:shape}",
        "elementwise",
        seen="Check failed: assign(&dattr, vec.at(i)): Incompatible attr in node elemwise_add0 at 1-th input: "
        "expected [1,64,8,8], got [1,32,8,8]",
        release="1",
    ),
    Template(
        "Incompatible input shape: expected {expected:shape}, got {given:shape}",
        "model-input",
        {"what": "operator"},
        seen="Incompatible input shape: expected [-1,10], got [64,2]",
        release="1",
    ),
    Template(
        "Failed loading Parameter {parameter:word} from saved params: shape incompatible expected {model:shape} vs "
        "saved {checkpoint:shape}",
        "weights",
        seen="Failed loading Parameter 'dense0_weight' from saved params: shape incompatible expected (10, 64) vs "
        "saved (21, 64)",
        release="1",
    ),
)
