"""From a recording to diagnoses: which rule speaks, what repairs it, who is to blame, and what comes after.

cases         which call is to be explained, and what the rules find of it
failures      what raised: the search for repairs, one fault after the other
behind        what raised outside the model, on what it gave: a loss, mostly
looks_wrong   what ran and looks wrong
warned        what is told of it
fixes         candidates as fixes, in the framework's idiom
cause         who is to blame
otherwise     what the model declares, a variable of the program's own, a batch that is written down
lengths       arrays that are given together, and have not one number of samples
labels        labels in another order than the outputs
other_order   layers of a list that stand in the other order
feeds         what is fed for a placeholder, in its axes
patches       fixes as patches of the program's files
"""

from __future__ import annotations

from typing import Any

from shapewatch.adapters import Adapter, Probe
from shapewatch.diagnose.looks_wrong import what_looks_wrong
from shapewatch.flow.junctions import Graph, find_junctions
from shapewatch.recording import Recording
from shapewatch.report import Diagnosis, Report


def diagnose(recording: Recording, adapter: Adapter, probe: Probe | None, output: Any = None) -> Report:
    """The report of a recording. `probe`, where there is one, verifies fixes and looks past the first fault."""
    graph = Graph(recording)
    junctions = find_junctions(graph)
    diagnoses: list[Diagnosis] = []
    if recording.failure is not None:
        from shapewatch.diagnose.failures import what_failed  # here: most of a diagnosis is for what fails

        diagnoses += what_failed(graph, adapter, probe)
    diagnoses += what_looks_wrong(graph, adapter, probe)
    if any(diagnosis.fixes for diagnosis in diagnoses):
        from shapewatch.patches.places import with_patches

        diagnoses = [with_patches(diagnosis, recording) for diagnosis in diagnoses]
    return Report(recording, junctions, tuple(diagnoses), output if recording.failure is None else None)
