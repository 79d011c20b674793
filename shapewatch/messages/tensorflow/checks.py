"""Messages of TensorFlow's Python: static shapes, feeds, losses, variables, tf.function, tf.data and tf.image."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_TF1 = "TensorFlow 1"

_STATIC_SHAPES = (
    Template(
        "as_list() is not defined on an unknown TensorShape",
        "unknown-size",
        example="tf.TensorShape(None).as_list()",
    ),
    Template(
        "Cannot take the length of shape with unknown rank",
        "unknown-size",
        example="len(tf.TensorShape(None))",
    ),
    # `assert_is_compatible_with` compares a target with an output in a loss, and much else: the op is not told.
    Template(
        "Shapes {left:shape} and {right:shape} are incompatible",
        "elementwise",
        {"op": "is_compatible_with"},
        example="tf.boolean_mask(tf.zeros([8, 10]), tf.zeros([4], tf.bool))",
    ),
    Template(
        "Shapes {left:shape} and {right:shape} are not compatible",
        "elementwise",
        {"op": "merge_with"},
        example="tf.TensorShape([2, 3]).merge_with([2, 4])",
    ),
    Template(
        "Shapes {left:shape} and {right:shape} must have the same rank",
        "elementwise",
        {"op": "assert_same_rank"},
        example="tf.TensorShape([2]).assert_same_rank([None, None])",
    ),
    Template(
        "Dimensions {a:n} and {b:n} are not compatible",
        "elementwise",
        {"op": "merge_with"},
        example="tf.data.Dataset.from_tensor_slices((tf.zeros([10, 3]), tf.zeros([9])))",
    ),
    Template(
        "Dimensions {a:n} and {b:n} are incompatible",
        "elementwise",
        seen="Dimensions 10 and 9 are incompatible",
        release=_TF1,
    ),
    Template(
        "Cannot assign value to variable ' {within:word}/{parameter:word}': Shape mismatch. The variable shape "
        "{model:shape}, and the assigned value shape {checkpoint:shape} are incompatible",
        "weights",
        {"what": "given"},
        example="tf.Variable(tf.zeros([3, 4]), name='dense/kernel').assign(tf.zeros([3, 5]))",
    ),
    Template(
        "Shape mismatch. The variable shape {target:shape}, and the assigned value shape {given:shape} are "
        "incompatible",
        "expand",
        {"op": "assign"},
        example="tf.Variable(tf.zeros([3, 4])).assign(tf.zeros([3, 5]))",
    ),
    Template(
        "Tensor's shape {given:shape} is not compatible with supplied shape {expected:shape}",
        "model-input",
        {"what": "set_shape"},
        example="tf.zeros([2, 3]).set_shape([2, 4])",
    ),
    Template(
        "has shape {first:shape} before the loop, but shape {other:shape} after one iteration",
        "only-dress",
        {"op": "while_loop"},
        seen="'x' has shape (1,) before the loop, but shape (2,) after one iteration. Use "
        "tf.autograph.experimental.set_loop_options to set shape invariants.",
        release="TensorFlow 2, in a loop that AutoGraph converted",
    ),
    Template(
        "enters the loop with shape {first:shape}, but has shape {other:shape} after one iteration",
        "only-dress",
        {"op": "while_loop"},
        example="@tf.function\ndef f(x): return tf.while_loop(lambda x: True, lambda x: [tf.tile(x, [2])], [x])\n"
        "f(tf.zeros([1]))",
    ),
    Template(
        "Expected scalar shape, saw shape: {input:shape}",
        "rank",
        {"expected": 0},
        example="tf.debugging.assert_scalar(tf.zeros([1]))",
    ),
    Template(
        "Expected scalar shape for {tensor:word}, saw shape: {input:shape}",
        "rank",
        {"expected": 0},
        example="@tf.function\ndef f(x): tf.debugging.assert_scalar(x)\nf(tf.zeros([1]))",
    ),
    Template(
        "{tensor:word} must have rank {expected:n}. Received rank {got:n}, shape {input:shape}",
        "rank",
        example="@tf.function\ndef f(x): tf.debugging.assert_rank(x, 3)\nf(tf.zeros([2, 7]))",
    ),
    Template(
        "dimension {axis:axis} must have size {expected:n}. Received size {got:n}, shape {input:shape}",
        "layer-width",
        {"op": "assert_shapes"},
        example='tf.debugging.assert_shapes([(tf.zeros([2, 3]), ("N", 4))])  # axis 1',
    ),
    Template(
        "Incompatible shape for value ({given:shape}), expected ({expected:shape})",
        "stack",
        {"op": "TensorArray"},
        example="ta = tf.TensorArray(tf.float32, 2)\nta = ta.write(0, tf.zeros([2])).write(1, "
        "tf.zeros([3]))\nta.stack()",
    ),
    Template(
        "Can't convert non-rectangular Python sequence to Tensor",
        "samples",
        {"op": "tf.constant", "what": "a sequence"},
        example="tf.constant([[1, 2], [1, 2, 3]])",
    ),
    Template(
        "Eager execution of tf.constant with unsupported shape. {_:lines} has {count:n} elements, but got `shape` "
        "{shape:shape}",
        "reshape",
        {"op": "tf.constant"},
        example="tf.constant([1, 2, 3], shape=[2, 2])",
    ),
    Template(
        "Eager execution of tf.constant with unsupported shape (value has {count:n} elements, shape is {shape:shape}",
        "reshape",
        {"op": "tf.constant"},
        seen="Eager execution of tf.constant with unsupported shape (value has 3 elements, shape is (2, 2) with 4 "
        "elements).",
        release="TensorFlow 2",
    ),
    Template(
        "Condition x == y did not hold",
        "only-dress",
        {"op": "assert_equal"},
        example="tf.ragged.constant([[1, 2], [3]]) + tf.ragged.constant([[1], [3]])",
    ),
)

_FEEDS = (
    Template(
        "Cannot feed value of shape {given:shape} for Tensor {tensor:word}, which has shape {expected:shape}",
        "model-input",
        {"what": "feed"},
        example="g = tf.Graph()\nwith g.as_default():\n    p = tf.compat.v1.placeholder(tf.float32, [None, "
        "784])\n    tf.compat.v1.Session().run(p * 2, {p: np.zeros((28, 28))})",
    ),
    Template(
        "Cannot feed value of shape {given:shape} for Tensor {tensor:text}, which has {_:word} {expected:shape}",
        "model-input",
        {"what": "feed"},
        seen='Cannot feed value of shape (64, 784) for Tensor Tensor("x:0", dtype=float32), which has shape \'(?, '
        "728)'",
        release=_TF1,
    ),
    Template(
        "You must feed a value for placeholder tensor {tensor:word} with dtype {_:word} and shape {expected:shape}",
        "model-input",
        {"what": "feed"},
        seen="You must feed a value for placeholder tensor 'y' with dtype float and shape [?,10]",
        release=_TF1,
    ),
    Template(
        "Can not cast TensorSpec(shape={given:shape},{_:text}) to TensorSpec(shape={expected:shape},",
        "model-input",
        {"what": "signature"},
        example="@tf.function(input_signature=[tf.TensorSpec([None, 3])])\ndef f(x): return x\nf(tf.zeros([2, 4]))",
        unless_fits=("given", "expected"),
    ),
    Template(
        "Python inputs incompatible with input_signature: inputs: "
        "({_:lines}shape={given:shape}{__:lines}input_signature: ({___:lines}shape={expected:shape}",
        "model-input",
        {"what": "signature"},
        seen="Python inputs incompatible with input_signature:\n  inputs: (\n    tf.Tensor([[0. 0.]], shape=(1, "
        "2), dtype=float32))\n  input_signature: (\n    TensorSpec(shape=(None, 3), dtype=tf.float32, "
        "name=None))",
        release="TensorFlow 2.0 to 2.12",
        unless_fits=("given", "expected"),
    ),
)

_LOSSES = (
    Template(
        "`logits` and `labels` must have the same shape, received ({output:shape} vs {target:shape})",
        "target-shape",
        example="tf.nn.sigmoid_cross_entropy_with_logits(tf.zeros([4, 1]), tf.zeros([4, 10]))",
    ),
    Template(
        "logits and labels must have the same shape ({output:shape} vs {target:shape})",
        "target-shape",
        seen="logits and labels must have the same shape ((64, 1) vs (64, 2))",
        release="TensorFlow 1, 2 until 2.6",
    ),
    Template(
        "`logits` and `targets` must have the same shape, received ({output:shape} vs {target:shape})",
        "target-shape",
        seen="`logits` and `targets` must have the same shape, received ((4, 10) vs (4, 1)).",
        release="TensorFlow 2",
    ),
    Template(
        "`log_input` and `targets` must have the same shape, received ({output:shape} vs {target:shape})",
        "target-shape",
        example="tf.nn.log_poisson_loss(tf.zeros([4, 1]), tf.zeros([4, 10]))",
    ),
    Template(
        "labels must have the same shape, received ({output:shape} vs {target:shape})",
        "target-shape",
        seen="and labels must have the same shape, received ((None, 7) vs (None, 1)).",
        release="all, as it is retold",
    ),
    Template(
        "`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape={target:shape} of rank "
        "{_:n} and logits.shape={output:shape}",
        "target-rank",
        {"loss": "sparse_softmax_cross_entropy"},
        example="tf.nn.sparse_softmax_cross_entropy_with_logits(tf.zeros([10, 2], tf.int32), tf.zeros([10, 2]))",
    ),
    Template(
        "Rank mismatch: Rank of labels (received {_:n}) should equal rank of logits minus 1 (received {__:n})",
        "target-rank",
        {"loss": "sparse_softmax_cross_entropy"},
        seen="Rank mismatch: Rank of labels (received 2) should equal rank of logits minus 1 (received 2).",
        release="TensorFlow 1, early 2",
    ),
    Template(
        "`labels.shape` must equal `logits.shape` except for the last dimension. Received: "
        "labels.shape={target:shape} and logits.shape={output:shape}",
        "target-shape",
        {"loss": "sparse_softmax_cross_entropy"},
        example="tf.nn.sparse_softmax_cross_entropy_with_logits(tf.zeros([2500], tf.int32), tf.zeros([250, 10]))",
    ),
    Template(
        "Shape mismatch: The shape of labels (received {target:shape}) should equal the shape of logits except for "
        "the last dimension (received {output:shape})",
        "target-shape",
        {"loss": "sparse_softmax_cross_entropy"},
        seen="Shape mismatch: The shape of labels (received (640,)) should equal the shape of logits except for "
        "the last dimension (received (64, 10)).",
        release="TensorFlow 1, early 2",
    ),
)

_WEIGHTS = (
    Template(
        "Received incompatible tensor with shape {checkpoint:shape} when attempting to restore variable with shape "
        "{model:shape} and name {parameter:word}.",
        "weights",
        example="import tempfile\np = tf.train.Checkpoint(v=tf.Variable(tf.zeros([3, 4]))).save(tempfile.mkdtemp() "
        '+ "/c")\ntf.train.Checkpoint(v=tf.Variable(tf.zeros([3, 5]))).restore(p).assert_consumed()',
    ),
    Template(
        "Shape of variable {parameter:word} ({model:shape}) doesn't match with shape of tensor {_:word} "
        "({checkpoint:shape}) from checkpoint reader",
        "weights",
        seen="Shape of variable dense/kernel:0 ((64, 10)) doesn't match with shape of tensor dense/kernel ([64, "
        "21]) from checkpoint reader.",
        release=_TF1,
    ),
    Template(
        "Trying to share variable {parameter:word}, but specified shape ({got:n}, {_:n}) and found shape "
        "({expected:n},",
        "layer-width",
        seen="Trying to share variable rnn/lstm_cell/kernel, but specified shape (256, 512) and found shape (138, "
        "512).",
        release=_TF1,
    ),
    Template(
        "Key {missing:word} not found in checkpoint",
        "weight-names",
        seen="Key dense_3/bias not found in checkpoint",
        release="TensorFlow 1 and 2",
    ),
    Template(
        "Tensor name {missing:word} not found in checkpoint files",
        "weight-names",
        seen='Tensor name "dense_3/bias" not found in checkpoint files model.ckpt-1000',
        release=_TF1,
    ),
)

_LAYERS = (
    Template(
        "number of input channels does not match corresponding dimension of filter, {got:n} != {expected:n}",
        "conv-channels",
        seen="number of input channels does not match corresponding dimension of filter, 1 != 3",
        release="TensorFlow 1, 2 until 2.4",
    ),
    Template(
        "The number of input channels is not divisible by the corresponding number of output filters. Received: "
        "input.shape={input:shape} with {got:n} channels and filters.shape={weight:shape} with {_:n} output filters",
        "conv-channels",
        seen="The number of input channels is not divisible by the corresponding number of output filters. "
        "Received: input.shape=(1, 8, 8, 3) with 3 channels and filters.shape=(3, 3, 4, 8) with 8 output "
        "filters.",
        release="TensorFlow 2.5 and later",
    ),
    Template(
        "Inputs to `{layer_type:word}` should have known rank",
        "rank",
        seen="Inputs to `Dense` should have known rank.",
        release=_TF1,
    ),
    Template(
        "`input.shape.rank` must be {expected:text}. Received: input.shape={input:shape} of rank {got:n}.",
        "rank",
        example="tf.nn.avg_pool(tf.zeros([8, 9]), 2, 2, 'VALID')  # rank 2",
    ),
)

_IMAGES = (
    Template(
        "'images' must have either 3 or 4 dimensions",
        "rank",
        {"expected": "3 or 4", "op": "image"},
        example="tf.image.resize(tf.zeros([8, 8]), [4, 4])",
    ),
    Template(
        "'images' contains no shape",
        "rank",
        {"expected": "3 or 4", "op": "image"},
        seen="'images' contains no shape.",
        release="all, where a decoded image's rank is not known",
    ),
    Template(
        "'image' (shape {input:shape}) must have either 3 or 4 dimensions",
        "rank",
        {"expected": "3 or 4", "op": "image"},
        example="tf.image.crop_to_bounding_box(tf.zeros([8, 9]), 0, 0, 4, 4)",
    ),
    Template(
        "'image' (shape {input:shape}) must be three-dimensional",
        "rank",
        {"expected": 3, "op": "image"},
        seen="'image' (shape (8, 9)) must be three-dimensional.",
        release="all",
    ),
    Template(
        "'image' (shape {input:shape}) must be at least three-dimensional",
        "rank",
        {"expected": 3, "bound": "at least", "op": "image"},
        example="tf.image.flip_left_right(tf.zeros([8, 9]))  # 3",
    ),
    Template(
        "{_:width|height} must be <= target - offset",
        "window",
        {"op": "pad_to_bounding_box"},
        example="tf.image.pad_to_bounding_box(tf.zeros([8, 8, 3]), 0, 0, 4, 4)",
    ),
    Template(
        "{_:width|height} must be >= target + offset",
        "window",
        {"op": "crop_to_bounding_box"},
        example="tf.image.crop_to_bounding_box(tf.zeros([8, 8, 3]), 4, 4, 8, 8)",
    ),
    Template(
        "Need value.shape >= size, got",
        "window",
        {"op": "random_crop"},
        example="tf.image.random_crop(tf.zeros([8, 8, 3]), [16, 16, 3])",
    ),
    Template(
        "Last dimension of a grayscale image should be size {expected:n}",
        "conv-channels",
        {"op": "grayscale_to_rgb"},
        example="tf.image.grayscale_to_rgb(tf.zeros([8, 8, 3]))",
    ),
    Template(
        "Input images must have 3 channels",
        "conv-channels",
        {"expected": 3},
        seen="Input images must have 3 channels.",
        release="TensorFlow 2",
    ),
)

TEMPLATES: tuple[Template, ...] = (*_STATIC_SHAPES, *_FEEDS, *_LOSSES, *_WEIGHTS, *_LAYERS, *_IMAGES)
