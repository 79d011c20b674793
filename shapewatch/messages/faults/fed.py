"""Causes that lie in what a model is fed, or in how its input was declared."""

from __future__ import annotations

from shapewatch.messages.faults.evidence import Cause

NOT_RESIZED = Cause(
    "the images are not brought to the size the model was built (or exported) for: {expected}",
    "Resize or crop them to {expected} (or cut tiles of that size), with the preprocessing that belongs to the "
    "model; or build, export or interpolate the model for {got}.",
    "Print the shape after preprocessing, and look up the model's input size in its configuration.",
    {"torch": "transform = T.Resize(({expected_code}))", "keras": "x = keras.ops.image.resize(x, ({expected_code}))"},
)
LEFT_OVER = Cause(
    "a size in the declaration (or in the network that makes what is fed) is mistyped or left over from another data "
    "set: {expected} against {got}",
    "Correct it, in the declaration or where the fed value is made.",
    "Compare both numbers with the data.",
)
OTHER_PREPARATION = Cause(
    "the samples are prepared otherwise than those the model was built for: padded or cut to another length (their own "
    "longest), another window, step, sampling rate or number of coefficients, the defaults of another model",
    "Prepare them with the options of training (`maxlen`, window, features), taken from the model's configuration.",
    "Compare the preprocessing of the training run with this one, option by option.",
    {"keras": "x = keras.utils.pad_sequences(x, maxlen={expected})"},
)
STATIC_EXPORT = Cause(
    "the model was exported with fixed sizes, and another size (image side, batch, sequence length, frequency bins) "
    "is fed than at export",
    "Feed {expected}, or export again with dynamic axes; some programs have an option for the model's size.",
    "Print the model's declared inputs.",
    {"onnxruntime": "print([(i.name, i.shape) for i in session.get_inputs()])"},
)
FIXED_BATCH = Cause(
    "the batch size is fixed in the declaration of the input: {expected} against {got}",
    "Declare the batch axis as None (dynamic), or feed batches of exactly {expected}.",
    "Look at the input's declaration.",
    {"tensorflow": "x = tf.placeholder(tf.float32, [None, 784])"},
)
EMPTY = Cause(
    "nothing is fed: the data are empty (or no array at all), because a file was not read, a filter, a split or a "
    "window left no rows, or a cell of a notebook was run twice or out of order",
    "See where the rows are lost: print the length after reading, and after each step.",
    "Print the shape of the data after each step.",
)
NOT_FED = Cause(
    "nothing is fed to this placeholder: it is missing from the `feed_dict`, another one of the same name was made "
    "(the graph was built twice), or something else that is run (a summary, a metric) needs it too",
    "Feed every placeholder that the fetched values depend on, and build the graph once.",
    "Print the placeholders of the graph: `[op.name for op in graph.get_operations() if op.type == 'Placeholder']`.",
)
NOT_RESHAPED = Cause(
    "the data have the right number of values in another shape: flat rows for images, or the other way round",
    "Reshape them before they are fed, or feed the tensor from before the model's own reshape (the placeholder "
    "itself, whose variable may have been overwritten).",
    "Print the shape of what is fed.",
    {"tensorflow": "x = x.reshape({wanted})", "keras": "x = x.reshape({wanted})", "torch": "x = x.reshape({wanted})"},
)
DECLARED_MORE = Cause(
    "a shape that is declared (of an Input layer, a first layer, a summary, a loader) has an axis too many: the batch, "
    "or a window of one step, is counted in it, where the shape of one sample is meant",
    "Give the shape of one sample, without the batch: `Input(shape=(3,))` for rows of three values, "
    "`summary(model, (3, 224, 224))`.",
    "Compare the declared shape with `x.shape[1:]`.",
)
OTHER_FEED = Cause(
    "another value is fed to this input than was meant: inputs in another order (or under other names), labels or "
    "features of another network in place of the data",
    "Feed each value to the input of its name, and follow the one that came back to where it is made.",
    "Print the name and shape of everything that is fed.",
)
OBJECTS = Cause(
    "the samples did not become one array: they are of different sizes or lengths (an array of objects), or a list of "
    "arrays, paths or empty entries is given",
    "Bring all samples to one size and stack them: `np.stack(images)`, `pad_sequences(texts)`.",
    "Print `x.dtype` and the shape of one entry.",
    {"keras": "x = np.stack([np.asarray(image.resize((224, 224))) for image in images])"},
)
OBSERVATION = Cause(
    "the environment gives more than the observation: from gym 0.26 on `reset()` returns a pair (observation, info) "
    "and `step()` five values, and code of an older release feeds the pair",
    "Take the first of the pair, or install the releases of agent and environment that belong together.",
    "Print what `env.reset()` returns.",
    {"keras": "observation, info = env.reset()"},
)
OTHER_ENVIRONMENT = Cause(
    "the environment gives other observations than the agent was trained with: another version, option, wrapper, asset "
    "or number of agents, or the observation was changed after training",
    "Run the agent in the environment it was saved with, or train it anew.",
    "Print `env.observation_space` and the one that the agent was saved with.",
)
ONE_HOT_FED = Cause(
    "labels are fed one-hot where class indices are declared, or the other way round",
    "Convert them, or declare the input as they come.",
    "Print a few labels.",
)
