"""Which input sizes a model accepts: a table of the axes, what it gives, and where other sizes fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapewatch.render import naming
from shapewatch.render.document import Blank, Block, Cell, Column, Document, Line, Paragraph, Run, Table, runs
from shapewatch.sizes.accepted import Accepted, Axis, Few, Refusal, Row, Rule, Shapes, Stretch

COLUMNS = (Column(), Column(), Column(tight="cut"), Column(), Column(tight="drop"))

HEADER = ("axis", "accepts", "given", "tried")
"""Behind the input, where there are several: the axis, what it accepts, what was given, how many sizes were tried."""

MOST_LISTED = 6
"""Sizes of which no rule is known, in one row."""

MOST_REFUSALS = 2
"""Of one row. The nearest comes first."""


def compose_sizes(accepted: Accepted) -> Document:
    """The document of what `sizes` found."""
    blocks: list[Block] = [Paragraph(_headline(accepted))]
    if accepted.rows:
        blocks += [Blank(), _table(accepted)]
    if accepted.output:
        blocks += [Blank(), Line(runs(Run("output ", "label"), _output(accepted)))]
    reasons = list(_reasons(accepted))
    if reasons:
        blocks += [Blank(), *reasons]
    if accepted.fits is not None:
        blocks += [Blank(), *(Paragraph(runs(line)) for line in _how(accepted))]
    return Document(tuple(blocks))


def _headline(accepted: Accepted) -> tuple[Run, ...]:
    given = _inputs(accepted, accepted.given)
    if accepted.fits is None:
        return runs(Run(given, "strong"), f" cannot be told: {naming.listed(accepted.notes)}")
    if accepted.fits:
        return runs(Run(given, "strong"), Run(" fits", "good"))
    instead = [_inputs(accepted, shapes) for shapes in accepted.instead]
    do = "does" if len(instead) == 1 else "do"
    near = f"; {naming.listed(instead)} {do}" if instead else "; no near sizes were found that do"
    return runs(Run(given, "strong"), Run(" does not fit", "error"), near)


def _inputs(accepted: Accepted, shapes: Shapes) -> str:
    """`1x3x224x224`, `tokens=2x10 with mask=2x10`."""
    sizes = ["x".join(map(str, shape)) for shape in shapes]
    if not all(name.isidentifier() for name in accepted.inputs) or len(sizes) == 1:
        return " with ".join(sizes)
    return " with ".join(f"{name}={size}" for name, size in zip(accepted.inputs, sizes, strict=True))


# The table


def _table(accepted: Accepted) -> Table:
    first = "input" if len(accepted.inputs) > 1 else ""
    rows = [tuple(Cell(runs(Run(name, "muted"))) for name in (first, *HEADER)[not first :])]
    shown = ""
    for row in accepted.rows:
        inputs = naming.listed(list(dict.fromkeys(axis.input for axis in row.axes)))
        cells = (
            runs(inputs if inputs != shown else ""),
            runs(axes_of(row.axes)),
            runs(Run(accepts(row), "strong")),
            _given(row),
            runs(Run(_tried(row), "muted")),
        )
        rows.append(tuple(map(Cell, cells[not first :])))
        shown = inputs
    return Table(COLUMNS[not first :], tuple(rows))


def axes_of(axes: Sequence[Axis]) -> str:
    """`height and width`. An axis that no layer gave a name has that of those that it goes with, if they have one."""
    names = list(dict.fromkeys(axis.name for axis in axes))
    known = [name for name in names if not name.startswith("axis ")]
    return naming.axes_listed(known or names)


def accepts(row: Row) -> str:
    """`multiples of 16, from 32 on`; `any, both equal`; `32 only, as declared`."""
    words = [rule_in_words(row.accepts) if isinstance(row.accepts, Rule) else _few(row.accepts, len(row.tried))]
    if row.together == "equal" and row.accepts.only is None:
        words.append("both equal" if len(row.axes) == 2 else "all equal")
    if row.refusals and row.refusals[0].declared:
        words.append("as declared")
    return ", ".join(words)


def rule_in_words(rule: Rule) -> str:
    """The rule as it is said: `any`, `3 only`, `at most 512`, `28n to 28n + 3, from 56 on`."""
    if rule.only is not None:
        return f"{rule.low:,} only"
    if rule.step == 1:
        if rule.high is not None:
            return f"at most {rule.high:,}" if rule.low == 1 else f"{rule.low:,} to {rule.high:,}"
        return "any" if rule.low == 1 else f"from {rule.low:,} on"
    least = next(size for size in range(1, rule.step + 1) if rule.of_step(size))
    words = [_step(rule)]
    if rule.high is not None:
        words.append(f"at most {rule.high:,}" if rule.low == least else f"from {rule.low:,} to {rule.high:,}")
    elif rule.low > least:
        words.append(f"from {rule.low:,} on")
    return ", ".join(words)


def _step(rule: Rule) -> str:
    step, remainders = rule.step, rule.remainders
    if remainders == (0,):
        return "even" if step == 2 else f"multiples of {step}"
    if (step, remainders) == (2, (1,)):
        return "odd"
    sizes = [f"{step}n" if not remainder else f"{step}n + {remainder}" for remainder in remainders]
    if len(remainders) > 2 and remainders == tuple(range(remainders[0], remainders[-1] + 1)):
        return f"{sizes[0]} to {sizes[-1]}"
    return naming.listed(sizes, "or")


def _few(few: Few, tried: int) -> str:
    sizes = [f"{size:,}" for size in few.sizes[:MOST_LISTED]]
    if len(few.sizes) > MOST_LISTED:
        sizes.append(f"{len(few.sizes) - MOST_LISTED} more")
    if few.settled:
        return f"of the {tried:,} tried: {naming.listed(sizes)}"
    return f"no rule yet; of the {tried:,} tried: {naming.listed(sizes)}"


def _given(row: Row) -> tuple[Run, ...]:
    if row.fits:
        return runs(" and ".join(map(str, dict.fromkeys(row.given))))
    unfit = [str(size) for size in dict.fromkeys(row.given) if size not in row.accepts]
    if unfit:
        return runs(Run(f"{naming.listed(unfit)} {'fails' if len(unfit) == 1 else 'fail'}", "error"))
    return runs(Run(f"{naming.listed(list(map(str, row.given)))} differ", "error"))


def _tried(row: Row) -> str:
    return f"{len(row.tried):,}, up to {max(row.tried):,}"


def _output(accepted: Accepted) -> str:
    return naming.listed([f"[{', '.join(shape)}]" for shape in accepted.output])


# Reasons


def _reasons(accepted: Accepted) -> Iterator[Block]:
    if not accepted.rows and accepted.refusal is not None:
        yield Paragraph(_refused("it", accepted.refusal))
    for row in sorted(accepted.rows, key=lambda row: row.fits):
        for stretch in row.stretches:
            yield Paragraph(_stretched(stretch))
        for refusal in row.refusals[:MOST_REFUSALS]:
            near = row.near if refusal.size in row.given else ()
            alone = " alone" if row.together == "equal" and len(refusal.axes) < len(row.axes) else ""
            what = _size_of(refusal.axes, refusal.size) + alone
            yield Paragraph(runs(_refused(what, refusal), _near(near)))


def _refused(what: str, refusal: Refusal) -> tuple[Run, ...]:
    """`height 300 fails at `torch.cat([s, x], 1)` (model.py:41), given [1, 64, 75, 64] and [1, 64, 74, 64]`."""
    if refusal.declared:
        return runs(Run(what, "strong"), f" is refused before any layer: the model declares {_shapes(refusal.shapes)}")
    words = f" in {naming.layer_name(refusal.layer)}" if refusal.layer else ""
    if refusal.location is not None and refusal.location.source:
        words += f" at `{refusal.location.source}`"
    if refusal.location is not None:
        words += f" ({naming.place(refusal.location)})"
    given = f", given {_shapes(refusal.shapes)}" if refusal.shapes and (refusal.operation or refusal.layer) else ""
    said = given or f": {refusal.message}"
    return runs(Run(what, "strong"), " fails", words, said)


def _near(sizes: Sequence[int]) -> str:
    if not sizes:
        return ""
    return f"; {naming.listed(list(map(str, sizes)))} {'fits' if len(sizes) == 1 else 'fit'}"


def _size_of(axes: Sequence[Axis], *sizes: int) -> str:
    """`height 31`, `size 31 on axis 2`, `sizes 1 and 2 on axis 2`."""
    name, words = axes_of(axes), naming.listed([str(size) for size in sizes])
    if not name.startswith(("axis ", "axes ")):
        return f"{name} {words}"
    return f"{'size' if len(sizes) == 1 else 'sizes'} {words} on {name}"


def _shapes(shapes: Sequence[Sequence[int | None]]) -> str:
    different = list(dict.fromkeys(tuple(shape) for shape in shapes))
    return naming.listed([naming.sizes(shape) for shape in different[:3]])


def _stretched(stretch: Stretch) -> tuple[Run, ...]:
    sizes = stretch.sizes[:MOST_LISTED]
    run = "runs without an error, and is" if len(sizes) == 1 else "run without an error, and are"
    at = f" at `{stretch.location.source}`" if stretch.location is not None and stretch.location.source else ""
    place = f" ({naming.place(stretch.location)})" if stretch.location is not None else ""
    return runs(
        Run(_size_of(stretch.axes, *sizes), "strong"),
        Run(f" {run} not accepted", "warning"),
        f": in {naming.layer_name(stretch.layer)}{at}{place} {_shapes(stretch.shapes)} meet, one silently repeated",
    )


# How it was found


def _how(accepted: Accepted) -> Iterator[str]:
    passes = naming.counted(accepted.passes, "pass", "passes")
    if accepted.rows:
        others = "given" if accepted.base == accepted.given else f"in {_inputs(accepted, accepted.base)}"
        whole = naming.counted(accepted.whole, "whole input")
        also = f"; {whole} of sizes that fit ran too" if accepted.whole else ""
        yield f"{passes} on shapes alone, one row changed at a time, the others as {others}{also}"
    else:
        yield f"{passes} on shapes alone, with one axis changed, and with height and width"
    yield from accepted.notes
    if accepted.ended:
        yield accepted.ended
