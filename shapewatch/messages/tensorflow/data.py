"""Messages of the kernels of losses, variables, tf.data and TensorFlow Lite."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_TF1 = "TensorFlow 1"

_LOSSES = (
    Template(
        "logits and labels must be broadcastable: logits_size={output:shape} labels_size={target:shape}",
        "target-shape",
        example="tf.nn.softmax_cross_entropy_with_logits(tf.zeros([10, 2]), tf.zeros([9, 2]))",
    ),
    Template(
        "logits and labels must be same size: logits_size={output:shape} labels_size={target:shape}",
        "target-shape",
        seen="logits and labels must be same size: logits_size=[64,10] labels_size=[64,2]",
        release=_TF1,
    ),
    Template(
        "logits and labels must have the same first dimension, got logits shape {output:shape} and labels shape "
        "{target:shape}",
        "target-batch",
        seen="logits and labels must have the same first dimension, got logits shape [64,10] and labels shape [640]",
        release="all",
    ),
    Template(
        "First dimension of predictions {output:n} must match length of targets {target:n}",
        "target-batch",
        example="tf.math.in_top_k(tf.zeros([3], tf.int32), tf.zeros([4, 5]), 2)",
    ),
    Template(
        "Received a label value of {index:n} which is outside the valid range of [0, {classes:n})",
        "classes",
        example="tf.nn.sparse_softmax_cross_entropy_with_logits([10, 1], tf.zeros([2, 10]))",
    ),
    Template(
        "assertion failed: [`labels` out of bound] {_:text}",
        "classes",
        seen="assertion failed: [`labels` out of bound] [Condition x < y did not hold element-wise:]",
        release="all",
    ),
)

_VARIABLES_AND_DATA = (
    Template(
        "`generator` yielded an element of shape {other:shape} where an element of shape {first:shape} was expected",
        "samples",
        example="ds = tf.data.Dataset.from_generator(lambda: iter([[1, 2, 3]]), "
        "output_signature=tf.TensorSpec([2], tf.int32))\nlist(ds)",
    ),
    Template(
        "Assign requires shapes of both tensors to match. lhs shape= {model:shape} rhs shape= {checkpoint:shape}",
        "weights",
        seen="Assign requires shapes of both tensors to match. lhs shape= [10] rhs shape= [21]\n\t [[Node: "
        "save/Assign_4 = Assign[T=DT_FLOAT](b, save/RestoreV2_4)]]",
        release=_TF1,
    ),
    Template(
        "Cannot update variable with shape {target:shape} using a Tensor with shape {given:shape}, shapes must be "
        "equal",
        "expand",
        {"op": "assign"},
        example="tf.Variable(tf.zeros([3])).assign_add(tf.zeros([4]))",
    ),
    Template(
        "Trying to assign to variable with tensor with wrong shape. Expected {target:shape} got {given:shape}",
        "expand",
        {"op": "assign"},
        seen="Trying to assign to variable with tensor with wrong shape. Expected [3,4] got [3,5]",
        release="TensorFlow 2",
    ),
    Template(
        "Shape of tensor input {given:shape} is not compatible with expected shape {expected:shape}",
        "model-input",
        {"what": "ensure_shape"},
        example="tf.ensure_shape(tf.zeros([2, 3]), [None, 4])",
    ),
    Template(
        "Cannot batch tensors with different shapes in component {_:n}. First element had shape {first:shape} and "
        "element {entry:n} had shape {other:shape}",
        "samples",
        example="ds = tf.data.Dataset.from_generator(lambda: iter([[1, 2], [1, 2, 3]]), "
        "output_signature=tf.TensorSpec([None], tf.int32))\nlist(ds.batch(2))",
    ),
    Template(
        "Cannot add tensor to the batch: number of elements does not match. Shapes are: [tensor]: {other:shape}, "
        "[batch]: {first:shape}",
        "samples",
        seen="Cannot add tensor to the batch: number of elements does not match. Shapes are: [tensor]: "
        "[375,500,3], [batch]: [333,500,3]",
        release="tf.data, until 2.4",
    ),
    Template(
        "Can't parse serialized Example",
        "samples",
        example='ex = tf.train.Example(features=tf.train.Features(feature={"x": '
        "tf.train.Feature(float_list=tf.train.FloatList(value=[1., "
        '2.]))})).SerializeToString()\ntf.io.parse_single_example(ex, {"x": tf.io.FixedLenFeature([3], '
        "tf.float32)})",
    ),
    Template(
        "Cannot set tensor: Dimension mismatch. Got {got:n} but expected {expected:n} for dimension {axis:axis} of "
        "input {tensor:word}.",
        "model-input",
        {"what": "TFLite"},
        example="c = tf.lite.TFLiteConverter.from_concrete_functions([tf.function(lambda x: x * "
        "2).get_concrete_function(tf.TensorSpec([1, 3]))])\ni = "
        "tf.lite.Interpreter(model_content=c.convert()); "
        'i.allocate_tensors()\ni.set_tensor(i.get_input_details()[0]["index"], np.zeros([1, 4], "float32"))',
    ),
    Template(
        "Cannot set tensor: Dimension mismatch",
        "model-input",
        {"what": "TFLite"},
        seen="Cannot set tensor: Dimension mismatch",
        release="TensorFlow Lite 1",
    ),
)

TEMPLATES: tuple[Template, ...] = (*_LOSSES, *_VARIABLES_AND_DATA)
