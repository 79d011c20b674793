"""Messages of the shape functions: raised while a graph is built, and they name the node and every input's shape.

One sentence serves many operations: "Dimensions must be equal" is said of a sum, a product and a convolution. So a
template is a sentence with the operations it is said of, in the two ways of naming them: TensorFlow 1's
`for 'layer/add' (op: 'Add')` and the later `for '{{node layer/add}} = Add[T=DT_FLOAT](x, y)'`.
"""

from __future__ import annotations

from shapewatch.messages.nouns import Template
from shapewatch.messages.tensorflow.nodes import (
    ANY,
    ASSIGNMENTS,
    CONVOLUTIONS,
    ELEMENTWISE,
    EQUAL,
    IN_BOTH,
    TRANSPOSED,
    said_of,
)
from shapewatch.messages.tensorflow.windows import OF_NODES

_TF1 = "TensorFlow 1"

_JOINED = "{left:shape}, {right:shape}, {_rest:text} and with computed input tensors: input[{_at:n}] = <{axis:axis}>"
"""The inputs of a concatenation whose axis is a constant."""

_MEETING = (
    *said_of(
        "BroadcastTo",
        EQUAL,
        "expand",
        "{given:shape}, {_rank:shape} and with input tensors computed as partial shapes: input[1] = {target:shape}",
        example="@tf.function\ndef f(x, y): return tf.broadcast_to(x, tf.shape(y))\n"
        "f(tf.zeros([2, 7, 9]), tf.zeros([2, 7, 9, 5]))",
        before="Dimensions must be equal, but are 9 and 5 for 'BroadcastTo' (op: 'BroadcastTo') with input shapes: "
        "[?,7,9], [4] and with input tensors computed as partial shapes: input[1] = [?,7,9,5].",
    ),
    *said_of(
        ELEMENTWISE,
        EQUAL,
        "elementwise",
        "{left:shape}, {right:shape}",
        example="@tf.function\ndef f(x, y): return x + y\nf(tf.zeros([2, 64]), tf.zeros([2, 128]))",
        before="Dimensions must be equal, but are 28 and 14 for 'block/add' (op: 'Add') with input shapes: "
        "[?,28,28,64], [?,14,14,64].",
    ),
    *said_of(
        "BiasAdd",
        EQUAL,
        "elementwise",
        "{left:shape}, {right:shape}",
        example="@tf.function\ndef f(x, y): return tf.nn.bias_add(x, y)\nf(tf.zeros([32, 192]), tf.zeros([384]))",
        before="Dimensions must be equal, but are 192 and 384 for 'BiasAdd' (op: 'BiasAdd') with input shapes: "
        "[?,192], [384].",
    ),
    *said_of(
        "MatMul|SparseMatMul",
        EQUAL,
        "matmul",
        "{left:shape}, {right:shape}",
        example="@tf.function\ndef f(x, y): return tf.matmul(x, y)\nf(tf.zeros([32, 2048]), tf.zeros([512, 10]))",
        before="Dimensions must be equal, but are 1024 and 512 for 'dense_1/MatMul' (op: 'MatMul') with input "
        "shapes: [?,1024], [512,10].",
    ),
    *said_of(
        "BatchMatMulV2|BatchMatMulV3|BatchMatMul",
        EQUAL,
        "batched-matmul",
        "{left:shape}, {right:shape}",
        example="@tf.function\ndef f(x, y): return tf.matmul(x, y)\nf(tf.zeros([8, 10, 64]), tf.zeros([8, 32, 10]))",
        before="Dimensions must be equal, but are 64 and 32 for 'MatMul' (op: 'BatchMatMul') with input shapes: "
        "[8,10,64], [8,32,10].",
    ),
    *said_of(
        "Einsum",
        EQUAL,
        "einsum",
        "{inputs:shapes}",
        settings='{_before:text}equation="{equation:text}"{_after:text}',
        example="@tf.function\ndef f(x, y): return tf.einsum('bij,bjk->bik', x, y)\nf(tf.zeros([2, 3, 16]), "
        "tf.zeros([2, 8, 4]))",
    ),
    *said_of(
        CONVOLUTIONS,
        "Dimensions must be equal, but are {got:n} and {expected:n}",
        "conv-channels",
        "{input:shape}, {weight:shape}",
        now="Dimensions must be equal, but are 3 and 4 for '{{node Conv2D}} = Conv2D[T=DT_FLOAT](x, y)' with input "
        "shapes: [1,8,8,3], [3,3,4,8].",
        before="Dimensions must be equal, but are 3 and 4 for 'Conv2D' (op: 'Conv2D') with input shapes: "
        "[?,8,8,3], [3,3,4,8].",
    ),
    *said_of(
        TRANSPOSED,
        "Dimensions must be equal, but are {got:n} and {expected:n}",
        "conv-channels",
        "{_sizes:shape}, {weight:shape}, {input:shape}",
        facts={"transposed": True},
        now="Dimensions must be equal, but are 8 and 4 for '{{node t}} = Conv2DBackpropInput[T=DT_FLOAT](s, y, x)' "
        "with input shapes: [4], [2,2,16,4], [1,4,4,8].",
        before="Dimensions must be equal, but are 8 and 4 for 't' (op: 'Conv2DBackpropInput') with input shapes: "
        "[4], [2,2,16,4], [1,4,4,8].",
    ),
    *said_of(
        "SoftmaxCrossEntropyWithLogits|SparseSoftmaxCrossEntropyWithLogits",
        EQUAL,
        "target-shape",
        "{output:shape}, {target:shape}",
        example="@tf.function\ndef f(x, y): return tf.nn.softmax_cross_entropy_with_logits(y, x)\nf(tf.zeros([9, "
        "2]), tf.zeros([10, 2]))",
        before="Dimensions must be equal, but are 2 and 3 for 'loss' (op: 'SoftmaxCrossEntropyWithLogits') with "
        "input shapes: [?,2], [?,3].",
    ),
    *said_of(
        "FusedBatchNormV3|FusedBatchNormV2|FusedBatchNorm",
        "Dimensions must be equal, but are {got:n} and {expected:n}",
        "norm",
        "{input:shape}, {weight:shape}",
        example="@tf.function\ndef f(x, y): return tf.compat.v1.nn.fused_batch_norm(x, y, y)\nf(tf.zeros([1, 4, 6, "
        "8]), tf.zeros([5]))",
        before="Dimensions must be equal, but are 8 and 5 for 'bn' (op: 'FusedBatchNorm') with input shapes: "
        "[1,4,6,8], [5], [5], [0], [0].",
    ),
    *said_of(
        ASSIGNMENTS,
        EQUAL,
        "weights",
        "{model:shape}, {checkpoint:shape}",
        now="Dimensions must be equal, but are 512 and 256 for '{{node Assign}} = Assign[T=DT_FLOAT](v, x)' with "
        "input shapes: [512,10], [256,10].",
        before="Dimensions must be equal, but are 512 and 256 for 'Assign' (op: 'Assign') with input shapes: "
        "[512,10], [256,10].",
    ),
    *said_of(
        ASSIGNMENTS,
        IN_BOTH + ". Shapes are {_left:shape} and {_right:shape}.",
        "weights",
        "{model:shape}, {checkpoint:shape}",
        now="Dimension 0 in both shapes must be equal, but are 512 and 256. Shapes are [512,10] and [256,10]. for "
        "'{{node Assign_3}} = Assign[T=DT_FLOAT](v, x)' with input shapes: [512,10], [256,10].",
        before="Dimension 0 in both shapes must be equal, but are 512 and 256. Shapes are [512,10] and [256,10]. for "
        "'Assign_3' (op: 'Assign') with input shapes: [512,10], [256,10].",
    ),
    *said_of(
        ASSIGNMENTS,
        IN_BOTH,
        "weights",
        "{model:shape}, {checkpoint:shape}",
        now="Dimension 0 in both shapes must be equal, but are 512 and 256 for '{{node Assign_3}} = "
        "Assign[T=DT_FLOAT](v, x)' with input shapes: [512,10], [256,10].",
        before="Dimension 0 in both shapes must be equal, but are 512 and 256 for 'Assign_3' (op: 'Assign') with input "
        "shapes: [512,10], [256,10].",
    ),
    *said_of(
        "EnsureShape",
        IN_BOTH + ". Shapes are {left:shape} and {right:shape}.",
        "elementwise",
        "{_given:shape}",
        now="Dimension 1 in both shapes must be equal, but are 2 and 3. Shapes are [?,2] and [?,3]. for '{{node "
        "EnsureShape}} = EnsureShape[T=DT_INT64, shape=[?,2]](args)' with input shapes: [?,3].",
    ),
    *said_of(
        "ConcatV2|Concat",
        "Dimension {_axis:n} in both shapes must be equal, but are {expected:n} and {got:n}. Shapes are "
        "{_left:shape} and {_right:shape}.",
        "concat",
        _JOINED,
        example="@tf.function\ndef f(x, y): return tf.concat([x, y], -1)\nf(tf.zeros([1, 260, 148, 256]), "
        "tf.zeros([1, 260, 147, 512]))",
        before="Dimension 2 in both shapes must be equal, but are 64 and 63. Shapes are [?,64,64] and [?,64,63]. "
        "for 'concat' (op: 'ConcatV2') with input shapes: [?,64,64,128], [?,64,63,128], [] and with computed input "
        "tensors: input[2] = <3>.",
    ),
    *said_of(
        "ConcatV2|Concat",
        "Dimension {_axis:n} in both shapes must be equal, but are {expected:n} and {got:n}. Shapes are "
        "{_left:shape} and {_right:shape}.",
        "concat",
        "{left:shape}, {right:shape}",
        now="Dimension 2 in both shapes must be equal, but are 64 and 63. Shapes are [?,64,64] and [?,64,63]. for "
        "'{{node concat}} = ConcatV2[N=2](x, y, a)' with input shapes: [?,64,64,128], [?,64,63,128], [].",
        before="Dimension 2 in both shapes must be equal, but are 64 and 63. Shapes are [?,64,64] and [?,64,63]. "
        "for 'concat' (op: 'ConcatV2') with input shapes: [?,64,64,128], [?,64,63,128], [].",
    ),
    *said_of(
        "ConcatV2|Concat",
        "Dimension {_axis:n} in both shapes must be equal, but are {expected:n} and {got:n}",
        "concat",
        _JOINED,
        now="Dimension 1 in both shapes must be equal, but are 64 and 63 for '{{node concat}} = ConcatV2[N=2](x, "
        "y, a)' with input shapes: [?,64,128], [?,63,128], [] and with computed input tensors: input[2] = <-1>.",
        before="Dimension 1 in both shapes must be equal, but are 64 and 63 for 'concat' (op: 'ConcatV2') with "
        "input shapes: [?,64,128], [?,63,128], [] and with computed input tensors: input[2] = <-1>.",
    ),
    *said_of(
        "ConcatV2|Concat",
        "Dimension {_axis:n} in both shapes must be equal, but are {expected:n} and {got:n}",
        "concat",
        "{left:shape}, {right:shape}",
        now="Dimension 1 in both shapes must be equal, but are 64 and 63 for '{{node concat}} = ConcatV2[N=2](x, "
        "y, a)' with input shapes: [?,64,128], [?,63,128], [].",
        before="Dimension 1 in both shapes must be equal, but are 64 and 63 for 'concat' (op: 'ConcatV2') with "
        "input shapes: [?,64,128], [?,63,128], [].",
    ),
    *said_of(
        "Pack",
        "Dimension {_axis:n} in both shapes must be equal, but are {_a:n} and {_b:n}. Shapes are {first:shape} and "
        "{other:shape}. From merging shape {_entry:n} with other shapes.",
        "stack",
        "{inputs:shapes}",
        example="@tf.function\ndef f(x, y): return tf.stack([x, y])\nf(tf.zeros([3]), tf.zeros([4]))",
        before="Dimension 0 in both shapes must be equal, but are 3 and 4. Shapes are [3] and [4]. From merging "
        "shape 0 with other shapes. for 'stack' (op: 'Pack') with input shapes: [3], [4].",
    ),
    *said_of(
        "Pack",
        "Dimension {_axis:n} in both shapes must be equal, but are {_a:n} and {_b:n} From merging shape {_entry:n} "
        "with other shapes.",
        "stack",
        "{inputs:shapes}",
        now="Dimension 0 in both shapes must be equal, but are 3 and 4\n\tFrom merging shape 0 with other shapes. for "
        "'{{node stack}} = Pack[N=2, T=DT_FLOAT, axis=0](x, y)' with input shapes: [3], [4].",
        before="Dimension 0 in both shapes must be equal, but are 3 and 4\n\tFrom merging shape 0 with other shapes. "
        "for 'stack' (op: 'Pack') with input shapes: [3], [4].",
    ),
    Template(
        "Dimension {_axis:n} in both shapes must be equal, but are {_a:n} and {_b:n}. Shapes are {first:shape} and "
        "{other:shape}. From merging shape {_entry:n} with other shapes. for {node:node} (op: 'Pack')",
        "stack",
        seen="Dimension 1 in both shapes must be equal, but are 512 and 32. Shapes are [16,512] and [16,32]. From "
        "merging shape 0 with other shapes. for 'concat/concat_dim' (op: 'Pack')",
        release=_TF1,
    ),
    *said_of(
        "Pack",
        "Shapes must be equal rank, but are {_a:n} and {_b:n} From merging shape {_entry:n} with other shapes.",
        "stack",
        "{inputs:shapes}",
        example="@tf.function\ndef f(x, y): return tf.stack([x, y])\nf(tf.zeros([3]), tf.zeros([4, 5]))",
        before="Shapes must be equal rank, but are 1 and 0\n\tFrom merging shape 0 with other shapes. for 'stack' "
        "(op: 'Pack') with input shapes: [3], [].",
    ),
    *said_of(
        "ConcatV2|Concat",
        "Shapes must be equal rank, but are {expected:n} and {got:n}",
        "concat",
        "{left:shape}, {right:shape}",
        now="Shapes must be equal rank, but are 3 and 2 for '{{node concat}} = ConcatV2[N=2](x, y, a)' with input "
        "shapes: [?,64,128], [?,128], [].",
        before="Shapes must be equal rank, but are 3 and 2 for 'concat' (op: 'ConcatV2') with input shapes: "
        "[?,64,128], [?,128], [].",
    ),
    *said_of(
        "ConcatV2|Concat",
        "Shape must be rank {_expected:n} but is rank {_got:n}",
        "concat",
        "{left:shape}, {right:shape}",
        now="Shape must be rank 3 but is rank 2 for '{{node concat}} = ConcatV2[N=2](x, y, a)' with input shapes: "
        "[?,64,128], [?,128], [].",
        before="Shape must be rank 3 but is rank 2 for 'concat' (op: 'ConcatV2') with input shapes: [?,64,128], "
        "[?,128], [].",
    ),
    *said_of(
        ASSIGNMENTS,
        "Shapes must be equal rank, but are {_a:n} and {_b:n}",
        "weights",
        "{model:shape}, {checkpoint:shape}",
        now="Shapes must be equal rank, but are 2 and 1 for '{{node Assign}} = Assign[T=DT_FLOAT](v, x)' with "
        "input shapes: [512,10], [10].",
        before="Shapes must be equal rank, but are 2 and 1 for 'Assign' (op: 'Assign') with input shapes: "
        "[512,10], [10].",
    ),
)
_RESHAPES = (
    Template(
        "Cannot reshape a tensor with {count:n} elements to shape {shape:shape} ({_:n} elements) for {__:text}with "
        "input shapes: {input:shape},",
        "reshape",
        example="@tf.function\ndef f(x): return tf.reshape(x, [5, 5])  # 25\nf(tf.zeros([4, 6]))  # 24",
    ),
    Template(
        "Cannot reshape a tensor with {count:n} elements to shape {shape:shape} ({_:n} elements)",
        "reshape",
        seen="Cannot reshape a tensor with 200 elements to shape [10,10] (100 elements)",
        release="TensorFlow 1",
    ),
    *said_of(
        "Reshape",
        "Dimension size must be evenly divisible by {multiple:n} but is {count:n}",
        "reshape",
        "{input:shape}, {_rank:shape} and with input tensors computed as partial shapes: input[1] = {shape:shape}",
        example="@tf.function\ndef f(x): return tf.reshape(x, [-1, 5])\nf(tf.zeros([4, 6]))  # 24",
        before="Dimension size must be evenly divisible by 528 but is 1328 for 'Reshape' (op: 'Reshape') with "
        "input shapes: [1,1328], [2] and with input tensors computed as partial shapes: input[1] = [?,528].",
    ),
    *said_of(
        "Reshape",
        "Dimension size must be evenly divisible by {multiple:n} but is {count:n}",
        "reshape",
        "{input:shape}",
        now="Dimension size must be evenly divisible by 5 but is 24 for '{{node Reshape}} = Reshape[T=DT_FLOAT](x, "
        "s)' with input shapes: [4,6], [2].",
        before="Dimension size must be evenly divisible by 5 but is 24 for 'Reshape' (op: 'Reshape') with input "
        "shapes: [4,6], [2].",
    ),
    Template(
        "Dimension size must be evenly divisible by {parts:n} but is {size:n} Number of ways to split should "
        "evenly divide the split dimension",
        "split",
        example="@tf.function\ndef f(x): return tf.split(x, 2, 1)\nf(tf.zeros([2, 7]))",
    ),
    *said_of(
        "SpaceToDepth|DepthToSpace|Split|SpaceToBatchND",
        "Dimension size must be evenly divisible by {parts:n} but is {size:n}",
        "split",
        "{inputs:shapes}",
        example="@tf.function\ndef f(x): return tf.nn.space_to_depth(x, 2)\nf(tf.zeros([1, 5, 4, 6]))",
        before="Dimension size must be evenly divisible by 2 but is 5 for 'SpaceToDepth' (op: 'SpaceToDepth') with "
        "input shapes: [1,5,4,6].",
    ),
    *said_of(
        "Transpose",
        "Dimension must be {rank:n} but is {got:n}",
        "axis-range",
        "{input:shape}",
        example="@tf.function\ndef f(x): return tf.transpose(x, [0, 2])  # 2 of 3\nf(tf.zeros([2, 3, 4]))",
        before="Dimension must be 3 but is 2 for 'transpose' (op: 'Transpose') with input shapes: [2,3,4], [2].",
    ),
    Template(
        "Can not squeeze dim[{axis:axis}], expected a dimension of 1, got {size:n} for {_:text}with input shapes: "
        "{input:shape}",
        "axis-range",
        facts={"op": "Squeeze"},
        example="@tf.function\ndef f(x): return tf.squeeze(x, [1])\nf(tf.zeros([2, 3]))",
    ),
    Template(
        "indices.shape[-1] must be <= params.rank, but saw indices shape: {index:shape} and params shape: "
        "{input:shape}",
        "index-shape",
        facts={"op": "GatherNd"},
        example="@tf.function\ndef f(x): return tf.gather_nd(x, [[0, 0, 0]])  # 1 x 3\nf(tf.zeros([5, 2]))",
    ),
)

