"""The causes that more than one fault can have. Which of them is suspected, and why, the faults decide."""

from __future__ import annotations

from shapewatch.messages.faults.evidence import Cause

# Height and width

ODD_SIZE = Cause(
    "the input's height or width is not a multiple of the network's total stride: a size that is odd somewhere is "
    "halved with rounding and doubled again, and comes back one off",
    "Pad, crop or resize the input so that both sides are multiples of the total stride (16 or 32 mostly, 64 or 128 "
    "for deep pyramids), or bring the one map to the other's size before they meet.",
    "Print both shapes just before this line, and the input's height and width.",
    {
        "torch": 'up = F.interpolate(up, size=skip.shape[2:], mode="nearest")',
        "keras": "up = layers.Resizing(skip.shape[1], skip.shape[2])(up)",
        "tensorflow": "up = tf.image.resize(up, tf.shape(skip)[1:3])",
    },
)
NO_PADDING = Cause(
    "convolutions without padding trim the borders on one branch, and nothing trims them on the other",
    'Give those convolutions padding that keeps the size (`padding="same"`, or kernel_size // 2), or crop the '
    "larger map "
    "at its centre before they meet, as the original U-Net does.",
)
OTHER_STRIDE = Cause(
    "one branch is downsampled more often than the other: a stride, a pooling or an upsampling is missing on one of "
    "them, or the skip is taken from another level",
    "Give both branches the same total stride between their fork and this line: a strided 1x1 projection on the "
    "skip, one more (or one less) upsampling, or the skip of the right level.",
    "Print both shapes, and compare the strides from the fork on.",
)
CROPPED = Cause(
    "a crop, a padding or a slice on one branch does not take off what the two differ by: the same number of rows at "
    "both ends where the difference is odd (`(kernel - stride) // 2` of a transposed convolution, say), or a line "
    "(Cropping2D, ZeroPadding, `F.pad`) that was put there for another input size",
    "Take the difference from the two shapes, `d // 2` at one end and `d - d // 2` at the other (`output_padding` of a "
    "transposed convolution), or leave that line out.",
    "Print both shapes before and after the crop or padding.",
    {"torch": "d = up.size(2) - skip.size(2)\nup = up[:, :, d // 2 : d // 2 + skip.size(2)]"},
)
OTHER_RESOLUTION = Cause(
    "one of the two was made once for another input size (position embedding, mask, anchor grid, window bias or prior, "
    "a side that is written down) and does not follow the input that came now",
    "Feed the size that the model was built for, or build the model for this size; a stored position embedding can be "
    "interpolated to the new grid.",
    "Look which of the two comes from a parameter or a buffer, and compare the image size with the configured one.",
)
TOO_SMALL = Cause(
    "the input is too small for the network's depth: strides and poolings have shrunk the map to nothing before "
    "this layer",
    "Feed larger inputs (the size that the network was designed for), or drop a pooling or a stride, or use a smaller "
    'kernel or `padding="same"` here.',
    "Print the shape after each stage, and compare the input size with the one in the paper or the configuration.",
)

# Channels

