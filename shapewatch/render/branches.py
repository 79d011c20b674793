"""A junction drawn: its branches one above the other, a line per call, and a mark where they part.

    from the fork, the input of layer2.0          [2, 16, 32, 32]
    main  conv1  Conv2d 16 -> 32, 3x3, stride 2   [2, 32, 16, 16]  < here height and width part
          bn1, relu, conv2, bn2                   [2, 32, 16, 16]
    skip  unchanged                               [2, 16, 32, 32]

Calls that keep the shape share a line, and a long branch is folded in its middle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from shapewatch.firewall import attempt
from shapewatch.flow.junctions import Branch, Junction, Step
from shapewatch.recording import Shape, Size, spoken
from shapewatch.render import naming
from shapewatch.render.document import (
    GLUE,
    Block,
    Branching,
    Cell,
    Column,
    Lane,
    Paragraph,
    Pictured,
    Row,
    Run,
    Runs,
    Stop,
    Style,
    Table,
    runs,
)
from shapewatch.render.parting import axis_names_at, partings, rank_of, shown_branches, size_of
from shapewatch.report import Diagnosis, Report

MOST_LINES = 7
"""A branch with more lines than this is folded in its middle."""

MOST_NAMES = 36
"""Characters that the names of calls folded into one line may take."""

COLUMNS = (
    Column(names=True),
    Column(),
    Column(tight="cut"),
    Column(),
    Column(tight="below"),
    Column(tight="drop", gap=3),
)
"""The branch, the call, its type and settings, what it gives, where the branches part, where it stands."""


def junction_blocks(
    report: Report, diagnosis: Diagnosis, *, full: bool, drawn: bool = False
) -> tuple[tuple[Block, ...], Block]:
    """The sizes that meet, as paragraphs; and the branches, as a table and, where it is to be drawn, as a picture."""
    junction = diagnosis.junction
    assert junction is not None
    drawing = _Drawing(report, diagnosis, junction, full)
    picture = attempt(_Drawing(report, diagnosis, junction, full=False).picture) if drawn else None
    table = drawing.table()
    return drawing.meeting(), table if picture is None else Pictured((table,), picture)


def branch_names(branches: Sequence[Branch]) -> tuple[str, ...]:
    """`main` and `skip`; numbered where several have the same role."""
    roles = Counter(branch.role for branch in branches)
    seen: Counter[str] = Counter()
    names = []
    for branch in branches:
        seen[branch.role] += 1
        alone = roles[branch.role] == 1
        names.append(branch.role if alone else f"{branch.role}{GLUE}{seen[branch.role]}")
    return tuple(names)


def origin(report: Report, value: int) -> str:
    """Where a value that no call made comes from: `the input x`; empty for any other, and where nothing is known of it.
    What a line makes itself is called as it is said there: `tf.range(n)`."""
    values = report.recording.values
    if not 0 <= value < len(values):
        return ""
    called = values[value].name or ""
    name = f" {called}" if called else ""
    match values[value].origin:
        case "input" if called.endswith(")"):
            return called
        case "input" if not called:
            return "the input of the model" if value in report.recording.inputs else ""
        case "input":
            return f"the input{name}"
        case "parameter" | "buffer" as kind:
            return f"the {kind}{name}"
        case "constant":
            return "made in the forward pass, from no input"
    return ""


def fork_name(report: Report, junction: Junction) -> str:
    """What the branches start from, as a reader of the model would call it."""
    assert junction.fork is not None
    into = (call for call in report.calls if call.is_layer and call.layer == junction.block)
    if junction.block and any(junction.fork.value in call.operands for call in into):
        return f"the input of {spoken(junction.block)}"
    if junction.fork.made_by:  # asked first: of a fault behind another one, numbers are those of the pass that met it
        return f"the output of {spoken(junction.fork.made_by)}"
    values = report.recording.values
    is_here = junction.fork.value < len(values) and values[junction.fork.value].shape == junction.fork.shape
    return (origin(report, junction.fork.value) if is_here else "") or "the value that they share"


@dataclass(frozen=True)
class _Drawing:
    """One junction with what is known about it; what several of the parts need is found once."""

    report: Report
    diagnosis: Diagnosis
    junction: Junction
    full: bool

    @cached_property
    def axes(self) -> tuple[int, ...]:
        return tuple(sorted({axis for axis in self.junction.axes if axis < rank_of(self.junction)}))

    @cached_property
    def axis_names(self) -> tuple[str, ...]:
        return axis_names_at(self.junction, self.report.recording)

    @cached_property
    def partings(self) -> Mapping[tuple[int, int], tuple[int, ...]]:
        blamed = self.diagnosis.cause.layer if self.diagnosis.cause else None
        return partings(self.junction, self.report.recording, blamed)

    @cached_property
    def told(self) -> bool:
        """Whether the headline names the axes."""
        names = [self.axis_names[axis] for axis in self.axes]
        headline = self.diagnosis.headline
        return naming.listed(names) in headline or naming.axes_listed(names) in headline

    # The sizes that meet

    def meeting(self) -> tuple[Block, ...]:
        """`main [2, 32, 8, 8]   skip [2, 16, 8, 8]   channels differ`, less what headline and marks say."""
        names = branch_names(self.junction.branches)
        parts: list[Runs] = []
        shapes = {index: naming.sizes(self.junction.branches[index].shape) for index in self.shown}
        headline = naming.glued(self.diagnosis.headline)
        if not all(shape in headline for shape in shapes.values()):
            parts += [runs(Run(f"{names[index]}{GLUE}", "muted"), shape) for index, shape in shapes.items()]
        marked = {axis for axes in self.partings.values() for axis in axes}
        if not self.axes or not (self.told or marked.issuperset(self.axes)):
            parts.append(runs(Run(self.what_differs().replace(" ", GLUE), "mark")))
        gap = GLUE * 2 + " "
        return (Paragraph(runs(*(part for number, own in enumerate(parts) for part in (gap * bool(number), own)))),)

    def what_differs(self) -> str:
        axes = [self.axis_names[axis] for axis in self.axes]
        if not axes:
            ranks = {len(branch.shape) for branch in self.junction.branches}
            return "the numbers of axes differ" if len(ranks) > 1 else ""
        if self.junction.status == "broadcast":
            return f"{naming.axes_listed(axes)} {naming.verb(axes, 'is', 'are')} stretched to fit"
        return f"{naming.axes_listed(axes)} {naming.verb(axes, 'differs', 'differ')}"

    @cached_property
    def shown(self) -> list[int]:
        """The branches that are drawn."""
        return list(range(len(self.junction.branches))) if self.full else shown_branches(self.junction)

    # The branches

    def table(self) -> Table:
        rows: list[Row] = []
        if self.junction.fork is not None:
            label = f"from the fork, {fork_name(self.report, self.junction)}"
            rows.append((Cell(runs(Run(label)), 3), self.shape_cell(self.junction.fork.shape)))
        names = branch_names(self.junction.branches)
        marks = self.marks()
        for index in self.shown:
            own = {step: mark for (branch, step), mark in marks.items() if branch == index}
            rows += self.branch_rows(self.junction.branches[index], names[index], own)
        hidden = [branch for index, branch in enumerate(self.junction.branches) if index not in self.shown]
        if hidden:
            more = f"… {naming.counted(len(hidden), 'more branch', 'more branches')}"
            alike = self.shape_cell(hidden[0].shape) if len({branch.shape for branch in hidden}) == 1 else Cell()
            rows.append((Cell(runs(Run(more, "muted")), 3), alike))
        return Table(COLUMNS, tuple(rows))

    def picture(self) -> Branching:
        """What the table says, as boxes; at the ends of the branches the sizes that differ stand out."""
        names, marks, junction = branch_names(self.junction.branches), self.marks(), self.junction
        fork = None
        if junction.fork is not None:
            label = f"from the fork, {fork_name(self.report, junction)}"
            fork = Stop(runs(label), shape=self.shape_cell(junction.fork.shape).runs)
        lanes = []
        for index in self.shown:
            branch = junction.branches[index]
            own = {step: mark for (other, step), mark in marks.items() if other == index}
            stops = tuple(self.stop(cells) for cells in self.branch_rows(branch, "", own))
            lanes.append(Lane(runs(names[index]), stops, self.ends(branch)))
        hidden = len(junction.branches) - len(lanes)
        more = f"… {naming.counted(hidden, 'more branch', 'more branches')}" if hidden else ""
        status = {"ok": "fits", "broadcast": "broadcasts", "mismatch": "does not fit"}[junction.status]
        meets = runs(Run(junction.kind, "strong"), f" in {naming.layer_name(junction.block)}: ", Run(status, "mark"))
        title = f"{len(lanes)} branches that meet in {naming.layer_name(junction.block)}, side by side"
        return Branching(title, fork, tuple(lanes), meets, runs(Run(more, "muted")))

    def stop(self, cells: Row) -> Stop:
        """A row of the table, less the branch's name, as a box."""
        _, name, *rest = cells
        if name.columns == 1:
            what, *rest = rest
        else:
            what = Cell()
        shape, mark, place = (*rest, Cell(), Cell())[:3]
        return Stop(name.runs, what.runs, shape.runs, mark.runs, place.runs)

    def ends(self, branch: Branch) -> Runs:
        """The shape of a branch where it meets the others: `[2, 32, 16, 16]`, its own axes marked that do not fit."""
        missing = rank_of(self.junction) - len(branch.shape)
        parts: list[Run] = []
        for axis, size in enumerate(branch.shape):
            style: Style = "mark" if axis + missing in self.axes else "text"
            parts += [Run(f",{GLUE}" if parts else ""), Run("?" if size is None else str(size), style)]
        return runs("[", parts, "]")

    def branch_rows(self, branch: Branch, name: str, marks: dict[int, str]) -> list[Row]:
        first = Cell(runs(Run(name, "strong")))
        if not branch.path:
            start = "unchanged" if self.junction.fork is not None else origin(self.report, branch.value)
            start = start or "as it came in"
            return [(first, Cell(runs(start), 2), self.shape_cell(branch.shape))]
        rows = []
        for group in self.groups(branch, marks):
            rows.append((first, *self.group_cells(branch, group, marks)))
            first = Cell()
        return rows

    def groups(self, branch: Branch, marks: dict[int, str]) -> list[_Group]:
        """The calls of a branch, by line."""
        groups: list[_Group] = []
        before: Shape | None = self.junction.fork.shape if self.junction.fork is not None else None
        for index, step in enumerate(branch.path):
            keeps = step.shape == before and index not in marks
            if keeps and groups and groups[-1].keeps and not self.full:
                groups[-1] = _Group((*groups[-1].steps, index), keeps=True)
            else:
                groups.append(_Group((index,), keeps=keeps))
            before = step.shape
        if self.full or len(groups) <= MOST_LINES:
            return groups
        last = len(groups) - 1
        kept = {0, 1, last - 2, last - 1, last}
        kept |= {at for at, group in enumerate(groups) if any(index in marks for index in group.steps)}
        # a lone line between two that stay is shown: telling that it is left out would take a line as well
        kept |= {at for at in range(1, last) if {at - 1, at + 1} <= kept}
        folded: list[_Group] = []
        for at, group in enumerate(groups):
            if at in kept:
                folded.append(group)
            elif folded[-1].hidden:
                folded[-1] = _Group((*folded[-1].steps, *group.steps), hidden=True)
            else:
                folded.append(_Group(group.steps, hidden=True))
        return folded

    def group_cells(self, branch: Branch, group: _Group, marks: dict[int, str]) -> Row:
        steps = [branch.path[index] for index in group.steps]
        last = steps[-1]
        shape = self.shape_cell(last.shape)
        if group.hidden:
            return Cell(runs(Run(f"… {naming.counted(len(steps), 'more call')}", "muted")), 2), shape
        if len(steps) > 1:
            return Cell(runs(self.names(steps)), 2), shape
        name, mark = self.step_name(last), marks.get(group.steps[0], "")
        what = self.description(last)
        called = (Cell(runs(name)), Cell(runs(what))) if what else (Cell(runs(name), 2),)
        where = naming.place(last.span) if last.span and (mark or self.full) else ""
        return *called, shape, Cell(runs(Run(mark, "mark"))), Cell(runs(Run(where, "place")))

    def shape_cell(self, shape: Shape) -> Cell:
        return Cell(runs(naming.sizes(shape)))

    def step_name(self, step: Step) -> str:
        return naming.within(step.layer, self.junction.block) if step.layer else step.name

    def description(self, step: Step) -> str:
        layer = self.report.recording.layer_at.get(step.layer) if step.layer else None
        if layer is None:
            return ""
        return f"{layer.type} {naming.settings(layer)}".strip()

    def names(self, steps: Sequence[Step]) -> str:
        """`bn1, relu, conv2, bn2`; of many, the first few and the last."""
        names = [self.step_name(step) for step in steps]
        whole = ", ".join(names)
        if len(whole) <= MOST_NAMES or len(names) < 4:
            return whole
        for first in range(len(names) - 2, 0, -1):
            hidden = len(names) - first - 1
            short = ", ".join([*names[:first], f"… {hidden} more", names[-1]])
            if len(short) <= MOST_NAMES:
                return short
        return f"{names[0]}, … {len(names) - 2} more, {names[-1]}"

    # Where they part

    def marks(self) -> dict[tuple[int, int], str]:
        """`here height and width part`, or `part here` where the headline names them.

        Where several branches leave the fork's size, what each makes of it: `here height 16`.
        """
        often = Counter(axis for axes in self.partings.values() for axis in axes)
        marks = {}
        for (index, step), axes in self.partings.items():
            shape = self.junction.branches[index].path[step].shape
            names = [self.axis_names[axis] for axis in axes]
            if any(often[axis] > 1 for axis in axes):
                sizes = [size_of(shape, axis, rank_of(self.junction)) for axis in axes]
                marks[index, step] = f"here {_with_sizes(names, sizes)}"
            elif self.told and axes == self.axes:
                marks[index, step] = f"{naming.verb(names, 'parts', 'part')} here"
            else:
                marks[index, step] = f"here {naming.axes_listed(names)} {naming.verb(names, 'parts', 'part')}"
        return marks


@dataclass(frozen=True)
class _Group:
    """Steps of a branch, by index, that share a line. `hidden`: only their number is told."""

    steps: tuple[int, ...]
    keeps: bool = False
    hidden: bool = False


def _with_sizes(names: Sequence[str], sizes: Sequence[Size]) -> str:
    """`channels 32`, `height and width 8`, `channels 32 and height 8`."""
    words = ["?" if size is None else str(size) for size in sizes]
    if len(set(words)) == 1:
        return f"{naming.axes_listed(names)} {words[0]}"
    return naming.listed([f"{name} {word}" for name, word in zip(names, words, strict=True)])
