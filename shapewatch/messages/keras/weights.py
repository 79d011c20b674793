"""Weights that are loaded, set or restored; and what is said without sizes."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_KERAS_1 = "Keras 1"
_KERAS_2 = "Keras 2, tf.keras until 2.15"

_WEIGHTS = (
    Template(
        "A total of {objects:n} objects could not be loaded. Example error message for object {_:lines}The shape "
        "of the target variable and the shape of the target value in `variable.assign(value)` must match. "
        "variable.shape={model:shape}, Received: value.shape={checkpoint:shape}. Target variable: <Variable "
        "path={parameter:word},",
        "weights",
        example="import tempfile\np = tempfile.mkdtemp() + '/m.weights.h5'\n"
        "def made(n): return keras.Sequential([keras.Input((3,)), layers.Dense(n), layers.Dense(n), layers.Dense(n)])\n"
        "made(10).save_weights(p)\nmade(4).load_weights(p)",
    ),
    Template(
        "The shape of the target variable and the shape of the target value in `variable.assign(value)` must "
        "match. variable.shape={model:shape}, Received: value.shape={checkpoint:shape}. Target variable: <Variable "
        "path={parameter:word},",
        "weights",
        example="keras.Variable(np.zeros((3, 4))).assign(np.zeros((3, 5)))",
    ),
    Template(
        "The shape of the target variable and the shape of the target value in `variable.assign(value)` must "
        "match. {_:text}variable.shape={model:shape}, Received: value.shape={checkpoint:shape}",
        "weights",
        seen="The shape of the target variable and the shape of the target value in `variable.assign(value)` must "
        "match. variable.shape=(3, 4), Received: value.shape=(3, 10). Target variable: <KerasVariable "
        "shape=(3, 4), dtype=float32, path=dense/kernel>",
        release="Keras 3.0 to 3.5",
    ),
    Template(
        "for weight {parameter:word}. Weight expects shape {model:shape}. Received saved weight with shape "
        "{checkpoint:shape}",
        "weights",
        example="import tempfile\np = tempfile.mkdtemp() + '/m.h5'\nkeras.Sequential([keras.Input((3,)), "
        "layers.Dense(10)]).save(p)\nkeras.Sequential([keras.Input((3,)), layers.Dense(4)]).load_weights(p)",
    ),
    Template(
        "weight {parameter:text} has shape {model:shape}, but the saved weight has shape {checkpoint:shape}",
        "weights",
        seen="Layer #3 (named \"dense_2\"), weight <tf.Variable 'dense_2/kernel:0' shape=(64, 10) dtype=float32> "
        "has shape (64, 10), but the saved weight has shape (64, 100).",
        release=_KERAS_2,
    ),
    Template(
        "Layer {parameter:word} weight shape {model:shape} is not compatible with provided weight shape "
        "{checkpoint:shape}",
        "weights",
        {"what": "given"},
        example="layer = layers.Dense(4); layer.build((None, 3))\nlayer.set_weights([np.zeros((3, 5)), "
        "np.zeros((4,))])",
    ),
    Template(
        "Layer {parameter:word} weight shape {model:shape} not compatible with provided weight shape "
        "{checkpoint:shape}",
        "weights",
        {"what": "given"},
        seen="Layer dense_1 weight shape (3, 4) not compatible with provided weight shape (3, 5).",
        release="tf.keras 2.4 to 2.15",
    ),
    Template(
        "Layer weight shape {model:shape} not compatible with provided weight shape {checkpoint:shape}",
        "weights",
        {"what": "given"},
        seen="Layer weight shape (3, 3, 3, 32) not compatible with provided weight shape (32, 3, 3, 3)",
        release=_KERAS_2,
    ),
    Template(
        "Layer shape {model:shape} not compatible with weight shape {checkpoint:shape}",
        "weights",
        seen="Layer shape (8, 3, 3, 3) not compatible with weight shape (16, 3, 3, 3).",
        release=_KERAS_1,
    ),
    Template(
        "Optimizer variable {parameter:word} has shape {model:shape} not compatible with provided weight shape "
        "{checkpoint:shape}",
        "weights",
        example="o = keras.optimizers.SGD(momentum=0.9); o.build([keras.Variable(np.zeros((3, "
        "4)))])\no.set_weights([np.zeros(()), np.zeros(()), np.zeros((3, 5))])",
    ),
    Template(
        "Optimizer weight shape {model:shape} not compatible with provided weight shape {checkpoint:shape}",
        "weights",
        seen="Optimizer weight shape (64, 10) not compatible with provided weight shape (64, 100)",
        release=_KERAS_2,
    ),
    Template(
        "You are trying to load a weight file containing {got:n} layers into a model with {expected:n}",
        "weight-names",
        facts={"what": "layers"},
        seen="You are trying to load a weight file containing 21 layers into a model with 20 layers.",
        release=_KERAS_2,
    ),
    Template(
        "Layer count mismatch when loading weights from file. Model expected {expected:n} layers, found {got:n} "
        "saved layers",
        "weight-names",
        facts={"what": "layers"},
        example="import tempfile\np = tempfile.mkdtemp() + '/m.h5'\nkeras.Sequential([keras.Input((3,)), "
        "layers.Dense(10)]).save(p)\nkeras.Sequential([keras.Input((3,)), layers.Dense(10), "
        "layers.Dense(4)]).load_weights(p)",
    ),
    Template(
        "Example error message for object {_:text}built=True>:{_between:lines}Layer {layer:word} expected {expected:n} "
        "variables, but received {got:n} variables during loading. Expected: {missing:text}",
        "weight-names",
        facts={"what": "variables", "built": True},
        example="import tempfile\np = tempfile.mkdtemp() + '/m.weights.h5'\n"
        "class Tower(keras.Model):\n"
        "    def __init__(self, made): super().__init__(); self.inner = made\n"
        "    def call(self, x): return self.inner(x)\n"
        "def made(n):\n"
        "    tower = Tower(Tower(layers.Dense(n))); tower(np.zeros((2, 0 + 3))); return tower\n"
        "made(10).save_weights(p)\nmade(4).load_weights(p)",
    ),
    Template(
        "Layer {layer:word} expected {expected:n} variables, but received {got:n} variables during loading. "
        "Expected: {missing:text}",
        "weight-names",
        facts={"what": "variables"},
        example="layer = layers.Dense(4); layer.build((None, 3))\nlayer.load_own_variables({})",
    ),
    Template(
        "Layer {layer:word} expected {expected:n} variables, but received {got:n} variables during loading",
        "weight-names",
        facts={"what": "variables"},
        seen="Layer 'dense_2' expected 1 variables, but received 2 variables during loading.",
        release="Keras 3",
    ),
    Template(
        "Layer expects {expected:n} weight(s). Received {got:n} saved weight(s)",
        "weight-names",
        facts={"what": "weights"},
        seen="Weight count mismatch for layer #0 (named dense in the current model, dense in the save file). Layer "
        "expects 2 weight(s). Received 1 saved weight(s)",
        release="Keras 2.9 and later, on .h5 files",
    ),
    Template(
        "expects {expected:n} weight(s), but the saved weights have {got:n} element(s)",
        "weight-names",
        facts={"what": "weights"},
        seen='Layer #5 (named "fc" in the current model) was found to correspond to layer fc in the save file. '
        "However the new layer fc expects 2 weight(s), but the saved weights have 0 element(s).",
        release=_KERAS_2,
    ),
    Template(
        "expects {expected:n} weights, but the saved weights have {got:n} elements",
        "weight-names",
        facts={"what": "weights"},
        seen='Layer #5 (named "fc" in the current model) was found to correspond to layer fc in the save file. '
        "However the new layer fc expects 2 weights, but the saved weights have 1 elements.",
        release=_KERAS_2,
    ),
    Template(
        "You called `set_weights(weights)` on {_:layer|optimizer} {layer:word} with a weight list of length "
        "{got:n}, but the {__:layer|optimizer} was expecting {expected:n} weights",
        "weight-names",
        facts={"what": "weights"},
        example="layer = layers.Dense(4); layer.build((None, 3))\nlayer.set_weights([np.zeros((3, 4))])",
    ),
    Template(
        "You are loading weights into a model that has not yet been built",
        "weight-names",
        facts={"what": "unbuilt"},
        example="import tempfile\np = tempfile.mkdtemp() + '/w.weights.h5'\nkeras.Sequential([keras.Input((3,)), "
        "layers.Dense(10)]).save_weights(p)\nkeras.Sequential([layers.Dense(10)]).load_weights(p)",
    ),
    Template(
        "Unable to load weights saved in HDF5 format into a subclassed Model which has not created its variables yet",
        "weight-names",
        facts={"what": "unbuilt"},
        seen="Unable to load weights saved in HDF5 format into a subclassed Model which has not created its "
        "variables yet. Call the Model first, then load the weights.",
        release="tf.keras 2",
    ),
)

_WITHOUT_SIZES = (
    Template(
        "We could not automatically infer the shape of the Lambda's output",
        "only-dress",
        {"op": "Lambda"},
        example="layers.Lambda(lambda t: t + tf.zeros((2, 9)))(keras.Input((8,)))",
    ),
    Template(
        "Cannot unroll a RNN if the time dimension is undefined",
        "only-dress",
        {"op": "unroll"},
        seen="Cannot unroll a RNN if the time dimension is undefined.",
        release="all",
    ),
)

TEMPLATES: tuple[Template, ...] = (*_WEIGHTS, *_WITHOUT_SIZES)
