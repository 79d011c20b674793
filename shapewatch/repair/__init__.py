"""From a finding to verified fixes: propose edits, run the model on shapes with each, rank what passes.

Nothing here knows a framework: candidates come from arithmetic (`demand`), from what is missing at a junction
(`projection`), from what the siblings of a layer do differently (`siblings`) and from what is often wrong with inputs.
A candidate is only a guess; the dry run says whether the whole pass finishes with it. Several usually do, so what
passes is ranked by evidence: fewest edits, what the rest of the model says, a plausible output, fewest weights.
"""

from __future__ import annotations

from shapewatch.repair.assigned import assigned_line
from shapewatch.repair.candidate import Candidate, about, places, short
from shapewatch.repair.declared import declared_at, declared_otherwise
from shapewatch.repair.hidden import hides_the_mistake
from shapewatch.repair.propose import propose
from shapewatch.repair.search import SECONDS, Outcome, Search, Verified
from shapewatch.repair.tables import table_made_at
from shapewatch.repair.variables import odd_variable

__all__ = [
    "SECONDS",
    "Candidate",
    "Outcome",
    "Search",
    "Verified",
    "about",
    "assigned_line",
    "declared_at",
    "declared_otherwise",
    "hides_the_mistake",
    "odd_variable",
    "places",
    "propose",
    "short",
    "table_made_at",
]
