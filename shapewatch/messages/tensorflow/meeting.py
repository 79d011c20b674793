"""Messages of the kernels where several tensors meet: raised while an operation runs, eager, in graphs, under XLA."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_TF1 = "TensorFlow 1"
_TF1_AND_2 = "TensorFlow 1, early 2"

_MEETING = (
    # The operation stands behind the message: `[Op:AddV2]` when eager, `[[node x = AddV2[...` or less in a graph.
    Template(
        "Incompatible shapes: {given:shape} vs. {target:shape} [Op:BroadcastTo]",
        "expand",
        {"op": "BroadcastTo"},
        example="tf.broadcast_to(tf.zeros([96]), [96, 64])",
    ),
    Template(
        "Incompatible shapes: {left:shape} vs. {right:shape} [Op:{op:word}]",
        "elementwise",
        example="tf.zeros([32, 64, 64, 64]) + tf.zeros([32, 64, 64, 128])",
    ),
    Template(
        "Incompatible shapes: {left:shape} vs. {right:shape} [[Node: {node:node} = {op:word}[",
        "elementwise",
        seen="Incompatible shapes: [6,8,8,64] vs. [6,7,7,64]\n\t [[Node: fpn/add = Add[T=DT_FLOAT](a, b)]]",
        release=_TF1,
    ),
    Template(
        "Incompatible shapes: {left:shape} vs. {right:shape} [[{{node {node:node}}}",
        "elementwise",
        seen="Incompatible shapes: [6,8,8,64] vs. [6,7,7,64]\n\t [[{{node fpn/add}}]]",
        release="TensorFlow 1.13 and later, in a graph",
    ),
    Template(
        "Incompatible shapes: {left:shape} vs. {right:shape} {{node {node:node}}}",
        "elementwise",
        seen="Incompatible shapes: [6,8,8,64] vs. [6,7,7,64] {{node fpn/add}}",
        release="TensorFlow 1.13 and later, in a graph, cut by who pasted it",
    ),
    Template(
        "Incompatible shapes: {left:shape} vs. {right:shape}",
        "elementwise",
        seen="Incompatible shapes: [6,8,8,64] vs. [6,7,7,64]",
        release="all",
    ),
    Template(
        "Incompatible shapes at component {_:n}: expected {target:shape} but got {given:shape}",
        "samples",
        seen="Incompatible shapes at component 0: expected [28,28,1] but got [32,28,1].",
        release="tf.data",
    ),
    Template(
        "required broadcastable shapes [Op:{op:word}]",
        "elementwise",
        seen="required broadcastable shapes [Op:Mul]",
        release="TensorFlow 2.4 and later, on a GPU",
    ),
    Template(
        "required broadcastable shapes",
        "elementwise",
        seen="required broadcastable shapes at loc(unknown)",
        release="TensorFlow 2.4 and later, on a GPU",
    ),
    Template(
        "condition {left:shape}, then {right:shape}, and else {third:shape} must be broadcastable",
        "elementwise",
        {"op": "SelectV2"},
        example="tf.where(tf.zeros([3], tf.bool), tf.zeros([4]), tf.zeros([4]))",
    ),
    Template(
        "Inputs to operation {node:node} of type {op:word} must have the same size and shape. Input {_:n}: "
        "{left:shape} != input {__:n}: {right:shape}",
        "elementwise",
        example="tf.raw_ops.AddN(inputs=[tf.zeros([2, 3]), tf.zeros([2, 4])])",
    ),
    Template(
        "Must provide as many biases as the last dimension of the input tensor: {right:shape} vs. {left:shape}",
        "elementwise",
        {"op": "BiasAdd"},
        example="tf.nn.bias_add(tf.zeros([2, 192]), tf.zeros([384]))",
    ),
    Template(
        "Must provide as many biases as the channel dimension of the input tensor: {right:shape} vs. {_:n} in "
        "{left:shape}",
        "elementwise",
        {"op": "BiasAdd"},
        seen="Must provide as many biases as the channel dimension of the input tensor: [64] vs. 32 in [8,32,7,7]",
        release="channels first",
    ),
    Template(
        "Matrix size-incompatible: In[0]: {left:shape}, In[1]: {right:shape} {_adj_x:n} {_adj_y:n} [Op:BatchMatMul",
        "batched-matmul",
        example="tf.matmul(tf.zeros([8, 10, 64]), tf.zeros([8, 32, 10]))",
    ),
    Template(
        "Matrix size-incompatible: In[0]: {left:shape}, In[1]: {right:shape}",
        "matmul",
        example="tf.matmul(tf.zeros([32, 2048]), tf.zeros([512, 10]))",
    ),
    Template(
        "In[0] mismatch In[1] shape: {_:n} vs. {__:n}: {left:shape} {right:shape}",
        "batched-matmul",
        seen="In[0] mismatch In[1] shape: 64 vs. 32: [8,10,64] [8,32,10] 0 0",
        release=_TF1_AND_2,
    ),
    Template(
        "In[0] and In[1] must have compatible batch dimensions: {left:shape} vs. {right:shape}",
        "batched-matmul",
        example="tf.matmul(tf.zeros([8, 10, 64]), tf.zeros([4, 64, 10]))",
    ),
    Template(
        "In[0] and In[1] has different ndims: {left:shape} vs. {right:shape}",
        "batched-matmul",
        seen="In[0] and In[1] has different ndims: [8,64] vs. [4,64,10]",
        release=_TF1_AND_2,
    ),
    Template(
        "Only one of In[0] and In[1] may be a vector: {left:shape} vs. {right:shape}",
        "matmul",
        seen="Only one of In[0] and In[1] may be a vector: [4] vs. [5]",
        release="TensorFlow 2",
    ),
    Template(
        "ndims must be >= {expected:n}: {got:n}",
        "rank",
        {"op": "MatMul", "bound": "at least"},
        seen="In[0] ndims must be >= 2: 1",
        release=_TF1_AND_2,
    ),
    Template(
        "ndims must be >= {expected:n}",
        "rank",
        {"op": "MatMul", "bound": "at least"},
        example="tf.linalg.matmul(tf.zeros([3]), tf.zeros([3, 2]))",
    ),
    Template(
        "In[{_:n}] is not a matrix. Instead it has shape {input:shape}",
        "rank",
        {"op": "MatMul", "expected": 2},
        seen="In[0] is not a matrix. Instead it has shape [8,10,64]",
        release="TensorFlow 2",
    ),
    Template(
        "In[{_:n}] is not a matrix",
        "rank",
        {"op": "MatMul", "expected": 2},
        seen="In[0] is not a matrix",
        release=_TF1,
    ),
    Template(
        "because inner dimension does not match: {a:n} vs. {b:n}.",
        "matmul",
        {"op": "SparseTensorDenseMatMul"},
        example="tf.sparse.sparse_dense_matmul(tf.sparse.from_dense(tf.ones([2, 3])), tf.zeros([4, 2]))",
    ),
    Template(
        "Expected dimension {a:n} at axis {axis:axis} of the input shaped {right:shape} but got dimension {b:n}",
        "einsum",
        example='tf.einsum("bij,bjk->bik", tf.zeros([2, 3, 16]), tf.zeros([2, 8, 4]))  # axis 1',
    ),
    Template(
        "Expected input {operand:n} to have rank {expected:n} but got: {got:n}",
        "einsum",
        example='tf.einsum("bhwc,bc->bhwc", tf.zeros([1, 4, 4, 2]), tf.zeros([8]))',
    ),
    Template(
        "Input matrix and rhs are incompatible",
        "only-dress",
        {"op": "MatrixSolve"},
        example="tf.linalg.solve(tf.zeros([3, 3]), tf.zeros([4, 2]))",
    ),
    Template(
        "Input matrix must be square", "only-dress", {"op": "MatrixInverse"}, example="tf.linalg.inv(tf.zeros([2, 3]))"
    ),
)

_JOINS = (
    Template(
        "ConcatOp : Dimension {_:n} in both shapes must be equal: shape[0] = {left:shape} vs. shape[{index:n}] = "
        "{right:shape}",
        "concat",
        example="tf.concat([tf.zeros([8, 32, 32, 64]), tf.zeros([8, 31, 31, 64])], axis=-1)",
    ),
    Template(
        "ConcatOp : Dimensions of inputs should match: shape[0] = {left:shape} vs. shape[{index:n}] = {right:shape}",
        "concat",
        seen="ConcatOp : Dimensions of inputs should match: shape[0] = [1,64,64,32] vs. shape[1] = [1,63,64,32]",
        release=_TF1_AND_2,
    ),
    Template(
        "ConcatOp : Ranks of all input tensors should match: shape[0] = {left:shape} vs. shape[{index:n}] = "
        "{right:shape}",
        "concat",
        example="tf.concat([tf.zeros([2, 3]), tf.zeros([2, 3, 4])], axis=1)",
    ),
    Template(
        "ConcatOp : Expected concatenating dimensions in the range [-{rank:n}, {_:n}), but got {axis:axis}",
        "axis-range",
        {"op": "ConcatV2"},
        example="tf.concat([tf.zeros([2, 3]), tf.zeros([2, 3])], axis=2)",
    ),
    Template(
        "Dimension {_axis:n} in both shapes must be equal: shape[0] = {left:shape} vs. shape[{index:n}] = "
        "{right:shape}",
        "concat",
        seen="Dimension 1 in both shapes must be equal: shape[0] = [1,64,64,32] vs. shape[1] = [1,63,64,32]",
        release="TensorFlow 2",
    ),
    Template(
        "differ in dimensions other than the one being concatenated. Dimension {_:n} in both shapes must be equal "
        "(or compatible): {_left:f32|f16|bf16|f64|s32|s64|pred}{left:shape} vs "
        "{_right:f32|f16|bf16|f64|s32|s64|pred}{right:shape}",
        "concat",
        example="@tf.function(jit_compile=True, input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, "
        "None])])\ndef f(x, y): return tf.concat([x, y], 1)\nf(tf.zeros([2, 3]), tf.zeros([4, 5]))",
    ),
    Template(
        "Shapes of all inputs must match: values[0].shape = {first:shape} != values[{entry:n}].shape = {other:shape}",
        "stack",
        example="tf.stack([tf.zeros([3]), tf.zeros([4])])  # at 1",
    ),
    Template(
        "Number of ways to split should evenly divide the split dimension, but got split_dim {axis:axis} (size = "
        "{size:n}) and num_split {parts:n}",
        "split",
        example="tf.split(tf.zeros([2, 7]), 2, axis=1)",
    ),
    Template(
        "Determined shape must either match input shape along split_dim exactly if fully specified, or be less "
        "than the size of the input along split_dim if not fully specified. Got: {total:n}",
        "split",
        example="tf.split(tf.zeros([2, 7]), [3, 3], axis=1)  # 6",
    ),
    Template(
        "Input shape axis {axis:axis} must equal {parts:n}, got shape {input:shape}",
        "split",
        {"op": "Unpack"},
        example="tf.unstack(tf.zeros([3, 2]), num=4)  # axis 0",
    ),
    Template(
        "Image width {width:n} and height {height:n} should be divisible by block_size: {parts:n}",
        "split",
        {"op": "SpaceToDepth"},
        example="tf.nn.space_to_depth(tf.zeros([1, 5, 4, 6]), 2)",
    ),
    Template(
        "Input depth dimension {size:n} should be divisible by: {parts:n}",
        "split",
        {"op": "DepthToSpace"},
        example="tf.nn.depth_to_space(tf.zeros([1, 4, 4, 6]), 2)  # 2 x 2 = 4",
    ),
)

TEMPLATES: tuple[Template, ...] = (*_MEETING, *_JOINS)
