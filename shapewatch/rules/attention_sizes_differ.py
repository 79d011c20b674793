"""Query, key and value of an attention do not fit each other or the layer.

## What it means
Query and key need the same width, key and value the same length, and an attention layer is made for one width.

## Why
Scores are products of queries with keys; they weigh the values, one for each key.

## Bad
    nn.MultiheadAttention(16, 4)(torch.ones(5, 2, 12), torch.ones(5, 2, 12), torch.ones(5, 2, 12))

## Good
    nn.MultiheadAttention(16, 4)(torch.ones(5, 2, 16), torch.ones(5, 2, 16), torch.ones(5, 2, 16))
"""

from __future__ import annotations

from shapewatch.axes import Range, broadcast_problems, differ
from shapewatch.demand import Want
from shapewatch.edits import Edit, Input, Insert, Module
from shapewatch.recording import Shape, text
from shapewatch.rules.mask_of_a_part import partly_masked
from shapewatch.rules.rule import Case, Finding, listed, number, rule


@rule("SW103", "attention-sizes-differ", frozenset({"attention", "module"}))
def check(case: Case) -> Finding | None:
    if case.call.kind == "module":
        return _model_width(case)
    if case.layer is not None and "embed_dim" not in case.facts:
        return _of_layer(case)
    if len(case.shapes) < 3 or min(len(shape) for shape in case.shapes[:3]) < 2:
        return None
    query, key = case.shapes[:2]
    operands = case.call.operands
    width = case.facts.get("embed_dim")
    if case.layer is not None and isinstance(width, int):
        if differ(query[-1], width):
            last = len(query) - 1
            return Finding(
                headline=f"{case.name} takes vectors of {width} and is given {query[-1]}",
                explanation=f"Its query is {text(query)}; the last axis should be {width} long.",
                own=((case.set("embed_dim", query[-1]),),),
                wants=(Want(operands[0], {last: Range.only(width)}),),
            )
        return (
            _memory_width(case)
            or _padding_mask(case, query, key)
            or _mask_of_a_part(case)
            or _score_mask(case, query, key)
        )
    return _scores(case, 0, 1) or _keys(case, 1, 2) or _mask(case, query, key) or _heads(case)


def _memory_width(case: Case) -> Finding | None:
    """Keys and values, which a layer may be told to take in widths of their own."""
    for operand, name, what in ((1, "kdim", "keys"), (2, "vdim", "values")):
        shape, width = case.shapes[operand], case.facts.get(name)
        if not isinstance(width, int) or not differ(shape[-1], width):
            continue
        last = len(shape) - 1
        both = case.call.operands[1] == case.call.operands[2]
        sets = case.sets(kdim=shape[-1], vdim=shape[-1]) if both else case.sets(**{name: shape[-1]})
        return Finding(
            headline=f"{case.name} takes {'keys and values' if both else what} of {width} and is given {shape[-1]}",
            explanation=f"Its {'keys and values are' if both else f'{what} are'} {text(shape)}; the last axis should "
            f"be {width} long, as that of its queries is unless `{name}` says otherwise.",
            own=sets,
            wants=(Want(case.call.operands[operand], {last: Range.only(width)}, operand),),
        )
    return None


def _of_layer(case: Case) -> Finding | None:
    """A layer that is built for what it is given, in the order query, value and, if it is not the value, key. One with
    heads brings its inputs to one width by itself."""
    if "num_heads" in case.facts and (found := _table_of_steps(case)) is not None:
        return found
    if len(case.shapes) < 2 or min(len(shape) for shape in case.shapes[:3]) < 3:
        return None
    masked = len(case.shapes) > 2 and not _is_float(case, 2)
    if masked and "num_heads" in case.facts:
        return _mask_of_steps(case)
    key = 2 if len(case.shapes) > 2 and not masked else 1
    return (None if "num_heads" in case.facts else _scores(case, 0, key)) or _keys(case, key, 1)


def _is_float(case: Case, operand: int) -> bool:
    return "float" in case.recording.values[case.call.operands[operand]].spec.dtype


def _mask_of_steps(case: Case) -> Finding | None:
    """A mask of three axes that is given where there is no key of its own: of another sequence, mostly."""
    (_, queries, *_), (_, keys, *_), mask = case.shapes[:3]
    if len(mask) != 3:
        return None
    other_keys, other_queries = (
        size != 1 and differ(size, there) for size, there in ((mask[2], keys), (mask[1], queries))
    )
    if not other_keys and not other_queries:
        return None
    turned = (mask[-2], mask[-1]) == (keys, queries) != (queries, keys)
    also = " It has the queries on its last axis." if turned else ""
    wanted = {
        axis: Range.only(size) for axis, size in ((1, queries), (2, keys)) if size and mask[axis] not in (1, None)
    }
    return Finding(
        headline=f"{case.name}: the mask is for {mask[-1]} keys, and there are {keys}"
        if other_keys
        else f"{case.name}: the mask is for {mask[-2]} queries, and there are {queries}",
        explanation=f"A mask is [batch, queries, keys], where an axis may be 1; this one is {text(mask)}, of "
        f"{queries} queries and {keys} keys.{also}",
        own=((Insert(case.call.place, 2, Module("permute", {"dims": (0, 2, 1)})),),) if turned else (),
        wants=(Want(case.call.operands[2], wanted, 2),) if wanted else (),
    )


