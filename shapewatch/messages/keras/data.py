"""What `fit` and its like are given, and what the losses make of it."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_KERAS_1 = "Keras 1"
_KERAS_2 = "Keras 2, tf.keras until 2.15"

_DATA = (
    # Keras 1 and 2 compare what `fit` was given with the model's ends; Keras 3 leaves it to the layers and losses.
    Template(
        "Error when checking {_:text}target: expected {layer:word} to have shape {output:shape}, but got array "
        "with shape {target:shape}",
        "target-shape",
        facts={"what": "target"},
        seen="Error when checking target: expected dense_2 to have shape (10,) but got array with shape (1,)",
        release=_KERAS_2,
    ),
    Template(
        "Error when checking {_:text}target: expected {layer:word} to have {expected:n} dimensions, but got array "
        "with shape {target:shape}",
        "target-rank",
        seen="Error when checking model target: expected dense_2 to have 2 dimensions, but got array with shape "
        "(600, 10, 1)",
        release=_KERAS_2,
    ),
    Template(
        "Error when checking {_:text}: expected {tensor:word} to have shape {expected:shape}, but got array with "
        "shape {given:shape}",
        "model-input",
        facts={"what": "input"},
        seen="Error when checking input: expected conv2d_1_input to have shape (28, 28, 1) but got array with "
        "shape (28, 28, 3)",
        release=_KERAS_2,
    ),
    Template(
        "expected {tensor:word} to have shape {expected:shape}, but got array with shape {given:shape}",
        "model-input",
        facts={"what": "end"},
        seen="expected activation_5 to have shape (None, 10) but got array with shape (600, 1)",
        release=f"{_KERAS_2}; an input or a target",
    ),
    Template(
        "expected {layer:word} to have {expected:n} dimensions, but got array with shape {input:shape}",
        "rank",
        seen="Error when checking input: expected conv2d_1_input to have 4 dimensions, but got array with shape "
        "(600, 28, 28)",
        release=_KERAS_2,
    ),
    Template(
        "expected {layer:word} to have {expected:n} dimension(s). but got array with shape {input:row}",
        "rank",
        seen="Error when checking input: expected dense_Dense1_input to have 2 dimension(s). but got array with "
        "shape 4,5,6",
        release="TensorFlow.js",
    ),
    Template(
        "Expect x to be a non-empty array or dataset",
        "model-input",
        facts={"what": "nothing"},
        seen="Expect x to be a non-empty array or dataset.",
        release="tf.keras until 2.5",
    ),
    Template(
        "Unexpected result of {_:text} (Empty {__:word})",
        "model-input",
        facts={"what": "nothing"},
        seen="Unexpected result of `predict_function` (Empty batch_outputs). Please use `Model.compile(..., "
        "run_eagerly=True)`, or `tf.config.run_functions_eagerly(True)` for more information of where went wrong",
        release="tf.keras from 2.5",
    ),
    Template(
        "is not the size the model expected. Expected to see {expected_count:n} array(s), {_:text}following list "
        "of {given_count:n} arrays",
        "model-input",
        facts={"what": "inputs"},
        seen="Error when checking model input: the list of Numpy arrays that you are passing to your model is not "
        "the size the model expected. Expected to see 2 array(s), but instead got the following list of 1 "
        "arrays: [array([[0.1, 0.2]])]",
        release=_KERAS_2,
    ),
    Template(
        "The model expects {expected_count:n} {_:input|target} arrays, but only received one array. Found: array "
        "with shape {given:shape}",
        "model-input",
        facts={"what": "inputs"},
        seen="The model expects 2 input arrays, but only received one array. Found: array with shape (600, 16)",
        release=_KERAS_1,
    ),
    Template(
        "Invalid input shape for input {_:lines}with name {tensor:word} and path {_path:text}. Expected shape "
        "{expected:shape}, but input has incompatible shape {given:shape}",
        "model-input",
        facts={"what": "model"},
        seen='Invalid input shape for input Tensor("data:0", shape=(4, 9), dtype=float32) with name '
        "'input_layer' and path ''. Expected shape (None, 8), but input has incompatible shape (4, 9)",
        release="Keras 3",
    ),
    Template(
        "Invalid input shape for input {_:lines}Expected shape {expected:shape}, but input has incompatible shape "
        "{given:shape}",
        "model-input",
        facts={"what": "model"},
        seen='Invalid input shape for input Tensor("data:0", shape=(None, 9), dtype=float32). Expected shape '
        "(None, 8), but input has incompatible shape (None, 9)",
        release="Keras 3.0 to 3.14",
    ),
    Template(
        "expects a batch of predictions (i.e. a 2D array of shape (samples, {classes:n})). {_:Found|Received} array "
        "with shape: {output:shape}",
        "classes",
        facts={"what": "predictions"},
        example="keras.applications.resnet50.decode_predictions(np.zeros((1, 5)))",
    ),
    Template(
        "has already been configured to use input shape {expected:shape}. You cannot build it with input_shape "
        "{given:shape}",
        "model-input",
        facts={"what": "model"},
        example="m = keras.Sequential([keras.Input((8,)), layers.Dense(2)])\nm.build((None, 9))",
    ),
    Template(
        "The input must have {expected:n} channels; {_:got|received} `input_shape={input:shape}`",
        "conv-channels",
        facts={"channels_last": True},
        example="keras.applications.VGG16(weights='imagenet', include_top=False, input_shape=(64, 64, 1))",
    ),
    Template(
        "Input size must be at least {least:shape}; {_:got|received}{__:text}input_shape={given:shape}",
        "model-input",
        facts={"what": "size"},
        example="keras.applications.ResNet50(weights=None, include_top=False, input_shape=(16, 16, 3))",
    ),
    Template(
        "When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be {expected:shape}. "
        "Received: input_shape={given:shape}",
        "model-input",
        facts={"what": "size"},
        example="keras.applications.VGG16(weights='imagenet', include_top=True, input_shape=(128, 128, 3))",
    ),
    Template(
        "When setting `include_top=True`{_:text}`input_shape` should be {expected:shape}",
        "model-input",
        facts={"what": "size"},
        seen="When setting `include_top=True`, `input_shape` should be (299, 299, 3).",
        release=_KERAS_1,
    ),
    Template(
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. 'x' sizes: {x:n} "
        "'y' sizes: {y:n} 'sample_weight' sizes: {sample_weight:n}",
        "data-lengths",
        example="m = keras.Sequential([keras.Input((3,)), layers.Dense(2)]); m.compile('sgd', "
        "'mse')\nm.fit(np.zeros((10, 3)), np.zeros((10, 2)), sample_weight=np.zeros(9), verbose=0)",
    ),
    Template(
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. 'x' sizes: {x:n} "
        "'y' sizes: {y:n}",
        "data-lengths",
        example="m = keras.Sequential([keras.Input((3,)), layers.Dense(2)]); m.compile('sgd', "
        "'mse')\nm.fit(np.zeros((10, 3)), np.zeros((9, 2)), verbose=0)",
    ),
    Template(
        "Data cardinality is ambiguous: x sizes: {x:n} y sizes: {y:n}",
        "data-lengths",
        seen="Data cardinality is ambiguous:\n  x sizes: 600\n  y sizes: 500\nMake sure all arrays contain the "
        "same number of samples.",
        release="tf.keras 2.2 to 2.15",
    ),
    Template(
        "Data cardinality is ambiguous: x sizes: {x:n}, {_a:n}, {_b:n}, {_c:n}, {_d:n}, {_e:n}, {_f:n}, {_g:n}, "
        "{_h:n},",
        "data-lengths",
        {"what": "a list"},
        seen="Data cardinality is ambiguous:\n  x sizes: 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32\n  y sizes: 11\n",
        release="tf.keras 2.2 to 2.15, a list of many arrays",
    ),
    Template(
        "Make sure all arrays contain the same number of samples. 'x' sizes: {x:n}, {_a:n}, {_b:n}, {_c:n}, {_d:n}, "
        "{_e:n}, {_f:n}, {_g:n}, {_h:n},",
        "data-lengths",
        {"what": "a list"},
        seen="Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.'x' sizes: 10, "
        "10, 10, 10, 10, 10, 10, 10, 10, 10, 10",
        release="Keras 3, a list of many arrays",
    ),
    Template(
        "Data cardinality is ambiguous:{lengths:lines}Make sure all arrays contain the same number of samples.",
        "data-lengths",
        seen="Data cardinality is ambiguous:\n  x sizes: 600, 500\n  y sizes: 600\nMake sure all arrays contain "
        "the same number of samples.",
        release="tf.keras 2.2 to 2.15",
    ),
    Template(
        "Data cardinality is ambiguous:{lengths:lines}Please provide data which shares the same first dimension.",
        "data-lengths",
        seen="Data cardinality is ambiguous:\n  x sizes: 30, 1\nPlease provide data which shares the same first "
        "dimension.",
        release="tf.keras 2.2 and 2.3",
    ),
    Template(
        "Data cardinality is ambiguous: x sizes: {lengths:text}\n",
        "data-lengths",
        seen="Data cardinality is ambiguous:\n  x sizes: 32, 32, 32, 32, 32, 32\n  y sizes: 6\n",
        release="texts that lost their tail, tf.keras 2.2 to 2.15",
    ),
    Template(
        "Make sure all arrays contain the same number of samples. 'x' sizes: {lengths:text}",
        "data-lengths",
        seen="Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.'x' sizes: 10, 9",
        release="Keras 3",
    ),
    Template(
        "Input arrays should have the same number of samples as target arrays. Found {x:n} input samples and {y:n} "
        "target samples",
        "data-lengths",
        seen="Input arrays should have the same number of samples as target arrays. Found 600 input samples and "
        "500 target samples.",
        release=_KERAS_2,
    ),
    Template(
        "{what:word} arrays {_:text}should have the same number of samples. Got array shapes: {lengths:text}",
        "data-lengths",
        seen="All input arrays (x) should have the same number of samples. Got array shapes: [(600, 8), (500, 4)]",
        release=_KERAS_2,
    ),
    Template(
        "Found a sample_weight array with shape {sample_weight:shape} for an input with shape {target:shape}. "
        "sample_weight cannot be broadcast",
        "data-lengths",
        seen="Found a sample_weight array with shape (500,) for an input with shape (600, 10). sample_weight "
        "cannot be broadcast.",
        release=_KERAS_2,
    ),
    Template(
        "Generator yielded an element of shape {other:shape} where an element of shape {first:shape} was expected",
        "samples",
        seen="Generator yielded an element of shape (8, 30) where an element of shape (None, 20) was expected. "
        "Your generator provides tensors with variable input dimensions other than the batch size.",
        release="Keras 3; raised inside tf.data",
    ),
    Template(
        "Mismatch between expected batch size and model output batch size. Output shape = {output:shape}, expected "
        "output shape = shape {target:shape}",
        "target-batch",
        seen="Mismatch between expected batch size and model output batch size. Output shape = (16, 1), expected "
        "output shape = shape (32, 1)",
        release="tf.keras 2.0 and 2.1",
    ),
    Template(
        "All `dataset` samples must have same shape, Expected shape: {first:shape} Received shape: {other:shape} "
        "at index {entry:n}",
        "samples",
        seen="All `dataset` samples must have same shape, Expected shape: (8,) Received shape: (7,) at index 3.",
        release="Keras 3",
    ),
    Template(
        "of sequence at position {entry:n} is different from expected shape {first:shape}",
        "samples",
        example="keras.utils.pad_sequences([np.zeros((3, 2)), np.zeros((4, 5))])",
    ),
    Template(
        "Input images must have {expected:n} channels, but received images with {got:n} channels",
        "conv-channels",
        facts={"what": "preprocessing"},
        seen="Input images must have 3 channels, but received images with 1 channels.",
        release="Keras 3",
    ),
    Template(
        "Invalid channel size: expected {expected:n} (RGB) or 1 (Grayscale). Received input with shape: "
        "images.shape={input:shape}",
        "conv-channels",
        facts={"what": "preprocessing"},
        example="ops.image.rgb_to_grayscale(np.zeros((8, 9, 4), 'float32'))",
    ),
    Template(
        "adapt() is being called with data with an incompatible shape, data.shape={given:shape}",
        "model-input",
        facts={"what": "adapt"},
        seen="The layer was built with input_shape=(None, 8), but adapt() is being called with data with an "
        "incompatible shape, data.shape=(10, 9)",
        release="Keras 3",
    ),
)

_LOSSES = (
    Template(
        "Arguments `target` and `output` must have the same shape up until the last dimension: "
        "target.shape={target:shape}, output.shape={output:shape}",
        "target-shape",
        facts={"loss": "sparse_categorical_crossentropy"},
        example="keras.losses.SparseCategoricalCrossentropy()(np.zeros((4, 8, 8)), np.zeros((4, 6, 6, 3)))",
    ),
    Template(
        "Arguments `target` and `output` must have the same shape. Received: target.shape={target:shape}, "
        "output.shape={output:shape}",
        "target-shape",
        example="keras.losses.CategoricalCrossentropy()(np.zeros((4, 7)), np.zeros((4, 10)))",
    ),
    Template(
        "Arguments `target` and `output` must have the same rank (ndim). Received: target.shape={target:shape}, "
        "output.shape={output:shape}",
        "target-rank",
        seen="Arguments `target` and `output` must have the same rank (ndim). Received: target.shape=(None, 7), "
        "output.shape=(None, 8, 7)",
        release="Keras 3",
    ),
    Template(
        "Argument `output` must have rank (ndim) `target.ndim - 1`. Received: target.shape={target:shape}, "
        "output.shape={output:shape}",
        "target-rank",
        facts={"loss": "sparse_categorical_crossentropy"},
        example="keras.losses.SparseCategoricalCrossentropy()(np.zeros((4, 2)), np.zeros((4, 5)))",
    ),
    Template(
        "Arguments `target` and `output` must be at least rank 1. Received: target.shape={target:shape}, "
        "output.shape={output:shape}",
        "target-rank",
        example="ops.categorical_crossentropy(keras.Input(batch_shape=()), keras.Input(batch_shape=()))",
    ),
    Template(
        "A target array with shape {target:shape} was passed for an output of shape {output:shape} while using as "
        "loss {loss:word}",
        "target-shape",
        seen="A target array with shape (600, 10) was passed for an output of shape (None, 1) while using as loss "
        "`binary_crossentropy`. This loss expects targets to have the same shape as the output.",
        release=_KERAS_2,
    ),
    Template(
        "You are passing a target array of shape {target:shape} while using as loss {loss:word}. "
        "`categorical_crossentropy` expects targets to be binary matrices",
        "target-shape",
        seen="You are passing a target array of shape (600, 1) while using as loss `categorical_crossentropy`. "
        "`categorical_crossentropy` expects targets to be binary matrices (1s and 0s) of shape (samples, "
        "classes).",
        release=_KERAS_2,
    ),
    Template(
        "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. Received: "
        "y_pred.shape={output:shape}",
        "target-rank",
        facts={"loss": "CTC", "expected": "3 for the logits"},
        example="keras.losses.CTC()(np.zeros((2, 4)), np.zeros((2, 5)))",
    ),
    Template(
        "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer format. "
        "Received: y_true.shape={target:shape}",
        "target-rank",
        facts={"loss": "CTC", "expected": "2 for the labels"},
        example="keras.losses.CTC()(np.zeros((2, 4, 3)), np.zeros((2, 5, 6)))",
    ),
    Template(
        "expects 2D inputs with shape (batch_size, output_dim). Received input shapes: y_pred.shape={output:shape} "
        "and y_true.shape={target:shape}",
        "target-rank",
        facts={"expected": 2},
        example="keras.metrics.R2Score()(np.zeros((4, 3, 2)), np.zeros((4, 3, 5)))",
    ),
)

_STRUCTURES = (
    Template(
        "y_true and y_pred have different structures.",
        "target-structure",
        example="model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])\n"
        'model.compile(loss="mse")\n'
        'model.fit(np.zeros((8, 4)), {"a": np.zeros((8, 1)), "b": np.zeros((8, 1))}, verbose=0)',
    ),
)

TEMPLATES: tuple[Template, ...] = (*_DATA, *_LOSSES, *_STRUCTURES)
