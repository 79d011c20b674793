"""Saved weights that do not fit the model: their shapes, or their names and number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shapewatch.messages.faults import causes, checkpoints, facts, sizes, vocabularies
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.wording import listed, plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

OTHER_CLASSES = Cause(
    "the checkpoint's head is for another number of classes ({checkpoint}) than the model's ({model}): the list of "
    "classes (labels, words, symbols) that the model is built from is not the one of training",
    "Build the model with {checkpoint} classes and replace its head after loading, or leave the head's weights out.",
    "Compare the number of classes of both.",
    {
        "torch": "weights = {{k: v for k, v in weights.items() if v.shape == model.state_dict()[k].shape}}\n"
        "model.load_state_dict(weights, strict=False)",
        "keras": "model.load_weights(path, skip_mismatch=True)    # or by_name=True in older releases",
    },
)
OTHER_VARIANT = Cause(
    "the checkpoint is of another variant of the architecture (another size, depth, width or number of channels, or "
    "pruned) than the configuration builds",
    "Build the variant that the checkpoint is of, or load the checkpoint of this one.",
    "Compare the configuration that the checkpoint was trained with, and its file name.",
)
OTHER_VERSION = Cause(
    "code, libraries and weights are of different releases: the architecture changed between them, or the installed "
    "framework builds or reads the layers otherwise than the one that saved them",
    "Use the weights of this release, or the releases of the code and the framework that they were made with.",
    "Compare the dates and versions of both.",
)
OTHER_FILE = Cause(
    "another file is loaded than was meant: files of the model are missing or not wholly downloaded, stand in another "
    "folder, or one of another part (encoder, adapter, base model) is named in the settings",
    "Download all files anew, and check the path of each against the project's description.",
    "Print the path of the file that is loaded, its size and its first names.",
)
OTHER_WIDTH = Cause(
    "the weights were made for inputs of another width: {expected} features at initialisation (or training), {got} now",
    "Initialise the model with an input of the shape that it is applied to, or bring the input to {expected} features.",
    "Print the shape of the input at initialisation and now.",
)
OTHER_INPUT = Cause(
    "the first layer was trained for another number of input channels ({checkpoint} against {model})",
    "Build the model for {checkpoint} input channels, or adapt the first weight (sum or repeat its channels).",
    "Compare the first layer of both.",
)
OTHER_TABLE = Cause(
    "a table that is made for one size (positions, relative positions, a mask, grid, anchors, noise) was made at "
    "another resolution, window or length",
    "Build the model for the size it was trained at, interpolate the position embedding when loading, or leave out "
    "what is computed anew for each size.",
    "Compare the image size (window, maximum length) of training with the configured one.",
)
FILTERS_LAYOUT = Cause(
    "the weights are stored in another axis order: another framework or backend, or another layout of the image axes",
    "Permute the axes when converting (PyTorch: outputs, inputs, height, width; Keras: height, width, inputs, "
    "outputs).",
    "Compare both shapes axis by axis.",
)
UNBUILT = Cause(
    "the model is not built yet, or was built from other inputs, so it has no (or other) weights when they are loaded",
    "Call it once on an input (or `build` it) before loading; load a whole saved model where there is one.",
    "Print `len(model.weights)` before loading.",
    {"keras": "model.build((None, 28, 28, 1))    # or model(x) once, before model.load_weights(path)"},
)
WRAPPED = Cause(
    "the names have another prefix: the checkpoint was saved from a wrapped model (`module.` of DataParallel, "
    "`_orig_mod.` of torch.compile, `model.` of a training class), or is to be loaded into one",
    "Take the prefix off (or add it) before loading, or load into the inner model.",
    "Print the first names of both.",
    {"torch": 'weights = {k.removeprefix("module."): v for k, v in weights.items()}'},
)
NESTED = Cause(
    "the weights stand one level deeper in the file (`state_dict`, `model`, `ema`, `params`), so that the whole file "
    "is loaded",
    'Take the entry that holds them: `checkpoint["state_dict"]`.',
    "Print the keys of the file.",
    {"torch": 'model.load_state_dict(checkpoint["state_dict"])'},
)
NO_TOP = Cause(
    "the file has other layers than the model: with or without the top (head), or layers were added to one of them; "
    "loading by position needs the same layers",
    "Load by name, or load into the base model before the layers are added.",
    "Print the layers of both.",
    {"keras": "model.load_weights(path, by_name=True, skip_mismatch=True)"},
)
AS_ONE_LAYER = Cause(
    "one of the two holds a whole network as a single layer (a base model inside a Sequential, the model inside "
    "`multi_gpu_model` or another wrapper), the other has its layers one by one",
    "Load into the inner model (`model.layers[0]` or the like), or build the model as it was wrapped when it was "
    "saved.",
    "Print the layers of both: the class of one of them is Model or Functional.",
    {"keras": "model.get_layer(index=1).load_weights(path)    # of the model inside"},
)
OTHER_GROUPS = Cause(
    "the optimiser was made otherwise when it was saved: layers frozen or not, a fine-tuning option, groups for weight "
    "decay, parameters that were added to or taken off the model",
    "Resume with the options of the run that saved it; to fine-tune, load the model's weights only and make the "
    "optimiser anew.",
    "Compare the number of groups and of parameters in each with those of the file.",
    {"torch": 'model.load_state_dict(checkpoint["model"])    # and a fresh optimizer'},
)
SAVED_OTHERWISE = Cause(
    "file and library are of different releases, formats or backends (weights of Theano for TensorFlow, in files that "
    "are given for both), and what was saved is not read back as it was",
    "Take the file for this backend and format, load it with the release that saved it, or save it anew.",
    "Compare the versions and backends that saved and that load, and the file's name.",
)

PROFILED = Cause(
    "a profiler has left its counters in the saved model (`total_ops`, `total_params` of `thop.profile`)",
    "Profile a copy of the model, or leave these names out when loading.",
    "Look for `profile(model` in the training program.",
    {"torch": 'weights = {k: v for k, v in weights.items() if not k.endswith(("total_ops", "total_params"))}'},
)
REPARAMETRISED = Cause(
    "a weight is stored in parts (weight or spectral normalisation, pruning), and only one of the two has them: they "
    "were attached or removed (`remove_weight_norm`) before saving or loading, or another release names them otherwise",
    "Attach (or remove) them before loading as they were when it was saved.",
    "Print the names of one layer's weights in both.",
)
OTHER_DIRECTIONS = Cause(
    "a recurrent layer is bidirectional in one of the two and not in the other, so that it has twice the weights, and "
    "what follows it twice the inputs",
    "Set `bidirectional` as in training.",
    "Look for names that end with `_reverse` in both.",
)
OF_THE_LOSS = Cause(
    "the loss (or a metric) is a part of the training class, so that its weights are stored too, and the model that is "
    "built has another loss, or none",
    "Leave its names out when loading, or build the model with the loss of training.",
    "Print the names that are not the network's.",
    {"torch": "model.load_state_dict(weights, strict=False)"},
)
OF_AN_ADAPTER = Cause(
    "one of the two is an adapter, or a model with adapters in it (`base_model.`, `lora_A`), and the other the plain "
    "model",
    "Load the base model first and the adapter by its own loader (`PeftModel.from_pretrained`), or merge it before "
    "saving (`merge_and_unload`).",
    "Print the first names of both.",
)

OLD_RUN = Cause(
    "the directory holds the checkpoint of an earlier run with other settings or data, and training resumes from it",
    "Empty the directory (or name another one) after a setting was changed; resume with the settings of that run.",
    "List the files of `model_dir` (`train_dir`, `logdir`) and their dates.",
)

HEADS = (
    "fc", "head", "classifier", "logits", "cls", "predictions", "out", "last", "linear", "class", "dense", "score",
    "conf", "seg",
)  # fmt: skip
STEMS = ("conv1", "stem", "patch_embed", "conv_in", "features.0", "input", "first", "conv_first", "inc.")


def weights(pasted: Pasted) -> Told:
    pairs = _pairs(pasted)
    names = [name for name, _, _ in pairs]
    first = pairs[0] if pairs else ("", None, None)
    given = facts.word(pasted, "what") == "given"
    saved, there = ("given", "as given") if given else ("saved", "in the checkpoint")
    about = f"{first[0] or 'a weight'} is {shaped(first[1])} {there} and {shaped(first[2])} in the model"
    more = (
        f", and {plural(len(pairs) - 1, 'further weight')} {'differs' if len(pairs) == 2 else 'differ'}"
        if len(pairs) > 1
        else ""
    )
    headline = f"the {saved} weights do not fit the model: {about}{more}"
    meaning = (
        f"A {saved} weight is copied into the model's weight of its name (or place), and both need one shape. "
        f"{_listing(pairs, saved)}"
    )
    evidence = list(of_weights(pasted, pairs))
    layer = names[0].rsplit(".", 1)[0] if names and "." in names[0] and len(set(names)) == 1 else ""
    return told(pasted, "SW901", headline, meaning.strip(), evidence, layer)


def of_pair(pasted: Pasted, built: Shape, saved: Shape) -> Told:
    """Two shapes that were compared while weights were loaded."""
    pair: Pair = ("", saved, built)
    headline = f"the saved weights do not fit the model: one is {shaped(saved)} where {shaped(built)} is built"
    meaning = f"A saved weight is copied into the model's weight of its name (or place). {_listing([pair])}"
    return told(pasted, "SW901", headline, meaning, of_weights(pasted, [pair]))


Pair = tuple[str, Shape | None, Shape | None]


def _pairs(pasted: Pasted) -> list[Pair]:
    readings = [each for each in (pasted.readings or (pasted.reading,)) if each.fault == "weights"] or [pasted.reading]
    found: dict[Pair, None] = {}
    for reading in readings:
        names = [reading.facts.get(part) for part in ("within", "parameter")]
        name = "/".join(part for part in names if isinstance(part, str))
        found[(name, reading.shape("checkpoint"), reading.shape("model"))] = None
    return list(found)


def _listing(pairs: list[Pair], there: str = "saved") -> str:
    shown = [f"{name or 'one'}: {shaped(saved)} {there}, {shaped(built)} built" for name, saved, built in pairs[:4]]
    rest = f"; and {len(pairs) - 4} more" if len(pairs) > 4 else ""
    return f"Here {'; '.join(shown)}{rest}."


def of_weights(pasted: Pasted, pairs: list[Pair]) -> Iterator[Evidence]:
    known = [(name.lower(), saved, built) for name, saved, built in pairs if saved is not None and built is not None]
    outputs = {(saved[0], built[0]) for _, saved, built in known if _first_alone(saved, built)}
    flax = pasted.reading.framework in ("flax", "jax")
    keras = pasted.reading.framework in ("keras", "tensorflow")
    least = 1 if flax or keras else 2  # the one axis of torch's bias counts outputs
    lasts = {(saved[-1], built[-1]) for _, saved, built in known if len(saved) >= least and _last_alone(saved, built)}
    few = len(pairs) <= 4
    heads = [name for name, _, _ in known if any(word in name for word in HEADS)]
    for name, saved, built in known:
        if checkpoints.is_table(name):
            yield OTHER_TABLE.since(f"{name} is a table of positions, or made for one size", NUMBERS + 0.05)
        else:
            yield from vocabularies.of_table(name, saved, built)
        if "lora" in name and (ranks := _ranks(saved, built)):
            seen = f"{name} is of rank {ranks[0]} in the file and of rank {ranks[1]} in the model"
            yield OTHER_RANK.since(seen, FITS + 0.1, checkpoint=ranks[0], model=ranks[1])
        if saved == (0,) and 0 not in built:
            yield PARTITIONED.since(f"{name or 'the weight'} is {shaped(saved)} in the file: nothing", NUMBERS + 0.02)
        of_stem = len(saved) == len(built) >= 4 and saved[2:] == built[2:] and sizes.difference(saved[1], built[1])
        if any(word in name for word in STEMS) and of_stem and min(saved[1] or 0, built[1] or 0) <= 32:
            yield OTHER_INPUT.since(f"{name} differs in its inputs", NUMBERS, checkpoint=saved[1], model=built[1])
        elif (
            not keras and of_stem and min(saved[1] or 0, built[1] or 0) <= 4 and max(saved[1] or 0, built[1] or 0) <= 32
        ):
            first_layer = f"{name} differs in its inputs, which are few, as those of a first layer alone"
            yield OTHER_INPUT.since(first_layer, FITS + 0.1, checkpoint=saved[1], model=built[1])
        if keras and len(saved) == len(built) == 4 and [at for at, _, _ in sizes.apart(saved, built)] == [2]:
            few = saved[2] is not None and built[2] is not None and min(saved[2], built[2]) <= 4
            stem = "its kernel differs in the inputs alone, of which few are colours"
            if few:
                yield OTHER_INPUT.since(stem, NUMBERS, checkpoint=saved[2], model=built[2])
        assigned = keras and any(word in pasted.reading.message.lower() for word in ("assign", "saved weight"))
        turned = _turned_back(saved, built) if assigned else None
        if turned is not None and turned[2] != built[2]:
            seen = f"Keras turns a kernel round that does not fit: turned back, {shaped(turned)} differs in its inputs"
            yield OTHER_INPUT.since(seen, NUMBERS + 0.02, checkpoint=turned[2], model=built[2])
            yield FILTERS_LAYOUT.since(f"{shaped(saved)} and {shaped(built)} have their kernel at opposite ends", FITS)
        elif turned is not None:
            seen = f"Keras turns a kernel round that does not fit: turned back, {shaped(turned)} differs in its outputs"
            seen += _of_anchors(turned[-1], built[-1])
            yield OTHER_CLASSES.since(seen, NUMBERS + 0.02, checkpoint=turned[-1], model=built[-1])
            yield FILTERS_LAYOUT.since(f"{shaped(saved)} and {shaped(built)} have their kernel at opposite ends", FITS)
        elif _are_other_filters(saved, built):
            moved = f"{shaped(saved)} and {shaped(built)} have their kernel at opposite ends"
            yield FILTERS_LAYOUT.since(moved, NUMBERS)
            yield causes.CHANNELS_LAST.since(f"{moved}; an image's side may be taken for its channels too", FITS + 0.03)
        elif keras and (side := _side_for_colours(saved, built)):
            taken = f"{side} inputs where the other has few: an image's side may be taken for its colours"
            yield causes.CHANNELS_LAST.since(taken, FITS + 0.02)
        elif bands := _of_bands(saved, built):
            yield causes.OTHER_SPECTRUM.since(f"{name or 'it'} differs in its inputs alone: {bands}", NUMBERS - 0.02)
        elif sizes.is_reordered(saved, built):
            yield FILTERS_LAYOUT.since(f"{shaped(saved)} and {shaped(built)} are one shape in another order", NUMBERS)
    if (flax or keras) and outputs and not lasts and len(known[0][1]) == 2:
        # a kernel of these is (inputs, outputs)
        saved_count, built_count = next(iter(outputs))
        seen = f"{saved_count} rows saved and {built_count} built: the first axis of a kernel counts inputs"
        if saved_count and built_count and not any(vocabularies.is_vocabulary(name) for name, _, _ in known):
            yield OTHER_WIDTH.since(seen, NUMBERS if flax else FITS - 0.01, expected=saved_count, got=built_count)
        if maps := sizes.same_maps(saved_count, built_count):
            of_sides = f"{seen}; they are flattened maps of {maps[1]} x {maps[1]} and {maps[2]} x {maps[2]}"
            yield causes.OTHER_INPUT_SIZE.since(of_sides, FITS + 0.06)
        outputs = set()
    if not (flax or keras) and len(outputs) == 1 and not heads:
        yield from _of_inputs_in_front(known)
    ends = lasts if flax or (keras and lasts) else outputs
    alone = all(_first_alone(saved, built) or _last_alone(saved, built) for _, saved, built in known)
    if len(ends) > 1 and len(pairs) <= 8 and alone and (classes := _classes(ends)):
        seen = f"the numbers of outputs are multiples of {classes[0]} saved and {classes[1]} built, as those of heads"
        yield OTHER_CLASSES.since(seen, NUMBERS + 0.02, checkpoint=classes[0], model=classes[1])
    elif len(ends) > 1 and len(pairs) <= 8 and alone and heads and (fewest := _fewest(ends)):
        seen = f"only numbers of outputs differ, and `{heads[0]}` is named as a head is"
        yield OTHER_CLASSES.since(seen, FITS + 0.06, checkpoint=fewest[0], model=fewest[1])
    if not (keras or flax) and known and lasts and alone and all(len(one) <= 2 for _, one, _ in known):
        if not outputs and all(len(one) == 2 for _, one, _ in known):
            yield from _of_inputs(*next(iter(lasts)))
        elif outputs and all(max(saved or 0, built or 0) <= MOST_LISTED for saved, built in lasts | outputs):
            saved_count, built_count = next(iter(lasts))
            ends_seen = f"inputs ({saved_count} saved, {built_count} built) and outputs differ, each of few"
            both = {"checkpoint": saved_count, "model": built_count}
            yield OTHER_LIST.since(f"{ends_seen}: observations and actions, or lists, of other data", NUMBERS, **both)
    if len(ends) == 1:
        saved_count, built_count = next(iter(ends))
        seen = f"only the number of outputs differs, {saved_count} saved and {built_count} built"
        widths = sizes.is_width(saved_count) and sizes.is_width(built_count)
        tables = all(
            checkpoints.is_table(name)
            or "lora" in name
            or vocabularies.is_vocabulary(name)
            or checkpoints.is_of_points(one, other)
            for name, one, other in known
        )
        weight = NUMBERS + 0.05 if few and heads and alone else COMMON if widths or not few else FITS + 0.06
        if widths and not heads:
            weight = RARE
        if not tables:
            anchored = _of_anchors(saved_count, built_count)
            yield OTHER_CLASSES.since(seen + anchored, weight, checkpoint=saved_count, model=built_count)
        if abs((saved_count or 0) - (built_count or 0)) <= 2:
            yield OTHER_VERSION.since(f"{seen}: a few entries more or less", FITS + 0.12)
    if not (keras or flax) and len(known) == 1:
        yield from _of_map(known[0][1], known[0][2])
    if not (keras or flax) and (more := _more_inputs(known)):
        saved_more = (
            f"{plural(len(known), 'weight')} take{'s' if len(known) == 1 else ''} {plural(abs(more), 'input')} "
        )
        likely = (
            NUMBERS + 0.04 if len(known) > 1 and abs(more) <= MOST_EXTRA else FITS + (0.12 if len(known) > 1 else 0.05)
        )
        yield EXTRA_FEATURE.since(f"{saved_more}{'more' if more > 0 else 'fewer'} in the model", likely)
    elif not alone:
        yield OTHER_VARIANT.since("weights differ in their inputs as well as in their outputs", FITS + 0.08)
    if not (keras or flax):
        yield from checkpoints.of_relations(known)
    elif keras:
        for _, saved, built in known:
            yield from checkpoints.of_vectors(saved, built)
    count = f"{plural(len(pairs), 'weight')} differ" if len(pairs) > 1 else "one weight differs"
    if pasted.reading.framework == "tensorflow":
        yield OLD_RUN.since("a session or estimator restores the newest checkpoint of its directory", FITS - 0.04)
    yield OTHER_VARIANT.since(count, NUMBERS if len(pairs) > 4 else FITS)
    yield OTHER_VERSION.since(count, FITS - 0.02)
    yield OTHER_FILE.since(count, COMMON - 0.04)
    if keras:
        yield NO_TOP.since("weights are read by their place in the model", COMMON)
        for _, saved, built in known:
            if (
                len(saved) == len(built) == 2
                and (saved[-1] == built[0] or saved[0] == built[-1])
                and not outputs | lasts
            ):
                seen = f"{shaped(saved)} and {shaped(built)} fit behind each other: they are neighbouring layers"
                yield NO_TOP.since(seen, NUMBERS - 0.02)
    yield from _of_parts(_names(pasted, "missing"), _names(pasted, "unexpected"))


def _more_inputs(known: Sequence[tuple[str, Shape, Shape]]) -> int:
    """By how many inputs all these weights, (outputs, inputs, ...), differ, and in nothing else; 0 where they do not,
    or where what joins may as well be another width: many inputs more in one weight, or as many in equal ones."""
    gaps: set[int] = set()
    inputs: set[Size] = set()
    for _, saved, built in known:
        apart = sizes.apart(saved, built) if len(saved) == len(built) and 0 not in (*saved, *built) else []
        if [axis for axis, *_ in apart] != [1]:
            return 0
        gaps.add(apart[0][2] - apart[0][1])
        inputs.add(saved[1])
    if len(gaps) != 1:
        return 0
    gap = gaps.pop()
    filters = all(saved[1] % 8 == built[1] % 8 == 0 for _, saved, built in known if saved[1] and built[1])
    few = abs(gap) <= MOST_EXTRA and (len(known) > 1 or (not filters and abs(gap) not in inputs))
    return gap if few or len(inputs) > 1 else 0


MOST_EXTRA = 16
"""More features are seldom added by an option."""
EXTRA_FEATURE = Cause(
    "an option adds features to the input (intensity, colours, normals, positions, a mask, a condition, a class, the "
    "embedding of a speaker) that the checkpoint was trained without, or leaves some out that it was trained with",
    "Set the option as it was in training, or train anew with it.",
    "Compare the number of input features in both configurations.",
)


def _of_map(saved: Shape, built: Shape) -> Iterator[Evidence]:
    """A convolution's weight differs in its inputs alone, which are no numbers of filters but maps, as of labels."""
    apart = sizes.apart(saved, built) if len(saved) == len(built) == 4 else []
    if len(apart) == 1 and apart[0][0] == 1:
        _, one, other = apart[0]
        if min(one, other) > 4 and max(one, other) <= 512 and (one % 8 or other % 8):
            seen = f"{one} inputs saved and {other} built: a map for each entry of a list, as of labels"
            yield OTHER_LIST.since(seen, FITS + 0.04, checkpoint=one, model=other)


