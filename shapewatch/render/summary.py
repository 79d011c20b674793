"""A model as tables: its layers in the order in which they ran, and the junctions with their branches."""

from __future__ import annotations

from shapewatch.junctions import Branch, Junction
from shapewatch.recording import Call, Layer, Shape
from shapewatch.render import naming
from shapewatch.render.branches import branch_names, fork_name
from shapewatch.render.document import (
    GLUE,
    Blank,
    Block,
    Cell,
    Column,
    Document,
    Paragraph,
    Row,
    Run,
    Style,
    Table,
    runs,
)
from shapewatch.report import Report

LAYER_COLUMNS = (Column(), Column(), Column(tight="drop"), Column(), Column(right=True))
"""The path, the type, its settings, what it gives, its parameters."""

JUNCTION_COLUMNS = (Column(), Column(), Column(), Column(gap=3), Column(), Column(tight="cut", gap=3))
"""The layer, the kind, the status, then for each branch its role, its shape and what it went through."""

MOST_NAMED = 6
"""More layers than this are counted, not named."""


def compose_summary(report: Report) -> Document:
    """The document of a summary. Of a pass that failed: what ran before, and where it stopped."""
    blocks: list[Block] = [_layers(report), Blank(), *_around(report)]
    if report.junctions:
        blocks += [Blank(), _junctions(report)]
    return Document(tuple(blocks))


def _header(*names: str) -> Row:
    return tuple(Cell(runs(Run(name, "muted"))) for name in names)


# Layers


def _layers(report: Report) -> Table:
    rows = [_header("layer", "type", "", "output", "parameters")]
    for path, calls in _called(report).items():
        layer = report.recording.layer_at.get(path, Layer(path, calls[0].name, "other"))
        rows.append(
            (
                Cell(runs(Run(path or "the model", "strong" if not layer.leaf else "text"))),
                Cell(runs(layer.type)),
                Cell(runs(naming.settings(layer))),
                Cell(_given(report, calls)),
                Cell(runs(f"{layer.parameters:,}" if layer.parameters else "")),
            )
        )
    return Table(LAYER_COLUMNS, tuple(rows))


def _called(report: Report) -> dict[str, list[Call]]:
    """The calls of each layer, by path, in the order of the first ones."""
    called: dict[str, list[Call]] = {}
    for call in report.calls:
        if call.is_layer:
            called.setdefault(call.layer, []).append(call)
    return called


def _given(report: Report, calls: list[Call]) -> tuple[Run, ...]:
    """`[2, 16, 32, 32]`, `[2, 16] in 3 calls`, `not finished`."""
    finished = [call for call in calls if call.finished]
    if not finished:
        return runs(Run("not finished", "error"))
    different: dict[tuple[Shape, ...], None] = dict.fromkeys(report.output_shapes(call) for call in finished)
    shapes = [naming.listed([naming.sizes(shape) for shape in each]) for each in different]
    first = shapes[0] if len(shapes) == 1 else f"{shapes[0]} and {naming.counted(len(shapes) - 1, 'other')}"
    return runs(first, f" in {len(calls)} calls" if len(calls) > 1 else "")


def _around(report: Report) -> list[Block]:
    """The totals; where the pass stopped, if it did; which layers did not run."""
    recording = report.recording
    whole = recording.layer_at.get("")
    total = whole.parameters if whole else sum(layer.parameters for layer in recording.layers if layer.leaf)
    facts = [naming.counted(total, "parameter"), naming.counted(len(report.junctions), "junction")]
    if given := naming.output(report.output):
        facts.append(f"output{GLUE}{given}")
    blocks: list[Block] = [Paragraph(runs(", ".join(facts)))]
    if recording.failure is not None:
        blocks.append(_stop(report))
    called = _called(report)
    idle = [layer.path for layer in recording.layers if layer.leaf and layer.path not in called]
    if idle:
        named = f": {', '.join(idle)}" if len(idle) <= MOST_NAMED else ""
        how = "was" if len(idle) == 1 else "were"
        blocks.append(Paragraph(runs(f"{naming.counted(len(idle), 'layer')} {how} not reached{named}")))
    return blocks


def _stop(report: Report) -> Paragraph:
    """`stopped in layer2.0 at train.py:41: RuntimeError: …`."""
    failure, call = report.recording.failure, report.recording.failing_call()
    assert failure is not None
    where = f" in {naming.layer_name(call.layer)}" if call is not None else ""
    span = failure.span or (call.span if call else None)
    place = f" at {naming.place(span)}" if span else ""
    first, *_ = [*failure.message.splitlines(), ""]
    return Paragraph(
        runs(Run(f"stopped{where}{place}", "error"), f": {failure.type}: {first}".rstrip(": ")), limit=3
    )


# Junctions


def _junctions(report: Report) -> Table:
    rows = [_header("junction", "kind", "status", "", "shape", "went through")]
    for junction in report.junctions:
        status: Style = (
            "text" if junction.status == "ok" else "error" if junction.status == "mismatch" else "warning"
        )
        about = (
            Cell(runs(Run(naming.layer_name(junction.layer), "strong"))),
            Cell(runs(junction.kind)),
            Cell(runs(Run(junction.status, status))),
        )
        for name, branch in zip(branch_names(junction.branches), junction.branches, strict=True):
            through = _through(report, junction, branch)
            rows.append((*about, *(Cell(runs(text)) for text in (name, naming.sizes(branch.shape), through))))
            about = (Cell(), Cell(), Cell())
    return Table(JUNCTION_COLUMNS, tuple(rows))


def _through(report: Report, junction: Junction, branch: Branch) -> str:
    if not branch.path:
        return fork_name(report, junction) if junction.fork is not None else ""
    names = [naming.within(step.layer, junction.layer) if step.layer else step.name for step in branch.path]
    return (
        ", ".join(names)
        if len(names) < 4
        else f"{names[0]} … {names[-1]}, {naming.counted(len(names), 'call')}"
    )
