"""From a report to a document: what is told, in which order. The findings bring their words with them."""

from __future__ import annotations

from collections.abc import Sequence

from shapewatch.recording import Call, Failure, Span
from shapewatch.render import naming
from shapewatch.render.branches import junction_blocks
from shapewatch.render.document import (
    GLUE,
    Blank,
    Block,
    Code,
    Document,
    Headline,
    Indented,
    Labelled,
    Line,
    Numbered,
    Paragraph,
    Run,
    Runs,
    Section,
    Style,
    runs,
)
from shapewatch.report import Cause, Diagnosis, Fix, Report

MOST_ALTERNATIVES = 2
MOST_MESSAGE_LINES = 3


def compose(report: Report, *, full: bool = False, exception: bool = True, drawn: bool = False) -> Document:
    """The document of a report.

    `full`: every call of every branch, explanations, the code of alternatives and the whole message of the
    exception. `exception`: begin with the exception that ended the pass. `drawn`: with pictures of the branches.
    """
    sections: list[list[Block]] = []
    if exception and report.recording.failure is not None:
        sections.append(_exception(report.recording.failure, full))
    if opening := _opening(report):
        sections.append(opening)
    if not report.diagnoses and report.recording.failure is not None:
        sections.append(_unexplained(report, report.recording.failure))
    several = len(report.diagnoses) > 1
    for number, diagnosis in enumerate(report.diagnoses, start=1):
        sections.append(_diagnosis(report, diagnosis, number if several else None, full, drawn))
    if notes := _notes(report):
        sections.append(notes)
    return Document(tuple(_apart([[Section(tuple(section))] for section in sections])))


def _apart(sections: Sequence[Sequence[Block]]) -> list[Block]:
    """The blocks of the sections, with an empty line between one section and the next."""
    blocks: list[Block] = []
    for section in sections:
        blocks += [Blank(), *section] if blocks else section
    return blocks


# Around the diagnoses


def _exception(failure: Failure, full: bool) -> list[Block]:
    lines = [line for line in failure.message.splitlines() if line.strip()] or [""]
    first = Paragraph(
        runs(Run(failure.type, "error"), f": {lines[0]}" if lines[0] else ""),
        None if full else MOST_MESSAGE_LINES,
    )
    return [first, *(Paragraph(runs(line)) for line in lines[1:])] if full else [first]


def _opening(report: Report) -> list[Block]:
    """How a finished pass went, or how many things are to be told of."""
    failed = report.recording.failure is not None
    if not report.diagnoses:
        if failed:
            return []
        return [Paragraph(runs(Run("all shapes fit", "good"), f": {_course(report)}"))]
    words = []
    if not failed and report.ok:
        words.append(f"the pass finished: {_course(report)}")
    if len(report.diagnoses) > 1:
        words.append(f"{_counts(report.diagnoses)}, the most important first")
    return [Paragraph(runs(line)) for line in words]


def _course(report: Report) -> str:
    """`61 calls, 8 junctions, output [2, 10]`."""
    course = [naming.counted(len(report.calls), "call"), naming.counted(len(report.junctions), "junction")]
    if given := naming.output(report.output):
        course.append(f"output{GLUE}{given}")
    return ", ".join(course)


def _counts(diagnoses: Sequence[Diagnosis]) -> str:
    """`2 errors and 1 warning`."""
    counts = [
        naming.counted(number, severity)
        for severity in ("error", "warning", "note")
        if (number := sum(diagnosis.severity == severity for diagnosis in diagnoses))
    ]
    return naming.listed(counts)


def _unexplained(report: Report, failure: Failure) -> list[Block]:
    """What is known where no rule could tell what went wrong."""
    call = report.recording.failing_call()
    span = failure.span or (call.span if call else None)
    blocks: list[Block] = [_headline(runs(Run("no cause found", "strong")), runs(), span)]
    if call is not None:
        blocks.append(Indented((Paragraph(runs(_took(report, call))),)))
    return blocks


def _took(report: Report, call: Call) -> str:
    """`add in layer2.0 took [2, 32, 16, 16] and [2, 16, 32, 32]`."""
    name = naming.layer_name(call.layer) if call.is_layer else f"{call.name} in {naming.layer_name(call.layer)}"
    shapes = [naming.sizes(report.recording.shape(number)) for number in call.operands]
    return f"{name} took {naming.listed(shapes)}" if shapes else f"{name} took no tensor"


