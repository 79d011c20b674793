"""Networks as Keras makes them, on recordings written by hand: channels last, an unknown batch, layers that merge
branches, layers that are built for the first input they are given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shapewatch.axes import Range
from shapewatch.demand.walk import pull
from shapewatch.edits import Input, Insert, Set, SetCall
from shapewatch.flow.junctions import Graph, find_junctions
from shapewatch.recording import Recording, Shape, Value
from shapewatch.repair import Candidate, propose
from shapewatch.rules import RULES, Case, Finding
from shapewatch.testing import Tape

LAST = {"rank": 2, "channels_last": True}


def conv(tape: Tape, path: str, x: Value, out: int, stride: int = 1, kernel: int = 3, **facts: Any) -> Value:
    """A convolution of Keras's that keeps the size but for its stride."""
    *batch, height, width, channels = x.shape
    assert height is not None and width is not None
    shape = (*batch, -(-height // stride), -(-width // stride), out)
    settings = {
        "in_channels": channels,
        "out_channels": out,
        "kernel_size": (kernel, kernel),
        "stride": (stride, stride),
        "padding": "same",
        "dilation": (1, 1),
        "groups": 1,
        **LAST,
        "lazy": True,
    }
    return tape.layer(path, "conv", x, shape=shape, type="Conv2D", **{**settings, **facts})


def norm(tape: Tape, path: str, x: Value) -> Value:
    facts = {"style": "batch", "axis": 3, "num_features": x.shape[3], "lazy": True}
    return tape.layer(path, "norm", x, type="BatchNormalization", **facts)


def found(recording: Recording) -> tuple[Case, Finding]:
    """What the first rule that speaks says of the call that failed."""
    graph = Graph(recording)
    unit, failure = graph.failing_unit(), recording.failure
    assert unit is not None and failure is not None
    case = Case(graph, unit, failure.message, failure.type)
    for rule in RULES:
        finding = rule.check(case) if not rule.kinds or unit.kind in rule.kinds else None
        if rule.severity == "error" and finding is not None:
            return case, finding
    raise AssertionError("no rule speaks")


def warnings(recording: Recording) -> list[Finding]:
    graph = Graph(recording)
    asked = [(rule, unit) for rule in RULES if rule.severity == "warning" for unit in graph.units]
    said = [rule.check(Case(graph, unit)) for rule, unit in asked if unit.kind in rule.kinds]
    return [finding for finding in said if finding is not None]


def candidates(recording: Recording) -> list[Candidate]:
    return propose(*found(recording))


def sets(recording: Recording) -> set[tuple[str, str, Any]]:
    """Every single setting that is proposed."""
    edits = [candidate.edits for candidate in candidates(recording) if len(candidate.edits) == 1]
    return {(e[0].layer, e[0].argument, e[0].value) for e in edits if isinstance(e[0], Set)}


# Residual blocks


def broken_block(merge: str, batch: int | None = None, skips: int = 1) -> Recording:
    """A block that halves and widens on its main branch alone; what joins is a layer, or an operation."""
    tape = Tape("Net")
    stem = conv(tape, "stem", tape.input(batch, 32, 32, 3), 16)
    with tape.inside("block", "Block", stem):
        y = norm(tape, "block.bn2", conv(tape, "block.conv2", conv(tape, "block.conv1", stem, 32, 2), 32))
        others = [stem] * skips
        if skips > 1:
            others[1:] = [tape.layer(f"block.drop{n}", "dropout", stem) for n in range(1, skips)]
        if merge == "layer":
            tape.fails("add", y, *others, layer="block.add", error="ValueError")
        else:
            tape.fails("add", y, *others, error="InvalidArgumentError")
    return tape.recording()


def test_a_layer_that_adds_is_a_junction_as_a_sum_is() -> None:
    (layer,), (operation,) = (find_junctions(Graph(broken_block(merge))) for merge in ("layer", "operation"))
    assert layer.branches == operation.branches
    assert layer.fork == operation.fork and layer.fork is not None and layer.fork.made_by == "stem"
    assert (layer.kind, layer.status, layer.axes) == (operation.kind, operation.status, operation.axes)
    assert (layer.kind, layer.status, layer.axes) == ("add", "mismatch", (1, 2, 3))
    assert (layer.layer, operation.layer) == ("block.add", "block")
    assert layer.block == operation.block == "block"
    assert layer.id == "block.add:Add:0"


def test_it_reads_word_for_word_the_same() -> None:
    (_, layer), (_, operation) = (found(broken_block(merge)) for merge in ("layer", "operation"))
    assert operation.headline == "block adds two branches that do not fit: height, width and channels differ"
    assert layer.headline == operation.headline.replace("block", "block.add")
    assert layer.explanation == operation.explanation
    assert layer.wants == operation.wants


def torch_block() -> Recording:
    tape = Tape("Net")
    x = tape.input(2, 16, 32, 32)
    with tape.inside("block", "Block", x):
        y = tape.layer("block.conv1", "conv", x, shape=(2, 32, 16, 16), rank=2, in_channels=16, out_channels=32)
        tape.fails("add", y, x)
    return tape.recording()


def test_the_framework_changes_the_order_of_the_axes_and_no_word() -> None:
    _, keras = found(broken_block("operation", batch=2))
    _, torch = found(torch_block())
    assert sorted(torch.headline.replace(",", "").split()) == sorted(keras.headline.replace(",", "").split())


@pytest.mark.parametrize("merge", ["layer", "operation"])
@pytest.mark.parametrize("batch", [None, 4])
def test_a_projection_is_made_for_channels_last(merge: str, batch: int | None) -> None:
    recording = broken_block(merge, batch)
    inserted = [c.edits[0] for c in candidates(recording) if isinstance(c.edits[0], Insert)]
    place = recording.calls[-1].place
    first = next(edit for edit in inserted if edit.operand == 1)
    assert (first.place, first.module.kind) == (place, "sequence")
    projection, normalized = first.module.parts
    facts = {**LAST, "in_channels": 16, "out_channels": 32, "kernel_size": 1, "stride": 2, "bias": False}
    assert projection.arguments == facts
    assert normalized.arguments == {**LAST, "num_features": 32}


def test_no_projection_where_sizes_other_than_the_batch_are_unknown() -> None:
    tape = Tape()
    x = tape.input(None, None, None, 16)
    y = tape.layer("conv", "conv", x, shape=(None, None, None, 32), out_channels=32, **LAST, lazy=True)
    tape.fails("add", y, x, layer="add")
    assert found(tape.recording())[1].headline == "add adds two branches that do not fit: channels differ"
    assert not any(isinstance(edit, Insert) for candidate in candidates(tape.recording()) for edit in candidate.edits)


def test_the_settings_of_the_block_are_proposed_and_no_width_of_an_input() -> None:
    tape = Tape()
    x = conv(tape, "stem", tape.input(None, 32, 32, 3), 16)
    y = norm(tape, "bn", conv(tape, "conv1", x, 24))
    tape.fails("add", norm(tape, "bn2", y), x, layer="add")
    assert {("conv1", "out_channels", 16), ("stem", "out_channels", 24)} <= sets(tape.recording())
    edits = [edit for candidate in candidates(tape.recording()) for edit in candidate.edits if isinstance(edit, Set)]
    assert {edit.argument for edit in edits} == {"out_channels"}


def test_of_three_branches_the_odd_one_is_to_change() -> None:
    _, finding = found(broken_block("layer", skips=2))
    assert finding.headline == "block.add adds three branches that do not fit: height, width and channels differ"
    assert finding.explanation == (
        "main [?, 16, 16, 32] meets skip [?, 32, 32, 16] meets skip [?, 32, 32, 16]. "
        "What differs: height 16 against 32, width 16 against 32, channels 32 against 16."
    )
    assert {want.operand for want in finding.wants} == {0}


def test_the_branch_that_alone_differs_is_rather_to_change_than_two_that_agree() -> None:
    def strides(third: int) -> float:
        tape = Tape()
        x = tape.input(None, 32, 32, 3)
        branches = [conv(tape, "one", x, 8, 2), conv(tape, "two", x, 8)]
        branches += [conv(tape, "three", x, 8, third)] if third else []
        tape.fails("concat", *branches, layer="join", dim=3)
        wanted = Set("two", "stride", (2, 2), (1, 1))
        return next(c.score for c in candidates(tape.recording()) if c.edits == (wanted,))

    assert strides(2) > strides(0) + 0.2
    assert strides(2) > strides(4) + 0.2


def test_another_block_with_a_projection_speaks_for_one() -> None:
    tape = Tape()
    x = conv(tape, "conv2d", tape.input(None, 32, 32, 3), 16)
    main, skip = conv(tape, "conv2d_1", x, 32, 2), conv(tape, "conv2d_2", x, 32, 2, kernel=1)
    x = tape.layer("add", "add", main, skip, type="Add")
    tape.fails("add", conv(tape, "conv2d_3", x, 64, 2), x, layer="add_1", type="Add")
    best = max(
        (c for c in candidates(tape.recording()) if isinstance(c.edits[0], Insert)),
        key=lambda candidate: candidate.score,
    )
    assert best.score > 0.5 and best.evidence == ("add has one",)


# Other merges


def bottlenecks(projected: tuple[str, ...], failing: str) -> Recording:
    """Blocks as in a functional network; the one that fails has no projection, and gives more channels than it is
    given."""
    tape = Tape()
    x = conv(tape, "stem_conv", tape.input(None, 32, 32, 3), 8)
    for name in projected:
        main = conv(tape, f"{name}_1_conv", x, 16)
        x = tape.layer(f"{name}_add", "add", conv(tape, f"{name}_0_conv", x, 16, kernel=1), main, type="Add")
    for name in ("conv6_block2", "conv7_block2"):
        x = tape.layer(f"{name}_add", "add", x, conv(tape, f"{name}_1_conv", x, x.shape[-1] or 0), type="Add")
    tape.fails("add", x, conv(tape, f"{failing}_1_conv", x, 32), layer=f"{failing}_add", type="Add")
    return tape.recording()


def score_of_projection(recording: Recording) -> tuple[float, tuple[str, ...]]:
    """Of one on the skip."""
    inserted = [c for c in candidates(recording) if isinstance(c.edits[0], Insert)]
    best = max(inserted, key=lambda candidate: candidate.score)
    return best.score, best.evidence


def test_the_names_of_other_blocks_speak_for_a_projection_and_against_one() -> None:
    """Beside `conv3_block1_add` there is a `conv3_block1_0_conv`; beside every `*_block2_add` there is none."""
    with_some = bottlenecks(("conv3_block1", "conv4_block1", "conv5_block1"), "conv8_block1")
    score, evidence = score_of_projection(with_some)
    assert score > 0.5
    assert evidence == ("others have one, `conv4_block1_0_conv` and `conv5_block1_0_conv`",)
    assert score_of_projection(bottlenecks((), "conv8_block2"))[0] < -0.5


def test_a_gate_that_is_learned_is_no_projection() -> None:
    def highway(tape: Tape, path: str, x: Value, fails: bool) -> Value | None:
        transform = tape.layer(f"{path}.transform", "linear", x, shape=(2, 48), out_features=48, lazy=True)
        gate = tape.layer(f"{path}.gate", "linear", x, shape=(2, 48), out_features=48, lazy=True)
        gate = tape.op("sigmoid", gate, kind="squash")
        passed = tape.op("mul", gate, transform)
        if fails:
            tape.fails("mul", gate, x)
            return None
        return tape.op("add", passed, tape.op("mul", gate, x))

    tape = Tape()
    x = tape.layer("project", "linear", tape.input(2, 30), shape=(2, 84), out_features=84, lazy=True)
    highway(tape, "one", x, True)
    score, evidence = score_of_projection(tape.recording())
    assert score < 0 and not evidence
    best = max((c for c in candidates(tape.recording())), key=lambda candidate: candidate.score)
    assert isinstance(best.edits[0], Set) and (best.edits[0].layer, best.edits[0].value) == ("project", 48)


def test_what_a_built_layer_was_made_for_may_have_gone_missing_before_it() -> None:
    tape = Tape()
    x = conv(tape, "conv", tape.input(None, 32, 32, 3), 8)
    facts = {"style": "batch", "axis": 3, "num_features": 32, "lazy": True}
    tape.fails("norm", x, layer="norm", type="BatchNormalization", **facts)
    ((insert,),) = [c.edits for c in candidates(tape.recording()) if isinstance(c.edits[0], Insert)]
    assert isinstance(insert, Insert) and (insert.place, insert.operand) == ("norm:BatchNormalization:0", 0)
    assert insert.module.kind == "conv" and insert.module.arguments["out_channels"] == 32


@pytest.mark.parametrize(
    ("kind", "verb"),
    [("sub", "subtracts"), ("mul", "multiplies"), ("average", "averages"), ("maximum", "joins"), ("minimum", "joins")],
)
def test_every_merge_of_elements_has_its_words(kind: str, verb: str) -> None:
    tape = Tape()
    x = tape.input(None, 8, 8, 4)
    tape.fails(kind, conv(tape, "conv", x, 6), x, layer="merge")
    assert found(tape.recording())[1].headline == f"merge {verb} two branches that do not fit: channels differ"


def test_a_narrower_rank_keeps_its_batch_in_a_merge_layer() -> None:
    """`Add` reads [N, 8] beside [N, 5, 8] as [N, 1, 8]; the operation `+` would read it as [1, N, 8]."""
    tape = Tape()
    x = tape.input(3, 5, 8)
    y = tape.op("mean", x, kind="reduce", shape=(3, 8), dim=1)
    tape.layer("add", "add", x, y, shape=(3, 5, 8))
    tape.fails("add", x, y)
    merged, added = find_junctions(Graph(tape.recording()))
    assert (merged.status, merged.axes) == ("broadcast", (1,))
    assert (added.status, added.axes) == ("mismatch", (1,))


def test_a_concatenation_as_a_layer() -> None:
    tape = Tape()
    x = tape.input(None, 65, 65, 3)
    y = conv(tape, "up", conv(tape, "down", x, 8, 2), 8)
    tape.fails("concat", x, y, layer="join", dim=-1)
    recording = tape.recording()
    (junction,) = find_junctions(Graph(recording))
    assert (junction.kind, junction.status, junction.axes) == ("concat", "mismatch", (1, 2))
    _, finding = found(recording)
    assert finding.headline == (
        "join concatenates along axis 3 what differs elsewhere: height 65 against 33 and width 65 against 33"
    )


def test_the_axis_of_a_concatenation_is_a_setting_of_its_layer() -> None:
    tape = Tape()
    x = tape.input(None, 8, 8, 3)
    tape.fails("concat", conv(tape, "one", x, 4), conv(tape, "two", x, 6), layer="join", dim=1)
    assert ("join", "dim", 3) in sets(tape.recording())


def test_a_product_of_batches_along_axes_that_differ() -> None:
    tape = Tape()
    x = tape.input(None, 10)
    one = tape.layer("one", "linear", x, shape=(None, 8), in_features=10, out_features=8, lazy=True)
    two = tape.layer("two", "linear", x, shape=(None, 6), in_features=10, out_features=6, lazy=True)
    tape.fails("dot", one, two, layer="dot", axes=1)
    recording = tape.recording()
    (junction,) = find_junctions(Graph(recording))
    assert (junction.kind, junction.status) == ("dot", "mismatch")
    assert "8 of the first input and 6 of the second" in found(recording)[1].headline
    assert {("one", "out_features", 6), ("two", "out_features", 8)} <= sets(recording)


def scores(queries: Shape, keys: Shape, *, fails: bool, **flags: bool) -> tuple[Tape, Value | None]:
    """Scores of an attention: a product that transposes one of its sides itself."""
    tape = Tape()
    x = tape.input(8, *queries[:1], 20)
    sides = []
    for path, shape in (("query", queries), ("key", keys)):
        facts = {"in_features": 20, "out_features": shape[-1], "lazy": True}
        sides.append(tape.layer(path, "linear", x, shape=(8, *shape), **facts))
    if fails:
        tape.fails("matmul", *sides, **flags)
        return tape, None
    rows, columns = queries[flags.get("transpose_a", False)], keys[not flags.get("transpose_b")]
    return tape, tape.op("matmul", *sides, shape=(8, rows, columns), **flags)


def test_a_product_that_transposes_its_right_side_runs_along_the_last_axes() -> None:
    tape, _ = scores((32, 16), (32, 8), fails=True, transpose_b=True)
    finding = found(tape.recording())[1]
    assert "ends in 16" in finding.headline and "with 8" in finding.headline
    assert "[8, 32, 8] transposed" in finding.explanation
    assert {("query", "out_features", 8), ("key", "out_features", 16)} <= sets(tape.recording())


def test_a_side_that_should_not_be_transposed() -> None:
    tape, _ = scores((32, 16), (16, 8), fails=True, transpose_b=True)
    _, finding = found(tape.recording())
    assert "Not transposed, the right one would fit" in finding.explanation
    assert [(edit.argument, edit.value) for (edit,) in finding.own if isinstance(edit, SetCall)] == [
        ("transpose_b", False)
    ]


@pytest.mark.parametrize(
    ("flags", "shapes", "axis", "wanted"),
    [
        ({"transpose_b": True}, ((32, 16), (24, 16)), 2, {"key": 1}),
        ({"transpose_b": True}, ((32, 16), (24, 16)), 1, {"query": 1}),
        ({"transpose_a": True}, ((32, 16), (32, 8)), 1, {"query": 2}),
        ({"transpose_a": True}, ((32, 16), (32, 8)), 2, {"key": 2}),
    ],
)
def test_a_demand_goes_to_the_axis_that_was_transposed(
    flags: dict[str, bool], shapes: tuple[Shape, Shape], axis: int, wanted: dict[str, int]
) -> None:
    tape, product = scores(*shapes, fails=False, **flags)
    assert product is not None
    graph = Graph(tape.recording(product))
    unit = graph.producer[product.number]
    onward = pull(graph, unit, product.number, {axis: Range.only(5)}).onward
    asked = {graph.producer[value].layer: next(iter(demand)) for value, demand, _ in onward}
    assert asked == wanted


# Silent broadcasts


def stretched(channels: int, merge: str, keep: str | None = None) -> Recording:
    """A block that makes many channels of the few it is given, and adds what it was given."""
    tape = Tape()
    x = tape.input(None, 28, 28, channels)
    narrow = tape.layer("keep", keep, x) if keep else x
    y = conv(tape, "conv2", conv(tape, "conv1", x, 16), 16)
    shape = (None, 28, 28, 16)
    if merge == "layer":
        tape.layer("add", "add", y, narrow, shape=shape)
    else:
        tape.op("add", y, narrow, shape=shape)
    return tape.recording()


@pytest.mark.parametrize("merge", ["layer", "operation"])
@pytest.mark.parametrize("keep", [None, "activation", "norm"])
def test_a_block_of_one_channel_that_adds_it_to_many_is_warned_of(merge: str, keep: str | None) -> None:
    (finding,) = warnings(stretched(1, merge, keep))
    where = "add" if merge == "layer" else "Model"
    assert finding.headline == f"{where} adds two branches of which one is stretched: channels 1 against 16"
    assert [(want.operand, dict(want.demand)[3].exact) for want in finding.wants] == [(1, 16)]


@pytest.mark.parametrize(
    "narrow",
    ["reduce", "pool", "index", "constant", "parameter", "score"],
)
@pytest.mark.parametrize("kind", ["add", "mul"])
def test_stretching_by_design_is_left_alone(narrow: str, kind: str) -> None:
    tape = Tape()
    x = tape.input(2, 8, 8, 16)
    y = conv(tape, "conv", x, 16)
    match narrow:
        case "reduce":
            other = tape.op("mean", x, kind="reduce", shape=(2, 8, 8, 1), dim=3)
        case "pool":
            other = tape.layer("pool", "reduce", x, shape=(2, 1, 1, 16), dim=(1, 2), keepdim=True)
        case "index":
            other = tape.op("getitem", x, kind="index", shape=(2, 8, 8, 1))
        case "constant":
            other = tape.constant(2, 8, 8, 1)
        case "parameter":
            other = tape.parameter("bias", 1, 1, 1, 16)
        case _:
            gate = conv(tape, "score", x, 1)
            other = tape.op("sigmoid", gate, kind="squash")
    tape.layer("merge", kind, y, other, shape=(2, 8, 8, 16))
    assert warnings(tape.recording()) == []


def test_a_grey_picture_may_be_added_to_one_in_colour() -> None:
    tape = Tape()
    x = tape.input(None, 28, 28, 1)
    tape.layer("add", "add", conv(tape, "colours", conv(tape, "conv", x, 16), 3), x, shape=(None, 28, 28, 3))
    assert warnings(tape.recording()) == []


def test_the_same_in_the_order_of_torch() -> None:
    tape = Tape()
    x = tape.input(2, 1, 28, 28)
    y = tape.layer("conv", "conv", x, shape=(2, 16, 28, 28), in_channels=1, out_channels=16, rank=2)
    tape.op("add", y, x)
    (finding,) = warnings(tape.recording())
    assert finding.headline == "Model adds two branches of which one is stretched: channels 1 against 16"


# Layers that are built for their first input


def test_a_layer_built_for_another_width_says_so() -> None:
    tape = Tape()
    x = conv(tape, "stem", tape.input(2, 8, 8, 3), 128)
    tape.fails("conv", x, layer="body", in_channels=64, out_channels=8, kernel_size=(3, 3), **LAST, lazy=True)
    _, finding = found(tape.recording())
    assert finding.headline == "body was built for 64 channels and is given 128"
    assert finding.explanation == (
        "Its input is [2, 8, 8, 128]; axis 3 should be 64 long. "
        "A layer is built for the first input that it is given, and keeps that size."
    )
    assert finding.own == ()
    assert ("stem", "out_channels", 64) in sets(tape.recording())


@pytest.mark.parametrize(
    ("kind", "facts", "shape", "words"),
    [
        ("linear", {"in_features": 6}, (2, 4), "was built for vectors of 6 and is given 4"),
        ("recurrent", {"input_size": 6}, (2, 5, 4), "was built for vectors of 6 and is given 4"),
        ("norm", {"style": "batch", "axis": -1, "num_features": 6}, (2, 8, 8, 4), "was built to normalize 6 and is"),
        ("norm", {"style": "layer", "axis": (2,), "normalized_shape": (6,)}, (2, 5, 4), "was built to normalize 6"),
        ("prelu", {"num_parameters": 6, "channels_last": True}, (2, 8, 8, 4), "keeps a slope for 6 channels"),
    ],
)
def test_every_kind_of_layer_that_is_built(kind: str, facts: dict[str, Any], shape: Shape, words: str) -> None:
    tape = Tape()
    tape.fails(kind, tape.input(*shape), layer="body", **facts, lazy=True)
    _, finding = found(tape.recording())
    assert words in finding.headline
    assert not [e for bundle in finding.own for e in bundle if isinstance(e, Set) and e.value != 1]
    tape = Tape()
    tape.fails(kind, tape.input(*shape), layer="body", **dict.fromkeys(facts) | {"lazy": True})
    with pytest.raises(AssertionError, match="no rule"):
        found(tape.recording())


@pytest.mark.parametrize("lazy", [True, False])
def test_one_layer_in_two_places_is_told(lazy: bool) -> None:
    tape = Tape()
    x = tape.input(2, 8, 8, 64)
    facts = {"in_channels": 64, "out_channels": 128, "kernel_size": (3, 3), **LAST, "lazy": lazy}
    y = tape.layer("shared", "conv", x, shape=(2, 8, 8, 128), **facts)
    tape.fails("conv", y, layer="shared")
    _, finding = found(tape.recording())
    assert "It is one layer, called in two places: earlier in this pass it was given [2, 8, 8, 64]." in (
        finding.explanation
    )


def test_heads_of_an_attention_may_be_given_other_widths_and_not_other_lengths() -> None:
    for value, key, speaks in (((2, 5, 8), (2, 5, 6), False), ((2, 5, 8), (2, 4, 6), True)):
        tape = Tape()
        shapes = ((2, 7, 10), value, key)
        tape.fails("attention", *(tape.input(*shape) for shape in shapes), layer="heads", num_heads=2, lazy=True)
        case = found(tape.recording())[1].headline if speaks else ""
        assert case == ("heads: 4 keys for 5 values" if speaks else "")


# Windows and inputs


def test_a_window_that_is_larger_than_the_map() -> None:
    tape = Tape()
    x = tape.input(None, 2, 2, 8)
    facts = {"kernel_size": (5, 5), "stride": (1, 1), "padding": "valid", "dilation": (1, 1), **LAST, "lazy": True}
    tape.fails("conv", x, layer="conv", out_channels=4, **facts)
    _, finding = found(tape.recording())
    assert finding.headline == (
        "conv slides a window of 5x5 over 2 on axis 1, where 5 is the least and 2 on axis 2, where 5 is the least"
    )
    assert 'with padding "valid" the window' in finding.explanation
    assert ("conv", "padding", "same") in sets(tape.recording())


def test_images_with_their_channels_first_to_a_layer_that_has_them_last() -> None:
    tape = Tape()
    x = tape.input(2, 3, 48, 64)
    tape.fails("conv", x, layer="stem", in_channels=3, out_channels=8, kernel_size=(3, 3), **LAST, lazy=True)
    _, finding = found(tape.recording())
    assert finding.headline == "stem takes 3 channels on the last axis, and they are on axis 1"
    assert "looks like [batch, channels, height, width]; as [2, 48, 64, 3] it would fit" in finding.explanation
    assert finding.own == ((Input(0, "permute", {"dims": (0, 2, 3, 1)}, (2, 48, 64, 3)),),)


def test_an_input_that_divides_is_made_in_height_and_width() -> None:
    tape = Tape()
    x = tape.input(None, 33, 33, 3)
    y = tape.layer(
        "up", "resize", conv(tape, "down", x, 3, 2), shape=(None, 34, 34, 3), scale_factor=(2, 2), channels_last=True
    )
    tape.fails("concat", y, x, layer="join", dim=3)
    shapes = [e.shape for c in candidates(tape.recording()) for e in c.edits if isinstance(e, Input)]
    assert (None, 32, 32, 3) in shapes and (None, 34, 34, 3) in shapes
    assert all(shape[0] is None and shape[3] == 3 for shape in shapes)


# Reshapes and sequences


def test_a_reshape_of_each_item_of_a_batch() -> None:
    tape = Tape()
    x = tape.input(None, 10)
    y = tape.layer("dense", "linear", x, shape=(None, 100), in_features=10, out_features=100, lazy=True)
    tape.fails("reshape", y, layer="reshape", shape=(7, 7, 4), keeps_batch=True)
    recording = tape.recording()
    _, finding = found(recording)
    assert finding.headline == "reshape: [100] has 100 elements, [7, 7, 4] asks for 196"
    assert ("dense", "out_features", 196) in sets(recording)


def test_one_size_of_a_target_may_be_another() -> None:
    tape = Tape()
    tape.fails("reshape", tape.input(None, 4, 4, 24), layer="flat", shape=(16, 48), keeps_batch=True)
    values = [value for layer, argument, value in sets(tape.recording()) if argument == "shape"]
    assert set(values) == {(16, 24), (8, 48)}


def test_an_axis_that_a_reshape_laid_into_another() -> None:
    tape = Tape()
    x = tape.layer("dense", "linear", tape.input(None, 10), shape=(None, 512), out_features=512, lazy=True)
    y = tape.layer("reshape", "reshape", x, shape=(None, 16, 32))
    layers = {"reshape": {"shape": (16, 32), "keeps_batch": True}}
    tape.fails("conv_transpose", y, layer="up", out_channels=8, kernel_size=(3, 3), **LAST, lazy=True)
    recording = tape.recording()
    told = tuple(replace(layer, facts=layers.get(layer.path, layer.facts)) for layer in recording.layers)
    assert ("reshape", "shape", (4, 4, 32)) in sets(replace(recording, layers=told))


def test_a_concatenation_along_an_axis_that_is_not_there() -> None:
    tape = Tape()
    x = tape.input(None, 10)
    tape.fails("concat", x, tape.layer("dense", "linear", x, shape=(None, 6), lazy=True), layer="join", dim=2)
    assert found(tape.recording())[1].headline == "join concatenates along axis 2 tensors of two axes"
    assert ("join", "dim", 1) in sets(tape.recording())
    assert find_junctions(Graph(tape.recording()))[0].status == "mismatch"


def test_a_layer_that_crops_is_told_to_crop_more() -> None:
    tape = Tape()
    x = tape.input(None, 28, 28, 3)
    y = tape.layer("crop", "pad", x, shape=(None, 27, 27, 3), type="Cropping2D", pad=(0, 0, -1, 0, -1, 0), **LAST)
    tape.fails("add", y, conv(tape, "half", x, 3, 2), layer="add")
    assert ("crop", "pad", (0, 0, -7, -7, -7, -7)) in sets(tape.recording())


def test_a_reshape_of_unknown_sizes_is_not_judged() -> None:
    tape = Tape()
    tape.fails("reshape", tape.input(None, None, 3), layer="reshape", shape=(7, 7), keeps_batch=True)
    with pytest.raises(AssertionError, match="no rule"):
        found(tape.recording())


@pytest.mark.parametrize("failing", ["second", "add"])
def test_a_recurrent_layer_that_gave_only_its_last_step(failing: str) -> None:
    tape = Tape()
    x = tape.input(3, 12, 32)
    facts = {"input_size": 32, "hidden_size": 32, "return_sequences": False, "lazy": True}
    y = tape.layer("first", "recurrent", x, shape=(3, 32), type="LSTM", **facts)
    y = tape.layer("dropout", "dropout", y)
    if failing == "second":
        tape.fails("recurrent", y, layer="second", **facts)
    else:
        tape.fails("add", y, x)
    recording = tape.recording()
    best = candidates(recording)[0]
    assert best.edits == (Set("first", "return_sequences", True, False),)
    assert best.evidence == ("first gives its last step alone, and so has no axis of time",)