def _of_inputs(saved: Size, built: Size) -> Iterator[Evidence]:
    """A linear layer's weight, (outputs, inputs), differs in its inputs alone."""
    if not saved or not built or min(saved, built) <= 1:
        return
    seen = f"only the number of inputs differs, {saved} saved and {built} built"
    counted = {"checkpoint": saved, "model": built}
    if sizes.is_width(saved) and sizes.is_width(built):
        if min(saved, built) > 1000 and not sizes.is_power_of_two(saved) and not sizes.is_power_of_two(built):
            joined = f"{seen}: such may be flattened maps, or frames of features that are joined"
            yield causes.OTHER_INPUT_SIZE.since(joined, FITS - 0.01)
        return
    yield OTHER_WIDTH.since(seen, FITS + 0.04, expected=saved, got=built)
    if max(saved, built) <= MOST_LISTED:
        yield OTHER_LIST.since(f"{seen}: so few are counted by a list or an option", FITS + 0.06, **counted)
    if min(saved, built) > 1000 and saved % 32 == built % 32 == 0:
        many = f"{seen}: so many, and both multiples of 32, are flattened maps"
        yield causes.OTHER_INPUT_SIZE.since(many, FITS + 0.05)
    if maps := sizes.same_maps(saved, built):
        sides = f"{seen}: flattened maps of {maps[1]} x {maps[1]} and {maps[2]} x {maps[2]}"
        yield causes.OTHER_INPUT_SIZE.since(sides, FITS + 0.08)