def _notes(report: Report) -> list[Block]:
    notes = list(report.notes)
    if report.recording.truncated:
        notes.append("the recording reached its limit: later calls are not in it")
    return [Labelled("note", tuple(Paragraph(runs(note)) for note in notes))] if notes else []


# A diagnosis


def _diagnosis(report: Report, diagnosis: Diagnosis, number: int | None, full: bool, drawn: bool) -> list[Block]:
    span = diagnosis.location or (diagnosis.junction.location if diagnosis.junction else None)
    style: Style = "error" if diagnosis.severity == "error" else "warning"
    lead = runs(
        f"{number}. " if number is not None else "",
        Run("" if diagnosis.severity == "error" else f"{diagnosis.severity} ", style),
        Run(diagnosis.code or "shape error", style),
        Run(f" {diagnosis.name}" if diagnosis.code else "", "name"),
    )
    headline = runs(Run(naming.glued(diagnosis.headline), "strong"))
    sections: list[list[Block]] = [[_headline(lead, headline, span)]]
    if diagnosis.junction is not None:
        meeting, branches = junction_blocks(report, diagnosis, full=full, drawn=drawn)
        sections[0].append(Indented(meeting))
        sections.append([Indented((branches,))])
    if diagnosis.suspects or not diagnosis.code:  # only a text was read, and of some there is little to tell
        return _apart([*sections, *_suspected(diagnosis)])
    shown = (
        diagnosis.junction is not None and diagnosis.severity == "error"
    )  # branches that differ speak for themselves
    if diagnosis.explanation and (full or not shown):
        sections.append([Indented(_paragraphs(diagnosis.explanation))])
    if remedy := [*_cause(report, diagnosis, span), *_fixes(diagnosis, full)]:
        sections.append(remedy)
    return _apart(sections)


def _suspected(diagnosis: Diagnosis) -> list[list[Block]]:
    """What the message means, the probable causes, and what that rests on. The explanation has a line for each."""
    lines = diagnosis.explanation.splitlines()
    after = len(lines) - 1
    meaning, rests_on = lines[: after - len(diagnosis.suspects)], lines[after:]
    sections: list[list[Block]] = [[Indented(_paragraphs("\n".join(meaning)))]]
    for number, suspect in enumerate(diagnosis.suspects, start=1):
        said = [("because", suspect.because), ("look", suspect.look), ("change", suspect.change)]
        blocks: list[Block] = [Labelled(word, _paragraphs(text)) for word, text in said if text]
        if suspect.code:
            blocks.append(Labelled("", (Code(tuple(suspect.code.rstrip().splitlines())),)))
        title = Paragraph(runs(Run(naming.glued(suspect.cause), "strong")))
        sections.append([Numbered(number, (title, *blocks))])
    return [*sections, [Labelled("note", _paragraphs("\n".join(rests_on))), *_more(diagnosis)]]


def _more(diagnosis: Diagnosis) -> list[Block]:
    return [Labelled("more", (Line(runs(f"shapewatch explain {diagnosis.code}")),))] if diagnosis.code else []


def _headline(lead: Runs, text: Runs, span: Span | None) -> Headline:
    if span is None:
        return Headline(lead, text)
    return Headline(lead, text, _source(span), runs(Run(naming.place(span), "place")))


def _source(span: Span) -> Runs:
    return runs(Run(span.source or "", "code"))


def _paragraphs(prose: str) -> tuple[Block, ...]:
    return tuple(Paragraph(runs(naming.glued(line))) for line in prose.splitlines() if line.strip())


def _cause(report: Report, diagnosis: Diagnosis, shown: Span | None) -> list[Block]:
    """The layer to blame, why, and its line, where that is not the one `shown` above."""
    cause = diagnosis.cause
    if cause is None:
        if diagnosis.severity != "error" or diagnosis.fixes:
            return []
        return [Labelled("cause", (Paragraph(runs("not known: nothing in the recording tells which side is wrong")),))]
    layer = report.recording.layer_at.get(cause.layer) if cause.layer is not None else None
    blocks: list[Block] = [Paragraph(blame(cause, layer.name if layer is not None else ""))]
    where = cause.location
    if where is not None and where.source and (shown is None or (where.file, where.line) != (shown.file, shown.line)):
        blocks.append(Indented((Line(_source(where)),)))
    return [Labelled("cause", tuple(blocks))]


