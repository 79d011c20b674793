"""A model as tables: its layers in the order in which they ran, and the junctions with their branches."""

from __future__ import annotations

from shapewatch.flow.junctions import Branch, Junction, Status
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
from shapewatch.render.parting import shown_branches
from shapewatch.report import Report

LAYER_COLUMNS = (
    Column(tight="cut", names=True),
    Column(tight="cut"),
    Column(tight="drop"),
    Column(),
    Column(right=True),
)
"""The layer, its type, its settings, what it gives, its parameters."""

JUNCTION_COLUMNS = (Column(names=True), Column(), Column(tight="cut"))
"""Of a branch: its role, its shape, what it went through."""

STATUS_STYLES: dict[Status, Style] = {"ok": "good", "broadcast": "warning", "mismatch": "error"}

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
    around: list[str] = []
    for path, calls in _called(report).items():
        while around and not _is_within(path, around[-1]):
            around.pop()
        layer = report.recording.layer_at.get(path, Layer(path, calls[0].name, "module"))
        name = naming.within(path, around[-1]) if around else path
        rows.append(
            (
                Cell(
                    runs(
                        Run(GLUE * 2 * len(around)),
                        Run(name or "the model", "text" if layer.leaf else "strong"),
                    )
                ),
                Cell(runs(layer.type)),
                Cell(runs(naming.settings(layer))),
                Cell(_given(report, calls)),
                Cell(runs(f"{layer.parameters:,}" if layer.parameters else "")),
            )
        )
        around.append(path)
    return Table(LAYER_COLUMNS, tuple(rows), head=1)


def _is_within(path: str, layer: str) -> bool:
    return path.startswith(f"{layer}.") or (not layer and bool(path))


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
    return Paragraph(runs(Run(f"stopped{where}{place}", "error"), f": {failure.type}: {first}".rstrip(": ")), limit=3)


# Junctions


def _junctions(report: Report) -> Table:
    rows: list[Row] = [(Cell(runs(Run("junctions", "muted")), 3),)]
    for junction in report.junctions:
        style: Style = STATUS_STYLES[junction.status]
        name = Run(naming.layer_name(junction.layer), "strong")
        rows.append((Cell(runs(name, f"  {junction.kind}  ", Run(junction.status, style)), 3, names=True),))
        names = branch_names(junction.branches)
        shown = shown_branches(junction)
        for index in shown:
            branch = junction.branches[index]
            words = (GLUE * 2 + names[index], naming.sizes(branch.shape), _through(report, junction, branch))
            rows.append(tuple(Cell(runs(word)) for word in words))
        if hidden := len(names) - len(shown):
            rows.append((Cell(runs(f"{GLUE * 2}… {naming.counted(hidden, 'more branch', 'more branches')}"), 3),))
    return Table(JUNCTION_COLUMNS, tuple(rows), head=1)


def _through(report: Report, junction: Junction, branch: Branch) -> str:
    if not branch.path:
        return fork_name(report, junction) if junction.fork is not None else ""
    names = [naming.within(step.layer, junction.block) if step.layer else step.name for step in branch.path]
    return ", ".join(names) if len(names) < 4 else f"{names[0]} … {names[-1]}, {naming.counted(len(names), 'call')}"
