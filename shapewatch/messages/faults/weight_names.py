"""The names (or the number) of saved weights are not those of the model: no size is compared before they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.messages.faults import checkpoints, facts
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, SAID, Cause, Evidence, told
from shapewatch.messages.faults.wording import listed, sized
from shapewatch.messages.nouns import Pasted, Told

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
UNBUILT = Cause(
    "the model is not built yet, or was built from other inputs, so it has no (or other) weights when they are loaded",
    "Call it once on an input (or `build` it) before loading; load a whole saved model where there is one.",
    "Print `len(model.weights)` before loading.",
    {"keras": "model.build((None, 28, 28, 1))    # or model(x) once, before model.load_weights(path)"},
)
OTHER_SIZES = Cause(
    "the layer has other sizes than the one that was saved: where these do not fit, Keras reads the file once more in "
    "its older form, finds nothing there, and tells of that",
    "Build the model with the sizes (width, units, vocabulary) of the one that was saved.",
    "Compare the settings with which both were built, or the shapes in the file (`h5py`).",
    {"keras": "model = build(width)    # as when the weights were saved"},
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
    "the file has other layers than the model: with or without the top (head), with the InputLayer counted (a "
    "functional Model) or not (a Sequential), or layers were added to one of them; loading by position needs the same "
    "layers",
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

HEADS = (
    "fc", "head", "classifier", "logits", "cls", "predictions", "out", "last", "linear", "class", "dense", "score",
    "conf", "seg",
)  # fmt: skip


def weight_names(pasted: Pasted) -> Told:
    missing, unexpected = names_that_are("missing", pasted), names_that_are("unexpected", pasted)
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


def names_that_are(kind: str, pasted: Pasted) -> list[str]:
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


def of_parts(missing: list[str], unexpected: list[str]) -> Iterator[Evidence]:
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
    yield from of_parts(missing, unexpected)
    if pasted.reading.facts.get("built") and got == 0:
        seen = f"{counted}, and the model says that the layer is built"
        yield OTHER_SIZES.since(seen, NUMBERS)
        yield SAVED_OTHERWISE.since(seen, FITS + 0.05)
    elif what == "unbuilt" or 0 in (expected, got):
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