def _table_of_steps(case: Case) -> Finding | None:
    """A mask of two axes is one of queries and keys, the same for every sample; a padding mask needs the axis of the
    queries as well."""
    if len(case.shapes) < 3 or len(case.shapes[0]) != 3 or len(case.shapes[1]) != 3:
        return None
    (batch, queries, _), (_, keys, _) = case.shapes[:2]
    tables = [(position, shape) for position, shape in enumerate(case.shapes) if position > 1 and len(shape) == 2]
    if len(tables) != 1 or None in (*tables[0][1], queries, keys):
        return None
    ((operand, mask),) = tables
    if not any(size not in (1, wanted) for size, wanted in zip(mask, (queries, keys), strict=True)):
        return None
    padding = mask == (batch, keys)
    why = f" {text(mask)} has a row for each sample, as a padding mask has: it lacks the axis of the queries."
    return Finding(
        headline=f"{case.name}: the mask is for {mask[0]} queries and {mask[1]} keys, and there are {queries} and "
        f"{keys}",
        explanation=f"A mask is [batch, queries, keys], here {text((batch, queries, keys))}, where an axis may be 1; "
        f"one of two axes is [queries, keys].{why if padding else ''}",
        own=((Insert(case.call.place, operand, Module("unsqueeze", {"dims": (1,), "rank": 3})),),) if padding else (),
    )


def _scores(case: Case, query: int, key: int) -> Finding | None:
    """Queries and keys, by their operands, are as wide as each other."""
    one, other = case.shapes[query], case.shapes[key]
    if not differ(one[-1], other[-1]):
        return None
    return Finding(
        headline=f"{case.name}: queries are {one[-1]} wide, keys {other[-1]}",
        explanation=f"Query {text(one)} and key {text(other)} need the same last axis.",
        wants=_either(case, query, key, -1),
    )


def _keys(case: Case, key: int, value: int) -> Finding | None:
    """There is one value for each key."""
    one, other = case.shapes[key], case.shapes[value]
    if not differ(one[-2], other[-2]):
        return None
    return Finding(
        headline=f"{case.name}: {one[-2]} keys for {other[-2]} values",
        explanation=f"Key {text(one)} and value {text(other)} need the same length, on the last axis but one.",
        wants=_either(case, key, value, -2),
    )


def _mask(case: Case, query: Shape, key: Shape) -> Finding | None:
    """A mask or bias has a number for each query and each key."""
    if len(case.shapes) < 4 or len(case.shapes[3]) < 2:
        return None
    mask, scores = case.shapes[3], (query[-2], key[-2])
    if not any(differ(one, other) and one != 1 for one, other in zip(mask[-2:], scores, strict=True)):
        return None
    demands = [(position, size) for position, size in ((0, mask[-2]), (1, mask[-1])) if size not in (None, 1)]
    return Finding(
        headline=f"{case.name}: the mask is for {mask[-2]} queries and {mask[-1]} keys, and there are {query[-2]} and "
        f"{key[-2]}",
        explanation=f"Query {text(query)}, key {text(key)} and mask {text(mask)} meet in the scores.",
        wants=tuple(
            Want(case.call.operands[p], {len(case.shapes[p]) - 2: Range.only(size or 1)}, p) for p, size in demands
        ),
    )


def _padding_mask(case: Case, query: Shape, key: Shape) -> Finding | None:
    """A padding mask has a row for each sample; one that has its axes the other way round shows that the layer and the
    program do not agree on where the batch is."""
    if "batch_first" not in case.facts or len(query) != 3 or len(key) != 3:
        return None
    batch, steps = (0, 1) if case.facts["batch_first"] else (1, 0)
    wanted = (key[batch], key[steps])
    masks = [(at, shape) for at, shape in enumerate(case.shapes) if at >= 3 and len(shape) == 2]
    if len(masks) != 1 or masks[0][1] != wanted[::-1] or wanted[0] == wanted[1] or None in wanted:
        return None
    ((operand, mask),) = masks
    order = "[batch, time, features]" if case.facts["batch_first"] else "[time, batch, features]"
    inputs = [(index, case.recording.shape(number)) for index, number in enumerate(case.recording.inputs)]
    return Finding(
        headline=f"{case.name} takes a padding mask {text(wanted)} and is given {text(mask)}",
        explanation=f"It was made with batch_first={case.facts['batch_first']}, reads {order}, and its input is "
        f"{text(query)}: it counts {wanted[0]} samples of {wanted[1]}. The mask says the opposite; with "
        f"batch_first={not case.facts['batch_first']} both would be taken as they are.",
        own=(
            _turned(case, operand) if case.facts["batch_first"] else (case.set("batch_first", True),),
            *(
                (Input(index, "permute", {"dims": (1, 0, 2)}, (shape[1], shape[0], shape[2])),)
                for index, shape in inputs
                if len(shape) == 3 and shape[:2] == query[:2]
            ),
        ),
    )