GREY = Cause(
    "the images have one channel (greyscale, or a mask), where three (RGB) are expected",
    "Convert when loading (`Image.open(path).convert('RGB')`), repeat the channel three times, or build the first "
    "layer for one channel.",
    "Print the batch's shape just after it is loaded.",
    {
        "torch": "x = x.expand(-1, 3, -1, -1)    # (N, 1, H, W) to (N, 3, H, W)",
        "keras": "x = ops.repeat(x, 3, axis=-1)    # (N, H, W, 1) to (N, H, W, 3)",
        "tensorflow": "x = tf.image.grayscale_to_rgb(x)",
    },
)
COLOUR = Cause(
    "the images have three channels (RGB), where one (greyscale) is expected",
    "Load them as greyscale (`Image.open(path).convert('L')`), or build the first layer for three channels.",
    "Print the batch's shape just after it is loaded.",
)
ALPHA = Cause(
    "the images carry an alpha channel (RGBA, or LA for grey ones), as PNG files often do",
    "Drop it when loading: `Image.open(path).convert('RGB')`, or keep the first channels only.",
    "Print the mode and shape of the image that is loaded.",
    {"torch": "x = x[:, :3]", "keras": "x = x[..., :3]", "tensorflow": "x = x[..., :3]"},
)
STACKED_INPUT = Cause(
    "several images or frames are stacked on the channel axis, or one of a set is missing: {a} against {b} channels",
    "Bring the number of stacked inputs (frames, image pairs, mask beside image, spectral bands) in line with the "
    "number of channels that the first layer was built for.",
    "Compare the data pipeline's number of channels with the model's `in_channels` setting.",
)
NO_PROJECTION = Cause(
    "the two branches have different numbers of channels, and no projection brings one to the other's",
    "Add a 1x1 convolution on one branch (with the stride, where the sizes differ as well), or give both the same "
    "number of channels in the configuration.",
    "Print both shapes, and compare the numbers of filters on the way from the fork.",
    {
        "torch": "self.project = nn.Conv2d({b}, {a}, kernel_size=1)",
        "keras": "skip = layers.Conv2D({a}, 1)(skip)",
        "tensorflow": "skip = tf.keras.layers.Conv2D({a}, 1)(skip)",
    },
)
BRANCH_LOST = Cause(
    "a branch is missing or is another one than planned where features are joined before this layer: a skip that is "
    "switched off, the features of another level, a concatenation too few or too many",
    "Make the layer's number of inputs the sum of what is concatenated, or restore the missing branch (skip "
    "connections, encoder levels and their order in the configuration).",
    "Print the shape of every tensor that is joined before this layer.",
)

# Layout

CHANNELS_LAST = Cause(
    "the axes are in another layout than the layer expects: channels-last data (N, H, W, C) for a channels-first layer "
    "(N, C, H, W), or the other way round",
    "Move the channel axis, or set the data format (`data_format`, `image_data_format`, the concatenation axis) alike "
    "everywhere.",
    "Print the shape that enters the network, and say what each axis is.",
    {
        "torch": "x = x.permute(0, 3, 1, 2)    # (N, H, W, C) to (N, C, H, W)",
        "keras": "x = layers.Permute((2, 3, 1))(x)    # (N, C, H, W) to (N, H, W, C)",
        "tensorflow": "x = tf.transpose(x, [0, 2, 3, 1])    # (N, C, H, W) to (N, H, W, C)",
    },
)
SWAPPED = Cause(
    "two axes are swapped: one of the two stands transposed (batch and time, features and tokens, height and width, "
    "channels and samples of sound)",
    "Transpose the one that is in the wrong order, or set the convention (`batch_first`, the layout of the layer) "
    "that the data follows.",
    "Print both shapes, and say what each axis is.",
    {"torch": "x = x.transpose(1, 2)"},
)
MISSING_BATCH = Cause(
    "the batch axis is missing: one sample is given where a batch is expected",
    "Add an axis of 1 in front.",
    "Print the shape that enters the model.",
    {"torch": "x = x.unsqueeze(0)", "keras": "x = np.expand_dims(x, 0)", "tensorflow": "x = tf.expand_dims(x, 0)"},
)
MISSING_CHANNELS = Cause(
    "the channel axis is missing: greyscale images (or volumes, sounds) come as (H, W), or (N, H, W)",
    "Add an axis of 1 for the channel, where the layer expects it.",
    "Print the shape of a batch after loading.",
    {"torch": "x = x.unsqueeze(1)", "keras": "x = np.expand_dims(x, -1)", "tensorflow": "x = tf.expand_dims(x, -1)"},
)
LOST_AXIS = Cause(
    "an axis was lost on the way: a `squeeze()` that also takes a batch of one, a reduction without `keepdim`, or an "
    "index in place of a slice",
    "Name the axis that is squeezed (`squeeze(1)`), keep reduced axes (`keepdim=True`), or slice (`x[:, :1]`).",
    "Print the shapes on the way here, also for a batch of one.",
)
EXTRA_AXIS = Cause(
    "there is an axis too many (time, frames, patches, crops, a batch added twice, an `unsqueeze` where the axis was "
    "there already) that was not folded into the batch or taken off",
    "Fold the extra axis into the batch before this layer and unfold it after it, or drop it where it is 1.",
    "Print the shape that comes in, and say what each axis is.",
    {"torch": "x = x.flatten(0, 1)    # (N, T, ...) to (N * T, ...)"},
)

# Batches

