"""Saved weights that do not fit the model: their shapes, or their names and number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapewatch.messages.faults import causes, checkpoints, facts, sizes, taken_apart, vocabularies
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.weight_names import (
    HEADS,
    NO_TOP,
    OTHER_VARIANT,
    OTHER_VERSION,
    names_that_are,
    of_parts,
)
from shapewatch.messages.faults.wording import plural, shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

OTHER_CLASSES = Cause(
    "the checkpoint's head is for another number of classes ({checkpoint}) than the model's ({model}): the list of "
    "classes (labels, words, symbols) that the model is built from is not the one of training",
    "Build the model with the checkpoint's number of classes and replace its head after loading, or leave the head's "
    "weights out.",
    "Compare the number of classes of both.",
    {
        "torch": "weights = {{k: v for k, v in weights.items() if v.shape == model.state_dict()[k].shape}}\n"
        "model.load_state_dict(weights, strict=False)",
        "keras": "model.load_weights(path, skip_mismatch=True)    # or by_name=True in older releases",
    },
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


OLD_RUN = Cause(
    "the directory holds the checkpoint of an earlier run with other settings or data, and training resumes from it",
    "Empty the directory (or name another one) after a setting was changed; resume with the settings of that run.",
    "List the files of `model_dir` (`train_dir`, `logdir`) and their dates.",
)

STEMS = ("conv1", "stem", "patch_embed", "conv_in", "features.0", "input", "first", "conv_first", "inc.")


LIST_OF_WEIGHTS = Cause(
    "the list of weights that is set is not the list that the layer holds: kernel and bias in another order or level, "
    "or turned into one array by `np.array`, which joins them by their equal first axis",
    "Give a plain list, `[kernel, bias]`, in the order and of the shapes of `layer.get_weights()`.",
    "Print the shapes of what is set beside those of `layer.get_weights()`.",
    {"keras": "layer.set_weights([kernel, bias])"},
)


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
    if first[1] is not None and first[2] is not None and first[1] == first[2][: len(first[1])] != first[2]:
        begins = f"{shaped(first[1])} is how {shaped(first[2])} begins: a bias, or an entry of an array made of both"
        evidence.append(LIST_OF_WEIGHTS.since(begins, FITS + 0.09))
    layer = names[0].rsplit(".", 1)[0] if names and "." in names[0] and len(set(names)) == 1 else ""
    return told(pasted, "SW901", headline, meaning.strip(), evidence, layer)


def of_pair(pasted: Pasted, built: Shape, saved: Shape) -> Told:
    """Two shapes that were compared while weights were loaded."""
    headline = f"the saved weights do not fit the model: one is {shaped(saved)} where {shaped(built)} is built"
    return _compared(pasted, headline, ("", saved, built))


def of_likely_pair(pasted: Pasted, built: Shape, saved: Shape) -> Told:
    """Two shapes that look as if they were compared while weights were loaded, which no word says."""
    headline = (
        f"shapes {shaped(built)} and {shaped(saved)} should be one, most likely of a weight as it is built "
        "and as it is saved"
    )
    return _compared(pasted, headline, ("", saved, built))


def _compared(pasted: Pasted, headline: str, pair: Pair) -> Told:
    meaning = f"A saved weight is copied into the model's weight of its name (or place). {_listing([pair])}"
    return told(pasted, "SW901", headline, meaning, of_weights(pasted, [pair]))


_OF_A_HEAD = 2
"""So many layers at most differ where only the head of a model does."""

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
    objects = pasted.reading.facts.get("objects")
    failed = objects if isinstance(objects, int) else 0
    few = len(pairs) <= 4 and failed <= _OF_A_HEAD
    heads = [name for name, _, _ in known if any(word in name for word in HEADS)]
    for name, saved, built in known:
        if checkpoints.is_table(name):
            yield OTHER_TABLE.since(f"{name} is a table of positions, or made for one size", NUMBERS + 0.05)
        else:
            yield from vocabularies.of_table(name, saved, built)
        if "lora" in name and (ranks := _ranks(saved, built)):
            seen = f"{name} is of rank {ranks[0]} in the file and of rank {ranks[1]} in the model"
            adapters_alone = all("lora" in each for each, _, _ in known)
            weight = NUMBERS + 0.2 if adapters_alone else FITS + 0.1
            yield OTHER_RANK.since(seen, weight, checkpoint=ranks[0], model=ranks[1])
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
            of_places = turned[:2] == (1, 1) and (turned[2] or 0) >= 256
            yield _of_another_head(seen, NUMBERS + 0.02, turned[-1], built[-1], of_places)
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
            if min(maps[1:]) == 1:
                of_sides = f"{seen}; one is {max(maps[1:])} x {max(maps[1:])} times the other, as of larger maps"
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
        differs = "only the number of outputs differs" if alone else "the numbers of outputs differ"
        seen = f"{differs}, {saved_count} saved and {built_count} built"
        widths = sizes.is_width(saved_count) and sizes.is_width(built_count)
        tables = all(
            checkpoints.is_table(name)
            or "lora" in name
            or vocabularies.is_vocabulary(name)
            or checkpoints.is_of_points(one, other)
            for name, one, other in known
        )
        weight = NUMBERS + 0.05 if few and heads and alone else COMMON if widths or not few else FITS + 0.06
        kernels = not (keras or flax) and any(set(saved[2:]) - {1} for _, saved, _ in known)
        filters = kernels and (saved_count or 1) % 8 == (built_count or 1) % 8 == 0
        if (not heads and (widths or filters or not alone)) or failed > _OF_A_HEAD:
            weight = RARE
        if not tables and not (pasted.reading.framework == "torch" and _ends_alike(known)):
            yield _of_another_head(seen, weight, saved_count, built_count)
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
        yield OTHER_VARIANT.since("weights differ in other axes than that of their outputs", FITS + 0.08)
    if not (keras or flax):
        yield from checkpoints.of_relations(known)
    elif keras:
        for each in known:
            yield from checkpoints.of_vectors(*each)
    count = f"{plural(len(pairs), 'weight')} differ" if len(pairs) > 1 else "one weight differs"
    if failed > 1:
        count = f"{failed} layers could not be loaded, of which one is told"
    if pasted.reading.framework == "tensorflow":
        yield OLD_RUN.since("a session or estimator restores the newest checkpoint of its directory", FITS - 0.04)
    yield OTHER_VARIANT.since(count, NUMBERS if len(pairs) > 4 or failed > _OF_A_HEAD else FITS)
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
    yield from of_parts(names_that_are("missing", pasted), names_that_are("unexpected", pasted))


def _ends_alike(known: Sequence[tuple[str, Shape, Shape]]) -> bool:
    """Whether the last of several layers that differ, which are told in the model's order, gives as many outputs on
    both sides: then so do all behind it, and no head is another one."""
    matrices = [(name, saved, built) for name, saved, built in known if len(saved) == len(built) > 1]
    return len(matrices) > 1 and matrices[-1][1][0] == matrices[-1][2][0]


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


MOST_BOXED = 60
"""More outputs than these count classes sooner than the values of their boxes."""


def _of_another_head(seen: str, weight: float, saved: Size, built: Size, of_places: bool = False) -> Evidence:
    """The evidence that a head has another number of outputs: a detector's has several for each class. `of_places`:
    it is a 1x1 convolution over many channels, as a detector's last one."""
    for anchors in (3, 5):
        one, other = (saved or 0) // anchors - 5, (built or 0) // anchors - 5
        detects = one in taken_apart.DETECTED or other in taken_apart.DETECTED or of_places
        if saved and built and saved % anchors == built % anchors == 0 and min(one, other) >= 1 and detects:
            sums = f", {saved} = {anchors} anchors x (5 + {one} classes) against {built} = {anchors} x (5 + {other})"
            return OTHER_CLASSES.since(seen + sums, weight, checkpoint=one, model=other)
    if saved and built and saved % 4 == built % 4 == 0 and max(saved, built) <= MOST_BOXED:
        both = {"checkpoint": f"{saved}, or {saved // 4} with 4 values each", "model": f"{built}, or {built // 4}"}
        return OTHER_CLASSES.since(f"{seen}; a detector gives 4 for the box of each class", weight, **both)
    return OTHER_CLASSES.since(seen, weight, checkpoint=saved, model=built)


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