OTHER_RANK = Cause(
    "the adapter's rank (`r`, `network_dim`) is set otherwise than when it was trained: {checkpoint} then, {model} "
    "here; or it is the adapter of another base model",
    "Build the adapter from the settings that were saved with it (`adapter_config.json`), with rank {checkpoint}.",
    "Compare the ranks in both settings, and the names of the base models.",
)


def _ranks(saved: Shape, built: Shape) -> tuple[int, int] | None:
    """The two ranks of an adapter's matrix, of which the other axis agrees."""
    apart = sizes.apart(saved, built) if len(saved) == len(built) >= 2 else []
    return apart[0][1:] if len(apart) == 1 and apart[0][0] <= 1 and max(apart[0][1:]) <= 1024 else None


def _of_bands(saved: Shape, built: Shape) -> str | None:
    """Two convolutions over time, or linear layers, that were made for other spectrograms."""
    if len(saved) not in (2, 3) or len(saved) != len(built):
        return None
    apart = sizes.apart(saved, built)
    return sizes.spectra(*apart[0][1:]) if len(apart) == 1 and apart[0][0] == 1 else None


def _of_inputs_in_front(known: list[tuple[str, Shape, Shape]]) -> Iterator[Evidence]:
    """The first axis counts inputs in matrices that graph convolutions multiply with, and in transposed convolutions,
    whose kernels have even sides as a rule."""
    for name, saved, built in known:
        if (
            vocabularies.is_vocabulary(name)
            or checkpoints.is_table(name)
            or "lora" in name
            or checkpoints.is_of_points(saved, built)
        ):
            continue
        one, other = saved[0] or 0, built[0] or 0
        tall = len(saved) == 2 and min(one, other) > 8 * (saved[1] or one)
        transposed = len(saved) == 4 and saved[2] == saved[3] in (2, 4) and min(one, other) > 1
        if tall or transposed:
            what = "more rows than columns" if tall else f"a kernel of {saved[2]} x {saved[2]}"
            seen = f"{shaped(saved)} and {shaped(built)}: {what}, where the first axis may count inputs"
            yield OTHER_WIDTH.since(seen, FITS + 0.02, expected=one, got=other)


