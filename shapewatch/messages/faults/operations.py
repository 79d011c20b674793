"""Operations that are told of by a sentence of their own, which has few sizes in it: what mostly is behind it.

By the operation's name, as the templates give it; the likeliest first. Nothing in such a text singles one of them out.
"""

from __future__ import annotations

from collections.abc import Mapping

from shapewatch.messages.faults import causes
from shapewatch.messages.faults.evidence import Cause
from shapewatch.messages.faults.meeting import NO_KEEPDIM
from shapewatch.messages.faults.meeting.pictures import OTHER_PICTURES
from shapewatch.messages.faults.samples import LENGTHS, UNEQUAL_SAMPLES
from shapewatch.messages.faults.windows import FIXED_POOL

DISAGREE = Cause(
    "two settings that have to agree do not, or a setting and the data: sizes that are written down in two places",
    "Let both follow one setting.",
    "Print the shapes, and say where each of their numbers is set.",
)
NOTHING_COLLECTED = Cause(
    "nothing was found, loaded or kept, so that what comes is empty (files missing in the folder that is read, a "
    "filter, a loop that never ran, an image without objects)",
    "See why nothing was collected, and skip the line where there is nothing.",
    "Print the length of what was collected.",
)
GRID_LAYOUT = Cause(
    "the coordinates of the grid do not stand last: it is laid out like a map, (N, 2, H, W), and (N, H, W, 2) is taken",
    "Move the coordinates to the end.",
    "Print the grid's shape.",
    {"torch": "grid = grid.permute(0, 2, 3, 1)"},
)
GRID_OF_ONE = Cause(
    "the grid was made for another batch than the maps: once for all of them, or for the configured batch size",
    "Expand the grid over the batch that comes, or make it anew.",
    "Print both shapes.",
    {"torch": "grid = grid.expand(x.size(0), -1, -1, -1)"},
)
GRID_RANK = Cause(
    "images and volumes are mixed: maps with four axes take a grid of pairs, maps with five a grid of triples",
    "Give the map its batch (or depth) axis, and the grid as many coordinates as there are axes of space.",
    "Print both shapes.",
)
NOT_SQUARE = Cause(
    "the matrix is not square: another axis is taken for its rows, a row or column too many is left in it, or there "
    "are not as many equations as unknowns",
    "Bring the matrix to its two last axes, or solve it by least squares (`lstsq`, `pinv`).",
    "Print its shape.",
)
BLOCKS = Cause(
    "the settings of fold and unfold do not belong together (output size, kernel, stride, padding), or rows of another "
    "image size are folded: the number of columns follows from them",
    "Use the same kernel, stride, dilation and padding as in `unfold`, and the height and width of the map that was "
    "unfolded.",
    "Count the blocks: (size + 2 x padding - dilation x (kernel - 1) - 1) // stride + 1 along each axis.",
)
PAIRS = Cause(
    "the padding has another number of values than the axes that are padded: a pair (before, after) for each, the last "
    "axis first; reflection and replication need a pair for every axis of space, and a batch in front",
    "Give a pair for each axis that is padded, and the axes that the mode asks for.",
    "Print the padding and the value's shape.",
)
PAD_OF_POOL = Cause(
    "the pooling's padding was left from another kernel: it may be half of the kernel at most",
    "Choose padding no larger than kernel_size // 2.",
)
SETTINGS_OF_AXES = Cause(
    "a setting has another number of values than the layer has axes of space: the layer is of the class for another "
    "rank (1d, 2d, 3d), or the value is given for each axis of the tensor",
    "Give one number, or one for each axis of space.",
    "Compare the layer's class with the setting.",
)
EMPTY_SEQUENCE = Cause(
    "a sample is empty: a text without tokens, a clip without frames",
    "Leave empty samples out, or give them one padding token.",
    "Print the smallest length of each batch.",
)
TOO_FEW_STEPS = Cause(
    "the network's output has fewer steps than the target needs (one for each label, and one more between two equal "
    "ones): strides and poolings shorten the time axis, or a clip is too short for its text",
    "Leave out (or pad) samples with long labels, or downsample the time axis less.",
    "Compare the steps of the output with the longest label.",
)
BLANK_TAKEN = Cause(
    "a label is as large as the blank, which is the last class, or labels are padded with it: the output needs one "
    "class more than there are characters",
    "Give the output a class for the blank, and keep it out of the labels.",
    "Compare the largest label with the number of classes.",
)
SHORTENED = Cause(
    "the lengths are those of the input, and the network makes the time axis shorter (strides, poolings, a front end)",
    "Compute the lengths from the output: divide them by the network's total stride.",
    "Print the output's shape and the largest length.",
    {"torch": "input_lengths = torch.full((batch,), log_probs.size(0), dtype=torch.long)"},
)
TIME_NOT_FIRST = Cause(
    "the axes of the scores are in another order than the loss takes: (time, batch, classes)",
    "Transpose them.",
    "Print the shape of the scores.",
    {"torch": "log_probs = log_probs.transpose(0, 1)"},
)
SHARES = Cause(
    "the parts of the split do not add up to the data: fractions were rounded, or the numbers are of another data set",
    "Give the last part what is left: `len(data) - sum(the others)`.",
    "Print the length of the data and the sum.",
)
NO_OBJECTS = Cause(
    "an image has no object, or its boxes came as a flat list: boxes have the shape (objects, 4), and (0, 4) where "
    "there are none",
    "Reshape them: `boxes.reshape(-1, 4)`, or leave images without objects out.",
    "Print the shape of the boxes of each sample.",
    {"torch": "boxes = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)"},
)
BELOW_ZERO = Cause(
    "a size is computed by taking one from another and comes out negative: the input is smaller (or the maximum "
    "larger) than the line counts on",
    "Bound it from below (`max(0, size)`), and see which input is as small.",
    "Print the sizes it is computed from.",
)
CLASS_CALLED = Cause(
    "a loss (or layer) class is given the tensors in place of its settings: it has to be made first, then called",
    "Make it, then call it: `criterion = nn.CrossEntropyLoss()`, `loss = criterion(output, target)`.",
    "Look for a class name with tensors in its parentheses.",
    {"torch": "loss = nn.CrossEntropyLoss()(output, target)    # not nn.CrossEntropyLoss(output, target)"},
)
MANY_IN_ONE = Cause(
    "a tensor of several values stands where one truth is asked for (`if`, `and`, `in`, `==` between tensors)",
    "Say what is meant: `.any()`, `.all()`, `torch.equal(a, b)`, or pick one value.",
    "Print the tensor's shape.",
)
UNKNOWN_OUTPUT = Cause(
    "the shape of a Lambda's output does not follow from its function",
    "Give it (`output_shape=`), or write a layer with `compute_output_shape`.",
)
FIXED_STEPS = Cause(
    "an unrolled recurrent layer needs a fixed number of steps, and the input leaves it open",
    "Give the number of steps in the input's shape, or leave `unroll` out.",
)
LOOP_SHAPE = Cause(
    "a value of a loop changes its shape from step to step, and the loop was made for one shape",
    "Keep the shape (pad, or write into a buffer), or loosen it with `shape_invariants`.",
    "Print the value's shape before the loop and after one step.",
)
EMPTY_BATCH = Cause(
    "an empty batch, or a map with a side of 0, reaches the layer",
    "Leave empty batches out; see which slice or filter makes them.",
    "Print the shape that enters.",
)
AT_LEAST_ONE = Cause(
    "the axis that is squeezed holds more than one entry: a batch where one sample is expected, several outputs",
    "Squeeze an axis of 1 only, or pick an entry.",
    "Print the shape.",
)
PARTS_OF_HEADS = Cause(
    "keys and values that are given from outside are laid out otherwise than (batch x heads, length, head size)",
    "Fold the heads into the batch, with the head size last.",
    "Print their shapes.",
)
VARIANCE = Cause(
    "the variance has neither the output's shape nor the output's without its last axis",
    "Give one variance for each output, or one for each sample.",
    "Print both shapes.",
)