def blame(cause: Cause, own_name: str) -> Runs:
    """`layer2.0.conv1 (Conv2d, train.py:31): has stride 1`; `own_name` is what the framework calls the layer."""
    name = cause.type if cause.layer is None else naming.layer_name(cause.layer)
    reason = naming.glued(" ".join(cause.reason.split()))
    joint = ": "
    if reason.startswith(f"{name} "):  # a reason that is a sentence names the layer itself
        reason, joint = reason.removeprefix(f"{name} "), " "
    details = [Run(word) for word in (own_name, cause.type) if word and word != name]
    if cause.location is not None:
        details.append(Run(naming.place(cause.location), "place"))
    about: list[Run] = []
    for detail in details:
        about += [Run(", " if about else " ("), detail]
    return runs(Run(name, "strong"), about, ")" if about else "", f"{joint}{reason}" if reason else "")


# Its fixes


def _fixes(diagnosis: Diagnosis, full: bool) -> list[Block]:
    helpful = [fix for fix in diagnosis.fixes if fix.verified is not False]
    blocks: list[Block] = []
    if helpful:
        best, *others = helpful
        blocks += _best(best, diagnosis, full)
        for other in others if full else others[:MOST_ALTERNATIVES]:
            blocks.append(_alternative(other, best, diagnosis, full))
    elif diagnosis.severity == "error":
        blocks.append(Labelled("fix", (Paragraph(runs("none found")),)))
    if full:
        blocks += [_failed(fix) for fix in diagnosis.fixes if fix.verified is False]
    return blocks


def _best(fix: Fix, diagnosis: Diagnosis, full: bool) -> list[Block]:
    code = _code(fix)
    title = Paragraph(runs(naming.glued(fix.title)))
    what: list[Block] = [title, *(Indented((block,)) for block in code)] if full or not code else code
    blocks: list[Block] = [
        Labelled("fix", tuple(what)),
        Labelled("verified", (Paragraph(proof(fix, diagnosis)),)),
    ]
    told = diagnosis.cause.reason if diagnosis.cause else ""
    if evidence := [phrase for phrase in fix.evidence if phrase not in told]:
        blocks.append(Labelled("because", (Paragraph(runs(naming.glued("; ".join(evidence)))),)))
    return blocks


def proof(fix: Fix, diagnosis: Diagnosis) -> Runs:
    """How far the fix was proven, and what it costs."""
    why = f": {naming.glued(fix.why_not)}" if fix.why_not else ""
    if fix.verified == "junction":
        met = "meet at the junction" if diagnosis.junction is not None else "fit there"
        return runs(f"the shapes {met}{why}{_cost(fix)}")
    if fix.verified is None:
        return runs(Run("not tried", "warning"), why)
    given = naming.output(fix.output_shape)
    done = Run("the whole forward pass runs with it", "good")
    return runs(done, f": output{GLUE}{given}" if given else "", _cost(fix))


def _cost(fix: Fix) -> str:
    """`; 576 parameters more`."""
    if fix.parameters_added is None:
        return ""
    if fix.parameters_added == 0:
        return f"; no{GLUE}new{GLUE}parameters"
    count = naming.counted(abs(fix.parameters_added), "parameter")
    return f"; {count}{GLUE}{'more' if fix.parameters_added > 0 else 'fewer'}"


def _alternative(fix: Fix, best: Fix, diagnosis: Diagnosis, full: bool) -> Block:
    there = "at the junction" if diagnosis.junction is not None else "there"
    proof = {"forward": "verified", "junction": f"verified {there} only"}.get(fix.verified or "", "not tried")
    given = naming.output(fix.output_shape)
    if fix.verified == "forward" and given and given != naming.output(best.output_shape):
        proof = f"{proof}, output{GLUE}{given}"
    title = Paragraph(runs(f"{naming.glued(fix.title)} ({proof})"))
    return Labelled("or", (title, *(Indented((block,)) for block in _code(fix) if full)))


def _code(fix: Fix) -> list[Block]:
    return [Code(tuple(fix.code.rstrip().splitlines()))] if fix.code.strip() else []


def _failed(fix: Fix) -> Block:
    why = f": {naming.glued(fix.why_not)}" if fix.why_not else ""
    return Labelled("not", (Paragraph(runs(f"{naming.glued(fix.title)} (tried, and it does not help{why})")),))