LAST_BATCH = Cause(
    "the batch is smaller or larger than the code takes for granted: the last batch of an epoch is not full, or the "
    "configured batch size was written into a shape, a hidden state or a buffer",
    "Take the batch size from the data (`x.shape[0]`) wherever it is written down, or drop the last batch.",
    "Compare the size that comes with the configured batch size, and see whether it fails in the last step of an "
    "epoch.",
    {
        "torch": "loader = DataLoader(dataset, batch_size=batch_size, drop_last=True)",
        "tensorflow": "dataset = dataset.batch(batch_size, drop_remainder=True)",
        "keras": "dataset = dataset.batch(batch_size, drop_remainder=True)",
    },
)
OTHER_BATCH = Cause(
    "a value made for another batch is used again: a cached residual, a state or a mask from another pass, another "
    "number of samples per prompt, or guidance (two views, pairs) that doubles the batch",
    "Make it anew for each batch, or select or repeat its rows for the batch that came.",
    "Look which of the two is kept from an earlier step.",
)
SEVERAL_EACH = Cause(
    "one of the two has several entries for each sample (stacked observations, frames of a pair or clip, views, crops, "
    "steps that were folded into the batch, inputs that were joined along it) and the other has one",
    "Choose the entry that is compared, or give both as many; join several inputs along their features.",
    "Divide the larger first axis by the batch size, and look which setting has that number.",
)
SPLIT_BATCH = Cause(
    "the batch is split among several devices (DataParallel, tensor or sequence parallel) and one of the two was "
    "not split with it, or along another axis (DataParallel cuts axis 0, where a state has its layers and a sequence "
    "may have its steps)",
    "Try one device. Then pass everything that has a batch axis as a tensor argument of `forward`, and make the batch "
    "divisible by the number of devices.",
    "Compare the sizes with the number of devices.",
)
BATCH_IN_VIEW = Cause(
    "rows of the batch are moved into another axis by a view with a fixed size before this layer",
    "Take the batch size from the tensor in that view, and let the last axis keep its meaning.",
    "Look for `view` and `reshape` with a number in them before this line.",
)

# Channels of sound, what is flat, and what is empty

STEREO = Cause(
    "the sound is mono (one channel) where stereo (two) is expected, or the other way round",
    "Bring all recordings to one: mix down to one channel, or repeat it (`ffmpeg -ac 2`), when loading; or build the "
    "first layer for what comes.",
    "Print the shape of each recording after loading.",
    {
        "torch": "wave = wave.mean(-2, keepdim=True)    # (..., 2, T) to (..., 1, T); wave.expand(2, -1) for two",
        "tensorflow": "wave = wave.mean(axis=-1)    # (T, 2) to (T,)",
    },
)
ONE_FLATTENED = Cause(
    "one of the two was flattened (or has another axis folded into it) and the other still has its axes: predictions "
    "of a grid against all its places in a row, a mask against the tensor it chooses from, labels against the output, "
    "a factor of weights against flat values",
    "Flatten both alike, or give the flat one the other's shape.",
    "Print both shapes, and multiply the axes of the one that is not flat.",
    {"torch": "flat = x.reshape(-1)    # or values[mask.reshape(values.shape)], w.reshape(w.size(0), -1)"},
)
NOTHING_LEFT = Cause(
    "a value is empty: a slice (beyond the end of what it cuts), a filter or a mask before it left nothing",
    "See which line makes it, and leave out (or pad) what is empty.",
    "Print its shape after each step.",
)

# Widths