_WINDOWS_OF_ONEDNN = (causes.TOO_SMALL, EMPTY_BATCH, causes.CHANNELS_LAST, causes.OTHER_RELEASE)
_EMPTY = (NOTHING_COLLECTED, causes.NOTHING_LEFT)

USUAL: Mapping[str, tuple[Cause, ...]] = {
    "grid_sample": (GRID_LAYOUT, GRID_OF_ONE, GRID_RANK),
    "affine_grid": (DISAGREE, GRID_RANK, causes.LOST_AXIS),
    "parametrization": (DISAGREE, causes.SWAPPED, causes.LOST_AXIS),
    "cat": _EMPTY,
    "stack": _EMPTY,
    "hstack": _EMPTY,
    "vstack": _EMPTY,
    "dstack": _EMPTY,
    "linalg": (NOT_SQUARE, causes.SWAPPED, causes.LOST_AXIS),
    "MatrixSolve": (NOT_SQUARE, causes.SWAPPED, causes.LOST_AXIS),
    "MatrixInverse": (NOT_SQUARE, causes.SWAPPED, causes.EXTRA_AXIS),
    "linalg.cross": (causes.SWAPPED, DISAGREE, NO_KEEPDIM),
    "attention": (PARTS_OF_HEADS, causes.OTHER_BATCH, causes.SWAPPED),
    "fold": (BLOCKS, causes.OTHER_RESOLUTION, causes.SWAPPED),
    "adaptive pooling": (causes.TOO_SMALL, EMPTY_BATCH, causes.CHANNELS_LAST),
    "adaptive_avg_pool1d": (SETTINGS_OF_AXES,),
    "adaptive_avg_pool2d": (SETTINGS_OF_AXES,),
    "adaptive_avg_pool3d": (SETTINGS_OF_AXES,),
    "adaptive_max_pool2d": (SETTINGS_OF_AXES,),
    "adaptive_max_pool3d": (SETTINGS_OF_AXES,),
    "pad": (PAIRS, BELOW_ZERO, causes.MISSING_BATCH),
    "pool": (PAD_OF_POOL, FIXED_POOL),
    "conv_transpose": (SETTINGS_OF_AXES, causes.MISSING_BATCH, DISAGREE),
    "conv": (SETTINGS_OF_AXES, causes.EXTRA_AXIS, causes.MISSING_BATCH),
    "convolution": _WINDOWS_OF_ONEDNN,
    "pooling": _WINDOWS_OF_ONEDNN,
    "embedding": (DISAGREE, causes.SWAPPED),
    "pack_padded_sequence": (EMPTY_SEQUENCE, LENGTHS),
    "recurrent": (EMPTY_SEQUENCE, causes.NOTHING_LEFT, causes.SWAPPED),
    "gaussian_nll_loss": (VARIANCE, causes.TRAILING_ONE, causes.LOST_AXIS),
    "ctc_loss (steps)": (TOO_FEW_STEPS, SHORTENED, causes.OTHER_LENGTH),
    "ctc_loss (labels)": (BLANK_TAKEN, DISAGREE, causes.OTHER_LENGTH),
    "ctc_loss": (SHORTENED, TIME_NOT_FIRST, causes.LAST_BATCH),
    "searchsorted": (causes.LOST_AXIS, causes.MISSING_BATCH, causes.SWAPPED),
    "random_split": (SHARES, DISAGREE),
    "detection": (NO_OBJECTS, causes.LOST_AXIS, causes.EXTRA_AXIS),
    "as_strided": (causes.OTHER_RELEASE, DISAGREE, BELOW_ZERO),
    "zeros": (BELOW_ZERO, DISAGREE, causes.TOO_SMALL),
    "narrow": (BELOW_ZERO, causes.OTHER_LENGTH, DISAGREE),
    "stft": (DISAGREE, causes.OTHER_RELEASE, causes.EXTRA_AXIS),
    "if": (CLASS_CALLED, MANY_IN_ONE, causes.EXTRA_AXIS),
    "Slice": (causes.OTHER_LENGTH, BELOW_ZERO, DISAGREE),
    "StridedSlice": (causes.OTHER_LENGTH, BELOW_ZERO, DISAGREE),
    "Lambda": (UNKNOWN_OUTPUT, causes.OTHER_RELEASE),
    "unroll": (FIXED_STEPS,),
    "while_loop": (LOOP_SHAPE, causes.OTHER_BATCH, causes.LOST_AXIS),
    "scan": (LOOP_SHAPE, causes.LOST_AXIS, causes.OTHER_BATCH),
    "broadcast": (causes.LOST_AXIS, causes.SWAPPED, DISAGREE),
    "dot": (causes.SWAPPED, DISAGREE, causes.NOT_FLATTENED),
    "MatMul": (causes.OTHER_INPUT_SIZE, DISAGREE, causes.SWAPPED),
    "reshape": (causes.OTHER_INPUT_SIZE, causes.LAST_BATCH, causes.GREY),
    "transpose": (causes.LOST_AXIS, causes.MISSING_BATCH, causes.GREY),
    "indexing": (causes.LOST_AXIS, causes.GREY, causes.MISSING_BATCH),
    "concatenate": (DISAGREE, UNEQUAL_SAMPLES, causes.OTHER_COLUMNS),
    "squeeze": (AT_LEAST_ONE, causes.OTHER_BATCH, causes.OTHER_RELEASE),
    "opencv": (OTHER_PICTURES, causes.GREY, causes.ALPHA),
    "images": (OTHER_PICTURES, causes.CHANNELS_LAST, causes.SWAPPED),
    "an image from an array": (causes.CHANNELS_LAST, causes.EXTRA_AXIS, causes.OTHER_VALUE),
    "slice": (causes.OTHER_LENGTH, DISAGREE, causes.LAST_BATCH),
}
