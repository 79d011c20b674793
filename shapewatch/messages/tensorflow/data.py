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
        "Received a label value of {index:axis} which is outside the valid range of [0, {classes:n})",
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

_CTC = (
    Template(
        "Not enough time for target transition sequence (required: {required:n}, available: {available:n})",
        "only-dress",
        {"op": "ctc_loss (steps)"},
        seen="Not enough time for target transition sequence (required: 12, available: 10)0You can turn this error "
        "into a warning by using the flag ignore_longer_outputs_than_inputs",
        release="TensorFlow 1 and 2",
    ),
    Template(
        "Saw a non-null label (index >= num_classes - 1) following a null label, batch: {_:n} num_classes: {classes:n}",
        "only-dress",
        {"op": "ctc_loss (labels)"},
        seen="Saw a non-null label (index >= num_classes - 1) following a null label, batch: 2 num_classes: 11 labels: "
        "1",
        release="TensorFlow 1 and 2",
    ),
    Template(
        "sequence_length({_:n}) <= {got:n}",
        "only-dress",
        {"op": "ctc_loss"},
        seen="sequence_length(0) <= 40",
        release="TensorFlow 1 and 2",
    ),
    Template(
        "seq_lens({_:n}) > input.dims({axis:n})",
        "only-dress",
        {"op": "ctc_loss"},
        example="tf.reverse_sequence(tf.zeros([2, 3]), [4, 4], seq_axis=1)",
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
        "Assign requires shapes of both tensors to match. lhs shape= {model:shape}, rhs shape= {checkpoint:shape}"
        '{_:lines}_class=["loc:@{parameter:word}"]',
        "weights",
        seen="Assign requires shapes of both tensors to match. lhs shape= [10] rhs shape= [21]\n\t [[Node: "
        'save/Assign_4 = Assign[T=DT_FLOAT, _class=["loc:@b"], use_locking=true](b, save/RestoreV2_4)]]',
        release=_TF1,
    ),
    Template(
        "Assign requires shapes of both tensors to match. lhs shape= {model:shape}, rhs shape= {checkpoint:shape}",
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
        "values != expected. Values size: {got:n} but output shape: {expected:shape}",
        "samples",
        {"op": "parse_example"},
        example='ex = tf.train.Example(features=tf.train.Features(feature={"x": '
        "tf.train.Feature(float_list=tf.train.FloatList(value=[1., "
        '2.]))})).SerializeToString()\ntf.io.parse_example([ex], {"x": tf.io.FixedLenFeature([3], '
        "tf.float32)})",
    ),
    Template(
        "Failed to convert a NumPy array to a Tensor (Unsupported object type",
        "samples",
        {"op": "array of objects"},
        example="tf.constant(np.array([[1, 2], [1, 2, 3]], dtype=object))",
    ),
    Template(
        "Tried to set a tensor with incompatible shape at a list index. Item element shape: {other:shape} list shape: "
        "{first:shape}",
        "stack",
        {"op": "TensorListSetItem"},
        seen="Tried to set a tensor with incompatible shape at a list index. Item element shape: [32,64] list shape: "
        "[16,64]",
        release="TensorFlow 2, in a loop",
    ),
    Template(
        "TensorArray has inconsistent shapes. Index {_:n} has shape: {first:shape} but index {entry:n} has shape: "
        "{other:shape}",
        "stack",
        {"op": "TensorArray"},
        seen="TensorArray has inconsistent shapes. Index 0 has shape: [64,64] but index 1 has shape: [64,32]",
        release=_TF1,
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
        "Cannot set tensor: Dimension mismatch. Got {got:n} but expected {expected:n} for input {tensor:word}",
        "rank",
        {"op": "TFLite"},
        example="c = tf.lite.TFLiteConverter.from_concrete_functions([tf.function(lambda x: x * "
        "2).get_concrete_function(tf.TensorSpec([1, 3]))])\ni = "
        "tf.lite.Interpreter(model_content=c.convert()); "
        'i.allocate_tensors()\ni.set_tensor(i.get_input_details()[0]["index"], np.zeros([3], "float32"))',
    ),
    Template(
        "Cannot set tensor: Dimension mismatch",
        "model-input",
        {"what": "TFLite"},
        seen="Cannot set tensor: Dimension mismatch",
        release="TensorFlow Lite 1",
    ),
)

TEMPLATES: tuple[Template, ...] = (*_LOSSES, *_CTC, *_VARIABLES_AND_DATA)