MOST_LISTED = 40
"""More subjects, actions or conditions are seldom listed in an option."""

OTHER_LIST = Cause(
    "the layer takes a one-hot vector, or so many observations or columns, and the option (or list) that counts them "
    "is for another data set: {checkpoint} subjects, speakers, labels, actions, conditions or features at training, "
    "{model} here",
    "Give the list or number that the checkpoint was trained with ({checkpoint}), or load the checkpoint of these "
    "data.",
    "Compare the options of training with these, one by one, and look for lists with {checkpoint} and {model} entries.",
)
PARTITIONED = Cause(
    "the saved weight is empty: it was saved (or is loaded) while its values were spread over devices (ZeRO stage 3, "
    "fully sharded training), so that only a placeholder is in the file",
    "Gather the weights before saving (`stage3_gather_16bit_weights_on_model_save`, `zero_to_fp32.py`, a full state "
    "dict), and load them without partitioning.",
    "Print the sizes of the weights in the file.",
)


def _classes(ends: set[tuple[Size, Size]]) -> tuple[int, int] | None:
    """The classes of two models, where several heads (scores, boxes for each class) count in multiples of them: of
    the classes alone, or with a background class in some heads and not in others."""
    fewest = _fewest(ends)
    if fewest is None:
        return None
    saved, built = fewest
    known = [(other, mine) for other, mine in ends if other and mine]
    for more in (0, 1, -1):
        one, two = saved + more, built + more
        if min(one, two) > 0 and all(
            (other, mine) == fewest or (other % one == 0 and other // one * two == mine) for other, mine in known
        ):
            return fewest
    return None


def _fewest(ends: set[tuple[Size, Size]]) -> tuple[int, int] | None:
    """The smallest pair, unless one is not known, or both are widths of layers."""
    known = sorted((saved, built) for saved, built in ends if saved and built)
    if len(known) != len(ends) or not known or all(map(sizes.is_width, known[0])):
        return None
    return known[0]


def _turned_back(saved: Shape, built: Shape) -> Shape | None:
    """What the file holds, (height, width, inputs, outputs), where the message tells (outputs, inputs, height, width),
    and only the outputs are others: Keras 2 takes a kernel of another shape for one of Theano's, and turns it round."""
    if len(saved) != 4 or len(built) != 4:
        return None
    turned = (saved[2], saved[3], saved[1], saved[0])
    return turned if turned[:2] == built[:2] and (turned[2] == built[2]) != (turned[3] == built[3]) else None


def _of_anchors(saved: Size, built: Size) -> str:
    """Detectors give 4 numbers of a box, its score and one for each class, for each of 3 or 5 anchors."""
    if saved is None or built is None:
        return ""
    for anchors in (3, 5):
        one, other = saved // anchors - 5, built // anchors - 5
        if saved % anchors == built % anchors == 0 and min(one, other) >= 1:
            return f", {saved} = {anchors} anchors x (5 + {one} classes) against {built} = {anchors} x (5 + {other})"
    return ""


def _are_other_filters(saved: Shape, built: Shape) -> bool:
    """Filters of a 2-D convolution, with the kernel in front in one and behind in the other; the number of inputs may
    differ, where another axis of the image is taken for the channels."""
    if len(saved) != 4 or len(built) != 4:
        return False
    return any(
        one[:2] == other[2:] or (one[:2] == other[1:3] and one[-1] == other[0])
        for one, other in ((saved, built), (built, saved))
        if None not in one and None not in other and one[-1] != other[-1]
    )


def _side_for_colours(saved: Shape, built: Shape) -> int | None:
    """Two filters of one kernel, (height, width, inputs, outputs), one with colours on a channel axis, and the other
    with as many inputs as an image has lines."""
    if len(saved) != 4 or len(built) != 4 or saved[:2] != built[:2] or None in (*saved, *built):
        return None
    for one, other in ((saved, built), (built, saved)):
        inputs = other[2] or 0
        if {1, 3, 4} & set(one[2:]) and inputs >= 64 and inputs not in one and not sizes.is_power_of_two(inputs):
            return inputs
    return None


def _first_alone(saved: Shape, built: Shape) -> bool:
    parted = sizes.apart(saved, built)
    return len(saved) == len(built) and [axis for axis, _, _ in parted] == [0]


def _last_alone(saved: Shape, built: Shape) -> bool:
    parted = sizes.apart(saved, built)
    return len(saved) == len(built) and [axis for axis, _, _ in parted] == [len(saved) - 1]


def names(pasted: Pasted) -> Told:
    missing, unexpected = _names(pasted, "missing"), _names(pasted, "unexpected")
    expected, got = facts.size(pasted, "expected"), facts.size(pasted, "got")
    what = facts.word(pasted, "what") or "weights"
    parts = [
        f"missing: {listed(missing[:3])}" if missing else "",
        f"unexpected: {listed(unexpected[:3])}" if unexpected else "",
    ]
    if expected is not None and got is not None:
        parts.append(f"{got} in the file, {expected} in the model")
    said = "; ".join(part for part in parts if part)
    named = {"unbuilt": "weights", "optimizer": "optimiser's groups"}.get(what, what)
    headline = f"the saved {named} are not those of the model" + (f": {said}" if said else "")
    meaning = (
        "Saved weights are matched with the model's by name, or by their place and number. "
        f"{said[:1].upper() + said[1:] + '.' if said else ''} No sizes are compared before the names fit."
    )
    layer = facts.word(pasted, "layer")
    return told(
        pasted, "SW904", headline, meaning.strip(), _of_names(pasted, missing, unexpected, expected, got, what), layer
    )


def _names(pasted: Pasted, kind: str) -> list[str]:
    found = [reading.facts.get(kind) for reading in pasted.readings or (pasted.reading,)]
    return [name for name in dict.fromkeys(found) if isinstance(name, str) and name]


PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "backbone.", "encoder.")