OTHER_INPUT_SIZE = Cause(
    "a width (or shape) was written down for another input size (image side, sequence length, window): the features of "
    "the input that came, once flattened, are more or fewer",
    "Feed the size the model was built for, take the width from the data (a lazy layer, or the printed shape), or "
    "pool to a fixed size before flattening.",
    "Print the shape just before it is flattened.",
    {
        "torch": "self.fc = nn.LazyLinear(out_features)    # takes its width from the first input",
        "keras": "x = layers.GlobalAveragePooling2D()(x)    # of maps, in place of Flatten",
    },
)
NOT_FLATTENED = Cause(
    "the features are not flattened before the dense layer, so only their last axis is multiplied",
    "Flatten all axes but the batch first.",
    "Print the shape just before this layer.",
    {"torch": "x = x.flatten(1)", "keras": "x = layers.Flatten()(x)", "tensorflow": "x = tf.reshape(x, [len(x), -1])"},
)
OTHER_ENCODER = Cause(
    "the features come from another encoder, backbone or base model than the layer was built for (a text or image "
    "encoder, checkpoint, adapter, LoRA or ControlNet of another family or variant)",
    "Use the parts that belong together ({expected} features are expected), or set the layer's width to {got}.",
    "Compare the names of the models that were loaded, and the last axis of the encoder's output.",
)
OTHER_SETTING = Cause(
    "a setting does not belong to the data, the weights or another setting: a size that is fixed in the code, two that "
    "have to be equal (hidden and output width, encoder and decoder), or an option that was left out or stands as for "
    "another data set or variant (number of features, observations, classes, heads, frames or layers, kernel size, "
    "sequence length)",
    "Make both follow one setting: {expected} on the one side, {got} on the other; run with the options that the "
    "project gives for these data and weights.",
    "Search the code and the configuration for {expected}, and find where {got} comes from; compare the options with "
    "those of training.",
)
OTHER_VALUE = Cause(
    "another value than was meant arrives here: the output of another layer or model (an image for features), another "
    "file or entry, an attribute or variable of the same name, arguments or returned values in another order",
    "Follow the value back to where it comes from, and pass the one that was meant.",
    "Print the shape of every argument of this call, and compare them with what it documents.",
)
OTHER_COLUMNS = Cause(
    "the data have another number of columns than at training: preprocessing dropped or added a few (an index, a "
    "label, a constant column, another one-hot encoding)",
    "Apply the preprocessing that was fitted at training to these data too, and drop what is no feature.",
    "Compare the columns of both tables.",
)
BOTH_DIRECTIONS = Cause(
    "the width doubled or halved: a bidirectional layer, a concatenation, a split in two, or a gate gives twice or "
    "half of what is expected",
    "Count the concatenated parts or directions in the layer's input width.",
    "Print the shape of each part before they are joined.",
)
TRANSPOSED_OPERAND = Cause(
    "one operand is transposed: with its axes the other way round the product fits",
    "Transpose it before the product, or swap the operands.",
    "Print both shapes, and say what each axis is.",
    {"torch": "y = x @ w.T", "tensorflow": "y = tf.matmul(x, w, transpose_b=True)", "numpy": "y = x @ w.T"},
)

# Sequences

OTHER_LENGTH = Cause(
    "two lengths of one sequence (tokens, steps, frames) do not agree: what there is against mask, positions, labels, "
    "cached keys, placeholders or the number that is asked for (a window of more frames than the clip has), where one "
    "was cut, padded or extended and the other was not, or is limited to a maximum (a table of positions)",
    "Cut and pad them together, with one maximum length, and rebuild mask and positions from the tokens that remain.",
    "Print the lengths of tokens, mask, positions and cache side by side, and compare them with the maximum length.",
)
TOO_LONG = Cause(
    "the sequence is longer than the model's table of positions or than the length the model was set up for",
    "Truncate to the model's maximum, or raise it (`max_length`, `max_position_embeddings`, `word_len`) with the "
    "model.",
    "Compare the tokenised length with the configured maximum.",
)
CACHE = Cause(
    "keys of earlier steps (a key/value cache) make the length larger than the mask or the positions were made for; "
    "often the library and the model's code are of different releases",
    "Make the mask for past and present tokens, or use the releases that belong together; `use_cache=False` shows "
    "whether it is that.",
)
OTHER_SPECTRUM = Cause(
    "the sound is prepared as another spectrogram than is taken: mel bands in place of the linear bins (half the "
    "window and one), another number of bands (80, 100 or 128, as variants of one model have it), or another window",
    "Prepare it with the settings of the model (`n_mels`, `n_fft`, the feature extractor of this very variant), or "
    "take the step between mel and linear that is left out.",
    "Print the shape of the spectrogram, and compare the settings with those of training.",
)
PROMPT_CHUNKS = Cause(
    "the prompts (positive and negative, or those of one batch) are of different lengths: CLIP's text encoders take 77 "
    "tokens at a time, and a longer prompt is encoded in two parts or three",
    "Pad the shorter prompt to as many parts (77, 154, 231 tokens), or cut the longer one.",
    "Print the shapes of both prompts' embeddings.",
)
LAST_STEP_ONLY = Cause(
    "a recurrent layer before this one returns its last step only (`return_sequences=False`), where the whole sequence "
    "is needed: by another recurrent layer behind it, or for labels of each step",
    "Let every recurrent layer but the last return its sequence, and the last one too where each step has a label.",
    "Print the shape that the layer before gives.",
    {"keras": "x = layers.LSTM(64, return_sequences=True)(x)"},
)
CLASS_TOKEN = Cause(
    "one of the two counts a class token (or another special token) and the other does not",
    "Add the token before the position embedding is added, or cut it off both.",
    "Compare both lengths with the number of patches.",
)