def _mask_of_a_part(case: Case) -> Finding | None:
    """A padding mask that was made before other keys were joined to those that it covers."""
    found = partly_masked(case) if "batch_first" in case.facts else None
    if found is None:
        return None
    keys, covered = sum(found.lengths), found.lengths[found.covered]
    return Finding(
        headline=f"{case.name}: the padding mask is for {covered} keys, and there are {keys}",
        explanation=f"It says of each key whether it is padding, [batch, {keys}], and is given as "
        f"{text(case.recording.shape(found.site.operands[found.operand]))}.",
    )


def _turned(case: Case, operand: int) -> tuple[Edit, ...]:
    """A mask with its two axes swapped, where the program has it."""
    index, (rows, columns) = case.input_at(case.call.operands[operand]), case.shapes[operand]
    if index is not None:
        return (Input(index, "permute", {"dims": (1, 0)}, (columns, rows)),)
    return (Insert(case.call.place, operand, Module("permute", {"dims": (1, 0)})),)


def _score_mask(case: Case, query: Shape, key: Shape) -> Finding | None:
    """A mask of a layer's scores has a row for each query and a column for each key."""
    if "attn_mask" not in case.message or len(query) != 3 or len(key) != 3:
        return None
    steps = 1 if case.facts.get("batch_first") else 0
    wanted = (query[steps], key[steps])
    wrong = [at for at, shape in enumerate(case.shapes[3:], start=3) if len(shape) in (2, 3) and shape[-2:] != wanted]
    square = [at for at in wrong if case.shapes[at][-2:] != (query[1 - steps], key[steps])]
    if None in wanted or len(square) != 1:
        return None
    mask, name = case.shapes[square[0]], case.called(case.call.operands[square[0]], "the mask")
    return Finding(
        headline=f"{case.name}: {name} is for {mask[-2]} queries and {mask[-1]} keys, and there are {wanted[0]} and "
        f"{wanted[1]}",
        explanation=f"Query {text(query)}, key {text(key)} and mask {text(mask)} meet in the scores, "
        f"{text((*query[1 - steps : 2 - steps], *wanted))}: the mask is made for another length.",
    )


def _heads(case: Case) -> Finding | None:
    """Queries, keys and values are of one batch and of as many heads; which of the axes is which, nobody says."""
    problems = broadcast_problems([shape[:-2] for shape in case.shapes[:3]])
    if not problems or not case.tells("elementwise"):
        return None
    sizes = "; ".join(f"{listed([number(size) for size in p.sizes])} on axis {p.axis}" for p in problems)
    query, key, value = (text(shape) for shape in case.shapes[:3])
    return Finding(
        headline=f"{case.name}: queries, keys and values are not of one batch and as many heads: {sizes}",
        explanation=f"Query {query}, key {key} and value {value}: all axes but the last two have to be equal or 1. "
        "Heads that share their keys and values need `enable_gqa=True`, or these repeated for each.",
    )


def _model_width(case: Case) -> Finding | None:
    """A whole transformer, or somebody's own layer, that keeps the width it was made for as `d_model`."""
    width = case.facts.get("d_model")
    for position, shape in enumerate(case.shapes):
        if isinstance(width, int) and len(shape) > 1 and differ(shape[-1], width):
            return Finding(
                headline=f"{case.name} takes vectors of {width} and is given {shape[-1]}",
                explanation=f"Its input is {text(shape)}; the last axis should be {width} long.",
                wants=(Want(case.call.operands[position], {len(shape) - 1: Range.only(width)}, position),),
            )
    return None


def _either(case: Case, one: int, other: int, axis: int) -> tuple[Want, ...]:
    """Each of two operands as long as the other on an axis counted from the right."""
    wants = []
    for changed, kept in ((one, other), (other, one)):
        size = case.shapes[kept][axis]
        if size is not None:
            wants.append(
                Want(case.call.operands[changed], {len(case.shapes[changed]) + axis: Range.only(size)}, changed)
            )
    return tuple(wants)
