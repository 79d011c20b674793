"""What ran and looks wrong."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.adapters import Adapter, Probe
from shapewatch.diagnose.cases import ask
from shapewatch.diagnose.other_sizes import Passes, holds, passes
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call
from shapewatch.report import Diagnosis
from shapewatch.rules import Case, Finding
from shapewatch.source import excused


def what_looks_wrong(graph: Graph, adapter: Adapter, probe: Probe | None) -> Iterator[Diagnosis]:
    seen: set[str] = set()
    others = None if probe is None or graph.recording.failure is not None else passes(probe)
    for unit in graph.units:
        if not unit.finished or unit.place in seen:
            continue
        case = Case(graph, unit)
        finding = ask(case, "warning")
        if finding is None:
            continue
        seen.add(unit.place)
        if not _is_excused(case, finding) and not (finding.by_chance and _is_chance(case, finding, others)):
            from shapewatch.diagnose.warned import as_warning  # here: most of what runs gives no cause for it

            yield as_warning(case, finding, adapter, probe)


def _is_excused(case: Case, finding: Finding) -> bool:
    """Whether `# shapewatch: ok` stands at the call, or where its layer is made."""
    layer = case.layer
    places = [case.call.span, layer.defined if layer is not None else None]
    return any(place is not None and excused(place.file, place.line, finding.code) for place in places)


def _is_chance(case: Case, finding: Finding, others: Passes | None) -> bool:
    """Whether what a warning rests on is gone with inputs of another size, or that cannot be tried."""

    def still(graph: Graph, unit: Call) -> bool:
        return ask(Case(graph, unit), "warning") is not None

    varied = finding.varied or case.graph.lineage.batch
    return varied is None or not holds(case.call, case.recording, others, varied, still)