_RANKS = (
    # Which of the inputs has the rank that was found is for the fault to see: it may be any of them.
    *said_of(
        ANY,
        "Shape must be rank {expected:n} but is rank {got:n}",
        "rank",
        "{inputs:shapes}",
        example="@tf.function\ndef f(x, y): return tf.nn.conv2d(x, y, 1, 'SAME')  # 4, 3\nf(tf.zeros([8, 9, 3]), "
        "tf.zeros([3, 3, 3, 16]))",
        before="Shape must be rank 2 but is rank 3 for 'MatMul' (op: 'MatMul') with input shapes: [?,5,64], [64,10].",
    ),
    *said_of(
        ANY,
        "Shape must be at least rank {expected:n} but is rank {got:n}",
        "rank",
        "{inputs:shapes}",
        facts={"bound": "at least"},
        now="Shape must be at least rank 2 but is rank 1 for '{{node MatMul}} = BatchMatMulV2[T=DT_FLOAT](x, y)' "
        "with input shapes: [64], [64,10].",
        before="Shape must be at least rank 2 but is rank 1 for 'BiasAdd' (op: 'BiasAdd') with input shapes: [?], "
        "[10].",
    ),
    *said_of(
        ANY,
        "Shape must be at most rank {expected:n} but is rank {got:n}",
        "rank",
        "{inputs:shapes}",
        facts={"bound": "at most"},
        now="Shape must be at most rank 1 but is rank 2 for '{{node s}} = StridedSlice[T=DT_FLOAT](x, y)' with "
        "input shapes: [4,4], [1,2].",
        before="Shape must be at most rank 1 but is rank 2 for 's' (op: 'StridedSlice') with input shapes: [4,4], "
        "[1,2].",
    ),
    *said_of(
        ANY,
        "Shapes must be equal rank, but are {expected:n} and {got:n}",
        "rank",
        "{inputs:shapes}",
        now="Shapes must be equal rank, but are 2 and 1 for '{{node Select}} = Select[T=DT_FLOAT](c, x, y)' with "
        "input shapes: [4,3], [4,3], [4].",
        before="Shapes must be equal rank, but are 2 and 1 for 'Select' (op: 'Select') with input shapes: [4,3], "
        "[4,3], [4].",
    ),
    Template(
        "Shapes must be equal rank, but are {expected:n} and {got:n}",
        "rank",
        seen="Shapes must be equal rank, but are 4 and 2\n\tFrom merging shape 1 with other shapes.",
        release="TensorFlow 1 and 2",
    ),
    Template(
        "Shape must be rank {expected:n} but is rank {got:n}",
        "rank",
        seen="Shape must be rank 4 but is rank 2",
        release="TensorFlow 1 and 2",
    ),
    Template(
        "Shape {input:shape} must have rank at least {expected:n}",
        "rank",
        facts={"bound": "at least"},
        example="tf.TensorShape([3, 7]).with_rank_at_least(4)",
    ),
    Template(
        "Shape {input:shape} must have rank at most {expected:n}",
        "rank",
        facts={"bound": "at most"},
        example="tf.TensorShape([3, 7, 8]).with_rank_at_most(2)",
    ),
    Template("Shape {input:shape} must have rank {expected:n}", "rank", example="tf.TensorShape([3, 7]).with_rank(4)"),
)

