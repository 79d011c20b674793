"""Where several tensors meet: merge layers, concatenation, products, einsum, attention."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_KERAS_1 = "Keras 1"
_KERAS_2 = "Keras 2, tf.keras until 2.15"

_JUNCTIONS = (
    Template(
        "A merge layer should be called on a list of at least {expected_count:n} inputs. {_:Got|Received} "
        "{given_count:n} inputs",
        "model-input",
        facts={"what": "inputs"},
        seen="A merge layer should be called on a list of at least 2 inputs. Got 1 inputs.",
        release=_KERAS_2,
    ),
    Template(
        "Inputs have incompatible shapes. Received shapes {left:shape} and {right:shape}",
        "elementwise",
        facts={"batch_left_out": True},
        example="layers.Add()([keras.Input((28, 28, 256)), keras.Input((56, 56, 64))])",
    ),
    Template(
        "Cannot merge tensors with different batch sizes. Received tensors with shapes [{left:shape}, {right:shape}]",
        "elementwise",
        example="layers.Add()([keras.Input(batch_shape=(2, 8)), keras.Input(batch_shape=(3, 8))])",
    ),
    Template(
        "merge tensors with different batch sizes. {_:Got|Received} tensors with shapes : [{left:shape}, "
        "{right:shape}]",
        "elementwise",
        seen="Can not merge tensors with different batch sizes. Got tensors with shapes : [(16, 8), (32, 8)]",
        release=_KERAS_2,
    ),
    Template(
        "Cannot broadcast shape, the failure dim has value {a:n}, which cannot be broadcasted to {b:n}. Input "
        "shapes are: {left:shape} and {right:shape}",
        "elementwise",
        example="keras.Input((56, 56, 256)) + keras.Input((56, 56, 64))",
    ),
    Template(
        "Only tensors of same shape can be merged by layer{layer:word} Got input shapes: [{left:shape}, {right:shape}",
        "elementwise",
        seen="Only tensors of same shape can be merged by layeradd_3 Got input shapes: [(None, 28, 28, 64), (None, "
        "14, 14, 64)]",
        release=_KERAS_2,
    ),
    Template(
        "Only layers of same output shape can be merged using {op:word} mode. Layer shapes: [{left:shape}, "
        "{right:shape}]",
        "elementwise",
        seen="Only layers of same output shape can be merged using sum mode. Layer shapes: [(None, 16, 32, 32), "
        "(None, 8, 32, 32)]",
        release=_KERAS_1,
    ),
    Template(
        "Only layers of same output shape can be merged using {op:word} mode. Layer shapes: {inputs:shapes}",
        "elementwise",
        seen="Only layers of same output shape can be merged using ave mode. Layer shapes: [(None, 16), (None, "
        "16), (None, 8)]",
        release=_KERAS_1,
    ),
    Template(
        "`Concatenate` layer requires inputs with matching shapes except for the concatenation axis. Received: "
        "input_shape={inputs:shapes}",
        "concat",
        example="layers.Concatenate()([keras.Input((36, 24, 512)), keras.Input((37, 25, 512))])",
    ),
    Template(
        "`Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs shapes: "
        "{inputs:shapes}",
        "concat",
        seen="A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs "
        "shapes: [(None, 26, 26, 64), (None, 25, 25, 64)]",
        release=_KERAS_2,
    ),
    Template(
        "`Concatenate` layer requires inputs with matching shapes except for the concat axis{_:text}[{inputs:shapes}",
        "concat",
        seen="A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Received: "
        "[(None, 26, 26, 64), (None, 25, 25, 64)]",
        release="all, as it is retold",
    ),
    Template(
        "inputs with matching shapes except for the {_:concat|concatenation} axis{_rest:text}[{inputs:shapes}",
        "concat",
        seen="inputs with matching shapes except for the concatenation axis. Received: input_shape=[(None, 9, 9, 4), "
        "(None, 8, 9, 4)]",
        release="all, as it is retold",
    ),
    Template(
        '"concat" mode can only merge layers with matching output shapes except for the concat axis. Layer shapes: '
        "{inputs:shapes}",
        "concat",
        seen='"concat" mode can only merge layers with matching output shapes except for the concat axis. Layer '
        "shapes: [(None, 64, 20, 20), (None, 64, 21, 21)]",
        release=_KERAS_1,
    ),
    Template(
        "Every value in `xs` must have the same shape except on the `axis` dim. But found element of shape "
        "{right:shape}, which is different from the first element's shape {left:shape}",
        "concat",
        example="ops.concatenate([keras.Input((10, 64)), keras.Input((11, 64))], axis=-1)",
    ),
    Template(
        "`append` requires inputs to have the same shape except the `axis={axis:axis}`, but received shape "
        "{left:shape} and {right:shape}",
        "concat",
        example="ops.append(keras.Input(batch_shape=(2, 3)), keras.Input(batch_shape=(4, 5)), axis=1)",
    ),
    Template(
        "Every value in `x` must have the same shape. But found element of shape {other:shape}, which is different "
        "from the first element's shape {first:shape}",
        "stack",
        example="ops.stack([keras.Input((10,)), keras.Input((11,))])",
    ),
    Template(
        "A merge layer should be called on a list of inputs. Received: input_shape={input:shape} (not a list of "
        "shapes)",
        "model-input",
        facts={"what": "inputs"},
        example="layers.Add()(keras.Input((8,)))",
    ),
    Template(
        "A merge layer should be called on a list of inputs",
        "model-input",
        facts={"what": "inputs", "given_count": 1},
        seen='A merge layer should be called on a list of inputs. Received: inputs=Tensor("Placeholder:0") (not a list '
        "of tensors)",
        release="tf.keras 2.2 to 2.15",
    ),
    Template(
        "layer should be called on a list of at least {expected_count:n} input. Received: input_shape={input:shape}",
        "model-input",
        facts={"what": "inputs"},
        example="layers.Concatenate()(keras.Input((7,)))",
    ),
    Template(
        "A `{layer_type:word}` layer should be called on exactly {expected_count:n} inputs. Received: "
        "input_shape={inputs:shapes}",
        "model-input",
        facts={"what": "inputs"},
        example="layers.Subtract()([keras.Input((8,)), keras.Input((8,)), keras.Input((8,))])",
    ),
    Template(
        "Incompatible input shapes: axis values {a:n} (at axis {left_axis:axis}) != {b:n} (at axis "
        "{right_axis:axis}). Full input shapes: {left:shape}, {right:shape}",
        "matmul",
        facts={"op": "Dot"},
        example="layers.Dot(axes=1)([keras.Input((8,)), keras.Input((9,))])",
    ),
    Template(
        "Dimension incompatibility {a:n} != {b:n}. Layer shapes: {left:shape}, {right:shape}",
        "matmul",
        facts={"op": "Dot"},
        seen="Dimension incompatibility 64 != 32. Layer shapes: (None, 10, 64), (None, 10, 32)",
        release=_KERAS_2,
    ),
    Template(
        "Dimension incompatibility using dot mode: {a:n} != {b:n}. Layer shapes: {left:shape}, {right:shape}",
        "matmul",
        facts={"op": "Dot"},
        seen="Dimension incompatibility using dot mode: 64 != 32. Layer shapes: (None, 64), (None, 32)",
        release=_KERAS_1,
    ),
    Template(
        "Cannot do batch_dot on inputs with different batch sizes. Received inputs with shapes {left:shape} and "
        "{right:shape}",
        "elementwise",
        facts={"op": "batch_dot"},
        seen="Cannot do batch_dot on inputs with different batch sizes. Received inputs with shapes (4, 3, 8) and "
        "(5, 8, 3).",
        release="all; the symbolic Dot layer asks first",
    ),
    Template(
        "Cannot do batch_dot on inputs with shapes {left:shape} and {right:shape} with axes={axes:text}. "
        "x.shape[{left_axis:axis}] != y.shape[{right_axis:axis}] ({a:n} != {b:n})",
        "matmul",
        facts={"op": "batch_dot"},
        seen="Cannot do batch_dot on inputs with shapes (4, 3, 8) and (4, 9, 3) with axes=[2, 1]. x.shape[2] != "
        "y.shape[1] (8 != 9).",
        release="all; the symbolic Dot layer asks first",
    ),
)

_PRODUCTS = (
    Template(
        "Inner dimensions (`x1.shape[-1]` and `x2.shape[-2]`) must be equal, but received `x1.shape={left:shape}` "
        "and `x2.shape={right:shape}`",
        "matmul",
        example="ops.matmul(keras.Input((10, 64)), keras.Input((32, 10)))",
    ),
    Template(
        "Shape must match on the last axis of `x1` and `x2` when `x1` is N-d array while `x2` is 1-D, but receive "
        "shape `x1.shape={left:shape}` and x2.shape=`{right:shape}`",
        "matmul",
        example="ops.dot(keras.Input(batch_shape=(2, 3)), keras.Input(batch_shape=(4,)))",
    ),
    Template(
        "Shape must match on the last axis of `x1` and second last axis of `x2` when `x1` is N-d array while `x2` "
        "is M-D, but received `x1.shape={left:shape}` and x2.shape=`{right:shape}`",
        "matmul",
        example="ops.dot(keras.Input(batch_shape=(2, 3)), keras.Input(batch_shape=(4, 5)))",
    ),
    Template(
        "Shape mismatch on `x1[axes[0]]` and `x2[axes[1]]`, received {left:shape} and {right:shape}",
        "matmul",
        facts={"op": "tensordot"},
        example="ops.tensordot(keras.Input(batch_shape=(2, 3)), keras.Input(batch_shape=(4, 5)), axes=[[1], [0]])",
    ),
    Template(
        "`inner` requires the last dimension of `x1` and `x2` to match. Received: x1.shape={left:shape}, "
        "x2.shape={right:shape}",
        "matmul",
        facts={"op": "inner"},
        example="ops.inner(keras.Input(batch_shape=(2, 3)), keras.Input(batch_shape=(4, 5)))",
    ),
    Template(
        "Number of dimensions in the subscript does not match the number of dimensions in the operand, received "
        "subscript {subscript:word} and operand of shape {input:shape}",
        "einsum",
        example='ops.einsum("bij,bjk->bik", keras.Input(batch_shape=(2, 3)), keras.Input(batch_shape=(2, 3, 4)))',
    ),
    Template(
        "Input shape and output shape do not match at shared dimension {subscript:word}. Input shape is {a:n}, and "
        "output shape is {b:n}",
        "einsum",
        facts={"layer_type": "EinsumDense"},
        example='layers.EinsumDense("abc,cd->abd", output_shape=(7, 64))(keras.Input((32, 128)))',
    ),
    Template(
        "All dimensions of `value` and `key`, except the last one, must be equal. Received: "
        "value_shape={value:shape} and key_shape={key:shape}",
        "attention",
        facts={"what": "key"},
        example="layers.MultiHeadAttention(2, 4)(np.zeros((2, 5, 8)), np.zeros((2, 6, 8)), key=np.zeros((2, 7, 8)))",
    ),
    Template(
        "The last dimension of `query_shape` and `value_shape` must be equal, but are {expected:n}, {got:n}. "
        "Received: query_shape={query:shape}, value_shape={value:shape}",
        "attention",
        facts={"what": "width"},
        example="layers.GroupQueryAttention(4, 2, 2)(keras.Input((5, 8)), keras.Input((6, 9)))",
    ),
    Template(
        "`num_query_heads` must be divisible by `num_key_value_heads`",
        "attention",
        facts={"what": "heads"},
        example="layers.GroupQueryAttention(4, 3, 2)",
    ),
    Template(
        "`dot_product_attention` only supports {expected:n}D inputs. Received: query.shape={input:shape}, key.shape",
        "rank",
        facts={"op": "dot_product_attention"},
        example="ops.dot_product_attention(np.zeros((2, 3, 5), 'float32'), np.zeros((2, 3, 5), 'float32'), "
        "np.zeros((2, 3, 5), 'float32'))",
    ),
    Template(
        "The `mask` must be broadcastable to `inputs`. Each mask dimension must be 1 or match the corresponding "
        "input dimension. Received: inputs.shape={left:shape}, mask.shape={right:shape}",
        "elementwise",
        facts={"op": "mask"},
        seen="The `mask` must be broadcastable to `inputs`. Each mask dimension must be 1 or match the "
        "corresponding input dimension. Received: inputs.shape=(2, 5, 8), mask.shape=(2, 6, 1)",
        release="Keras 3",
    ),
    Template(
        "The `mask` must be broadcastable to `inputs` and must not have more dimensions. Received: "
        "inputs.shape={left:shape}, mask.shape={right:shape}",
        "elementwise",
        facts={"op": "mask"},
        seen="The `mask` must be broadcastable to `inputs` and must not have more dimensions. Received: "
        "inputs.shape=(2, 5), mask.shape=(2, 5, 1)",
        release="Keras 3",
    ),
    Template(
        "The mask provided should be one dimension less than the inputs. Received: mask.shape={right:shape}, "
        "inputs.shape={left:shape}",
        "elementwise",
        facts={"op": "mask"},
        example="layers.BatchNormalization()(np.zeros((2, 5, 8)), training=True, mask=np.ones((2, 5, 8), bool))",
    ),
    Template(
        "The `mask` passed to the `TimeDistributed` layer has a shape {right:shape} that is incompatible with the "
        "input shape {left:shape}",
        "elementwise",
        facts={"op": "mask"},
        seen="The `mask` passed to the `TimeDistributed` layer has a shape (2, 6) that is incompatible with the "
        "input shape (2, 5, 8). The first two dimensions of the mask (batch size and timesteps) must match",
        release="Keras 3",
    ),
    Template(
        "Cannot do batch_dot on inputs with rank < {expected:n}. Received inputs with shapes {inputs:shapes}",
        "rank",
        facts={"op": "batch_dot", "bound": "at least"},
        seen="Cannot do batch_dot on inputs with rank < 2. Received inputs with shapes (8,) and (8,).",
        release="Keras 2 and 3",
    ),
)

TEMPLATES: tuple[Template, ...] = (*_JUNCTIONS, *_PRODUCTS)