_ENTRIES = re.compile(
    r"state_dict|(?:params|ema|model|net|generator|teacher|student)(?:_ema)?|(?:model|net|ema|generator|optim\w{0,20})"
    r"_(?:state_?dict|state|weights|dict)|ema_\w{1,20}|weights|optim\w{0,20}|epochs?|iter\w{0,10}|steps?|global_step|"
    r"args|config|cfg|meta|opt|hyper_parameters|callbacks|loops|lr_schedulers|pytorch-lightning_version|state|"
    r"best_\w{1,20}|loss|net[GD]|G|D"
)


PARTS: tuple[tuple[re.Pattern[str], Cause], ...] = (
    (re.compile(r"(?:^|\.)total_(?:ops|params)$"), PROFILED),
    (re.compile(r"(?:^|\.)(?:weight_(?:orig|mask|u|v|g)|parametrizations\.\w{1,20}\.original\d?)$"), REPARAMETRISED),
    (re.compile(r"_reverse$"), OTHER_DIRECTIONS),
    (re.compile(r"(?:^|\.)(?:criterion|loss_?\w{0,20}|lpips|perceptual\w{0,20}|metrics?)\."), OF_THE_LOSS),
    (re.compile(r"lora_|(?:^|\.)base_(?:model|layer)\.|modules_to_save|adapter"), OF_AN_ADAPTER),
)
"""Names that tell how the file was made."""
_COMPUTED = re.compile(r"(?:position_ids|inv_freq|num_batches_tracked|attn_mask|_index|masked_bias|attn\.bias)$")