_OF_ANY_OPERATION = (
    # Last: the sizes are told, the operation is none of those above.
    *said_of(
        ANY,
        EQUAL,
        "elementwise",
        "{inputs:shapes}",
        now="Dimensions must be equal, but are 3 and 4 for '{{node s}} = SegmentSum[T=DT_FLOAT](x, y)' with input "
        "shapes: [3,2], [4].",
        before="Dimensions must be equal, but are 3 and 4 for 's' (op: 'SegmentSum') with input shapes: [3,2], [4].",
    ),
    *said_of(
        ANY,
        IN_BOTH,
        "elementwise",
        "{inputs:shapes}",
        now="Dimension 0 in both shapes must be equal, but are 3 and 4 for '{{node s}} = Select[T=DT_FLOAT](c, x, "
        "y)' with input shapes: [3], [3], [4].",
        before="Dimension 0 in both shapes must be equal, but are 3 and 4 for 'Select' (op: 'Select') with input "
        "shapes: [3], [3], [4].",
    ),
    Template(
        "Dimension {axis:axis} in both shapes must be equal, but are {a:n} and {b:n}. Shapes are {left:shape} and "
        "{right:shape}",
        "elementwise",
        example="@tf.function\ndef f(x, y): return tf.raw_ops.AddN(inputs=[x, y])\nf(tf.zeros([1, 3]), "
        "tf.zeros([1, 4]))",
    ),
    Template(
        "Dimension {axis:axis} in both shapes must be equal, but are {a:n} and {b:n}",
        "elementwise",
        seen="Dimension 1 in both shapes must be equal, but are 13 and 14",
        release="TensorFlow 1 and 2",
    ),
    Template(
        "Dimensions must be equal, but are {a:n} and {b:n}",
        "elementwise",
        seen="Dimensions must be equal, but are 13 and 14",
        release="TensorFlow 1 and 2",
    ),
)

TEMPLATES: tuple[Template, ...] = (*_MEETING, *OF_NODES, *_RESHAPES, *_RANKS, *_OF_ANY_OPERATION)
