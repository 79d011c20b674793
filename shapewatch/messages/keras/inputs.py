"""What a layer asks of its input: the axes it wants, and their sizes."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_KERAS_2 = "Keras 2, tf.keras until 2.15"
_TF_KERAS = "tf.keras 2.0 to 2.5"
_RETOLD = "all, as they are retold"

TEMPLATES: tuple[Template, ...] = (
    # What a layer asks of its input. "of layer X is incompatible with the layer" came with TensorFlow 2; the front
    # ("Input 0", "Input 0 with name 'None'") changed several times and is left out. tf.keras 2.2 writes ": :".
    Template(
        "of layer {layer:word} is incompatible with the layer: expected axis {axis:axis} of input shape to have "
        "value {expected:n}, but received input with shape {input:shape}",
        "layer-width",
        example="layer = layers.Dense(4); layer.build((None, 8))\nlayer(np.zeros((2, 9)))",
    ),
    Template(
        "of layer {layer:word} is incompatible with the layer: expected min_ndim={expected:n}, found ndim={got:n}. "
        "Full shape received: {input:shape}",
        "rank",
        facts={"bound": "at least"},
        example="layers.Conv2D(8, 3)(np.zeros((41, 43, 3)))",
    ),
    Template(
        "of layer {layer:word} is incompatible with the layer: expected ndim={expected:n}, found ndim={got:n}. "
        "Full shape received: {input:shape}",
        "rank",
        example="layers.LSTM(4)(np.zeros((32, 10)))",
    ),
    Template(
        "of layer {layer:word} is incompatible with the layer: expected max_ndim={expected:n}, found ndim={got:n}",
        "rank",
        facts={"bound": "at most"},
        example="layer = layers.Identity(); layer.input_spec = layers.InputSpec(max_ndim=2)\nlayer(np.zeros((2, 3, "
        "4)))",
    ),
    Template(
        "of layer {layer:word} is incompatible with the layer: expected shape={expected:shape}, found "
        "shape={given:shape}",
        "model-input",
        facts={"what": "model"},
        example="i = keras.Input((8,)); m = keras.Model(i, layers.Dense(2)(i))\nm.predict(np.zeros((4, 9)), verbose=0)",
    ),
    Template(
        "of layer {layer:word} is incompatible with the layer: : expected min_ndim={expected:n}, found "
        "ndim={got:n}. Full shape received: {input:shape}",
        "rank",
        facts={"bound": "at least"},
        seen="Input 0 of layer conv1d is incompatible with the layer: : expected min_ndim=3, found ndim=2. Full "
        "shape received: [None, 40]",
        release=_TF_KERAS,
    ),
    Template(
        "of layer {layer:word} is incompatible with the layer: expected min_ndim={expected:n}, found ndim={got:n}",
        "rank",
        facts={"bound": "at least"},
        seen="Input 0 of layer flatten is incompatible with the layer: expected min_ndim=1, found ndim=0",
        release=_TF_KERAS,
    ),
    Template(
        "of layer {layer:word} is incompatible with the layer: expected ndim={expected:n}, found ndim={got:n}",
        "rank",
        seen="Input 0 of layer lstm_1 is incompatible with the layer: expected ndim=3, found ndim=2",
        release=_TF_KERAS,
    ),
    Template(
        "Layer expects input ndim={expected:n}, was provided with input shape {input:shape}",
        "rank",
        seen="Invalid input shape - Layer expects input ndim=4, was provided with input shape (None, 32, 32)",
        release="Keras 1",
    ),
    Template(
        "Inputs should have rank {expected:n}. Received input shape: {input:shape}",
        "rank",
        seen="Inputs should have rank 4. Received input shape: (None, 128, 64)",
        release="tf.keras 2",
    ),
    Template(
        "is incompatible with layer {layer:word}: expected axis {axis:axis} of input shape to have value "
        "{expected:n} but got shape {input:shape}",
        "layer-width",
        seen="Input 0 is incompatible with layer dense_1: expected axis -1 of input shape to have value 100 but "
        "got shape (None, 90)",
        release=_KERAS_2,
    ),
    Template(
        "is incompatible with layer {layer:word}: expected min_ndim={expected:n}, found ndim={got:n}",
        "rank",
        facts={"bound": "at least"},
        seen="Input 0 is incompatible with layer flatten_1: expected min_ndim=3, found ndim=2",
        release=_KERAS_2,
    ),
    Template(
        "is incompatible with layer {layer:word}: expected ndim >= {expected:n}, found ndim={got:n}",
        "rank",
        facts={"bound": "at least"},
        seen="Input 0 is incompatible with layer flatten_1: expected ndim >= 3, found ndim=2",
        release="Keras 1",
    ),
    Template(
        "is incompatible with layer {layer:word}: expected max_ndim={expected:n}, found ndim={got:n}",
        "rank",
        facts={"bound": "at most"},
        seen="Input 0 is incompatible with layer embedding_1: expected max_ndim=2, found ndim=3",
        release=_KERAS_2,
    ),
    Template(
        "is incompatible with layer {layer:word}: expected ndim={expected:n}, found ndim={got:n}",
        "rank",
        seen="Input 0 is incompatible with layer lstm_1: expected ndim=3, found ndim=4",
        release=_KERAS_2,
    ),
    Template(
        "is incompatible with layer {layer:word}: expected shape={expected:shape}, found shape={given:shape}",
        "model-input",
        facts={"what": "model"},
        seen="Input 0 is incompatible with layer model_2: expected shape=(None, 96, 96, 3), found shape=(None, 64, "
        "64, 3)",
        release=_KERAS_2,
    ),
    Template(
        "Layer {layer:word} expects {expected_count:n} named input(s) with keys {names:text}, but it received "
        "{given_count:n} input tensors",
        "model-input",
        facts={"what": "inputs"},
        example="a = keras.Input((3,)); b = keras.Input((3,)); m = keras.Model([a, b], layers.Add()([a, "
        "b]))\nm(np.zeros((2, 3)))",
    ),
    Template(
        "Layer {layer:word} expects {expected_count:n} input(s), but it received {given_count:n} input tensors",
        "model-input",
        facts={"what": "inputs"},
        example="layers.Dense(3)([np.zeros((2, 3)), np.zeros((2, 3))])",
    ),
    Template(
        "Layer {layer:word} expects {expected_count:n} inputs, but it received {given_count:n} input tensors",
        "model-input",
        facts={"what": "inputs"},
        seen="Layer model_1 expects 2 inputs, but it received 1 input tensors. Inputs received: [<tf.Tensor 'x:0'>]",
        release=_TF_KERAS,
    ),
    Template(
        "The last dimension of the inputs to {layer_type:word} should be defined. Found `None`",
        "unknown-size",
        seen="The last dimension of the inputs to `Dense` should be defined. Found `None`.",
        release=_KERAS_2,
    ),
    Template(
        "The last dimension of the inputs to a {layer_type:word} layer should be defined. Found {expected:n}",
        "unknown-size",
        seen="The last dimension of the inputs to a Dense layer should be defined. Found None. Full input shape "
        "received: (None, None)",
        release=_KERAS_2,
    ),
    Template(
        "The channel dimension of the inputs should be defined. The input_shape received is {input:shape}",
        "unknown-size",
        seen="The channel dimension of the inputs should be defined. The input_shape received is (None, 32, 32, "
        "None), where axis -1 (0-based) is the channel dimension, which found to be `None`.",
        release=_KERAS_2,
    ),
    Template(
        "The channel dimension of the inputs should be defined. Found `None`",
        "unknown-size",
        seen="The channel dimension of the inputs should be defined. Found `None`.",
        release=_KERAS_2,
    ),
    Template(
        "The channel dimension of the inputs (last axis) should be defined. Found None. Full input shape received: "
        "input_shape={input:shape}",
        "unknown-size",
        example="layers.ConvLSTM2D(4, 3)(keras.Input((5, 8, 8, None)))",
    ),
    Template(
        "Shapes used to initialize variables must be fully-defined (no `None` dimensions). Received: "
        "shape={weight:shape} for variable path={parameter:word}",
        "unknown-size",
        example="x = layers.Flatten()(keras.Input((None, None, 3)))\nlayers.Dense(4)(x)",
    ),
    Template(
        "of input tensor should have a defined dimension but the layer received an input with shape {input:shape}",
        "unknown-size",
        seen="Axis 3 of input tensor should have a defined dimension but the layer received an input with shape "
        "(None, 8, 8, None).",
        release=_KERAS_2,
    ),
    Template(
        'The shape of the input to "Flatten" is not fully defined (got {input:shape})',
        "unknown-size",
        facts={"layer_type": "Flatten"},
        seen='The shape of the input to "Flatten" is not fully defined (got (None, None, 512)). Make sure to pass a '
        'complete "input_shape" or "batch_input_shape" argument to the first layer in your model.',
        release=_KERAS_2,
    ),
    Template(
        "`TimeDistributed` Layer should be passed an `input_shape` with at least {expected:n} dimensions, "
        "received: {input:shape}",
        "rank",
        facts={"layer_type": "TimeDistributed", "bound": "at least"},
        example="layers.TimeDistributed(layers.Dense(2))(np.zeros((3,)))",
    ),
    Template(
        "Expected image tensor to have rank {_:n} (single image) or 4 (batch of images). Received: "
        "data.shape={input:shape}",
        "rank",
        facts={"expected": "3 or 4"},
        example="layers.CenterCrop(4, 4)(np.zeros((8, 8)))",
    ),
    Template(
        "Expected the input image to be rank 3 or 4. Received{_:text}inputs.shape={input:shape}",
        "rank",
        facts={"expected": "3 or 4"},
        example="layers.RandomBrightness(0.1)(np.zeros((8, 9)), training=True)",
    ),
    # What is left where the beginning was not copied.
    Template(
        "expected axis {axis:axis} of input shape to have value {expected:n}{_:text}shape {input:shape}",
        "layer-width",
        seen="expected axis -1 of input shape to have value 7, but received input with shape (None, 9)",
        release=_RETOLD,
    ),
    Template(
        "expected min_ndim={expected:n}, found ndim={got:n}. Full shape received: {input:shape}",
        "rank",
        facts={"bound": "at least"},
        seen="expected min_ndim=3, found ndim=2. Full shape received: (None, 7)",
        release=_RETOLD,
    ),
    Template(
        "expected min_ndim={expected:n}, found ndim={got:n}",
        "rank",
        facts={"bound": "at least"},
        seen="expected min_ndim=3, found ndim=2",
        release=_RETOLD,
    ),
    Template(
        "expected max_ndim={expected:n}, found ndim={got:n}",
        "rank",
        facts={"bound": "at most"},
        seen="expected max_ndim=2, found ndim=3",
        release=_RETOLD,
    ),
    Template(
        "expected ndim={expected:n}, found ndim={got:n}. Full shape received: {input:shape}",
        "rank",
        seen="expected ndim=3, found ndim=2. Full shape received: (None, 7)",
        release=_RETOLD,
    ),
    Template(
        "expected ndim={expected:n}, found ndim={got:n}",
        "rank",
        seen="expected ndim=3, found ndim=2",
        release=_RETOLD,
    ),
    Template(
        "expected shape={expected:shape}, found shape={given:shape}",
        "model-input",
        facts={"what": "model"},
        seen="expected shape=(None, 9), found shape=(None, 7)",
        release=_RETOLD,
    ),
)