def _of_parts(missing: list[str], unexpected: list[str]) -> Iterator[Evidence]:
    names = [*missing, *unexpected]
    for pattern, cause in PARTS:
        if found := [name for name in names if pattern.search(name)]:
            yield cause.since(f"`{found[0]}` is {'missing' if found[0] in missing else 'in the file'}", NUMBERS + 0.03)
    if found := [name for name in names if checkpoints.is_quantised(name)]:
        yield checkpoints.QUANTISED.since(f"`{found[0]}` is a part of a quantised weight", NUMBERS + 0.05)
    if names and all(_COMPUTED.search(name) for name in names):
        yield OTHER_VERSION.since(f"`{names[0]}` is computed, and stored by some releases only", NUMBERS)
    elif names and all(any(word in name.lower().split(".")[0] for word in HEADS) for name in names):
        yield NO_TOP.since(f"`{names[0]}` and the others belong to a head", NUMBERS - 0.02)


def _of_names(
    pasted: Pasted, missing: list[str], unexpected: list[str], expected: int | None, got: int | None, what: str
) -> Iterator[Evidence]:
    keras = pasted.reading.framework in ("keras", "tensorflow")
    prefixed = [name for name in (*missing, *unexpected) if name.startswith(PREFIXES)]
    counted = f"{sized(got)} in the file, {sized(expected)} in the model"
    if missing and unexpected:
        tails = {name.split(".", 1)[-1] for name in missing} & {name.split(".", 1)[-1] for name in unexpected}
        if tails or any(a.endswith(b) or b.endswith(a) for a in missing[:20] for b in unexpected[:20]):
            yield WRAPPED.since("the names are the same but for their beginning", SAID)
    if prefixed:
        yield WRAPPED.since(f"`{prefixed[0]}` begins with a prefix as wrappers give it", FITS + 0.05)
    entries = [name for name in unexpected if _ENTRIES.fullmatch(name)]
    if entries and not any(_ENTRIES.fullmatch(name) for name in missing):
        yield NESTED.since(f"`{entries[0]}` is no weight but the name of an entry of the file", SAID)
    yield from _of_parts(missing, unexpected)
    if what == "unbuilt" or 0 in (expected, got):
        seen = f"{counted}: one of them has none" if expected is not None else "the message says so"
        yield UNBUILT.since(seen, NUMBERS)
        yield SAVED_OTHERWISE.since(seen, NUMBERS - 0.02)
    if what == "layers" and expected and got and min(expected, got) == 1 < max(expected, got):
        yield AS_ONE_LAYER.since(f"{counted}: the one may hold all the others", FITS + 0.1)
    elif expected and got and min(expected, got) <= 4 and max(expected, got) >= 8:
        yield AS_ONE_LAYER.since(f"{counted}: so few may hold all the others", FITS + 0.08)
    if keras or expected is not None:
        yield NO_TOP.since(
            counted if expected is not None else "weights are read by their place in the model", FITS + 0.05
        )
        yield UNBUILT.since("an unbuilt model has no weights yet", COMMON)
        yield SAVED_OTHERWISE.since("older files are laid out otherwise", COMMON)
    yield OTHER_VARIANT.since("the model has other layers than the file", FITS - 0.02)
    yield OTHER_VERSION.since("layers are renamed between releases", FITS - 0.03)
    if what == "optimizer":
        yield OTHER_GROUPS.since("the groups are counted, not the model's weights", FITS + 0.02)
    elif not keras:
        yield WRAPPED.since("a common cause of this error", COMMON)
        yield NESTED.since("a common cause of this error", COMMON - 0.1)