KEY_HEADS = Cause(
    "keys and values have fewer heads than queries (grouped-query attention), or each device holds a share of the "
    "heads, and the line counts with all of them: code or a patch that was written for another variant or release of "
    "the model",
    "Count with the number of key/value heads (divided by the devices), or use the code that belongs to the model.",
    "Compare `num_attention_heads` with `num_key_value_heads`, and both with the width of the projection.",
    {"torch": "keys = keys.view(batch, length, num_key_value_heads, head_size)"},
)

# Versions

OTHER_RELEASE = Cause(
    "code, libraries and weights are of releases that do not belong together: what is accepted, broadcast or shaped so "
    "in one is refused in the other, or a fault of this release is mended in a later one",
    "Install the releases that the project names (mostly its requirements file), or the latest of all of them.",
    "Compare the installed versions with the project's requirements, and look through its issues.",
)
COMPILED = Cause(
    "the compiler's (tracer's, exporter's) version of the operation disagrees with the eager one: a decomposition, or "
    "a size that it took for constant or cannot tell to be another's",
    "Run it without compiling: if that works, leave this function uncompiled, or export by the older way "
    "(`torch.onnx.export(..., dynamo=False)`; from PyTorch 2.9 on the new exporter is the default).",
    "Run the same input eagerly.",
    {"torch": "@torch.compiler.disable"},
)

# Labels

TRAILING_ONE = Cause(
    "one of the two has a trailing axis of 1 and the other has not: the model gives (N, 1), the labels are (N,)",
    "Give the labels the axis (`unsqueeze(1)`), or take it off the output (`squeeze(1)`).",
    "Print the shapes of output and target.",
    {
        "torch": "loss = criterion(output, target.unsqueeze(1).float())",
        "keras": "y = np.expand_dims(y, -1)",
        "tensorflow": "y = tf.expand_dims(y, -1)",
    },
)
CLASS_COUNT = Cause(
    "the number of classes of the data and of the model differ: {target} in the target against {output} in the output",
    "Give the last layer as many outputs as there are classes (count background or void as one or not, but alike), "
    "or fix the labels.",
    "Compare the class list of the data with the number of classes in the configuration.",
)
FROM_ONE = Cause(
    "the labels are counted from 1 and the loss counts from 0, or 1 was subtracted from labels that begin at 0",
    "Subtract 1 from labels that begin at 1, and from no others.",
    "Print the smallest and the largest label.",
    {"torch": "loss = criterion(output, target - 1)"},
)
ONE_HOT = Cause(
    "one-hot labels are given to a loss that takes class indices, or indices to one that takes one-hot vectors",
    "Use the loss that fits the labels (categorical for one-hot, sparse categorical for indices), or turn the "
    "labels into the other form.",
    "Print a few labels.",
    {
        "torch": "loss = F.cross_entropy(output, target.argmax(dim=1))",
        "keras": 'model.compile(loss="categorical_crossentropy")    # one-hot; indices: "sparse_categorical_..."',
        "tensorflow": "loss = tf.keras.losses.categorical_crossentropy(y, output)    # one-hot; sparse_...: indices",
    },
)
MASK_CHANNELS = Cause(
    "the label masks are images with colour channels instead of one class index per pixel",
    "Load the mask as one channel, and map its colours to class indices.",
    "Print the shape and the distinct values of a mask.",
    {"torch": "target = target[..., 0].long()    # (N, H, W), if all channels are alike"},
)
NOT_POOLED = Cause(
    "the model's output still has axes of the map or of time (height, width, time), where one prediction per sample is "
    "expected: a flatten, a pooling or the choice of the last step is missing",
    "Flatten or pool before the last layer, or return the last step only.",
    "Print the model's output shape.",
    {
        "keras": "x = layers.GlobalAveragePooling2D()(x)    # before the last Dense; return_sequences=False in an LSTM",
        "torch": "x = x.mean(dim=(2, 3))    # before the last linear layer",
    },
)
