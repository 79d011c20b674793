"""A report as SARIF 2.1.0: what GitHub's code scanning, Azure DevOps and viewers in editors show beside the code.

Every diagnosis is a result, told at the line that raised. GitHub rejects a file in which one result has no place, so
there is a last resort for each. What is said of the whole pass, and of no line, are notifications of the invocation.
The standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from shapewatch import __version__
from shapewatch.flow.junctions import Branch, Fork, Junction
from shapewatch.patches.diff import Hunk, read
from shapewatch.recording import Span
from shapewatch.recording import text as shape_text
from shapewatch.render import naming
from shapewatch.render.artifacts import SOURCE_ROOT, artifact, folder_uri, is_file, physical, working_folder
from shapewatch.render.branches import branch_names, fork_name
from shapewatch.render.compose import blame, proof
from shapewatch.render.document import GLUE, Runs
from shapewatch.render.json import visible
from shapewatch.render.page import Page, as_markdown, compose_page
from shapewatch.render.parting import axis_names_at, partings, shown_branches
from shapewatch.render.plain import plain
from shapewatch.report import Diagnosis, Fix, Report
from shapewatch.rules import RULES

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

FINGERPRINT = "shapewatch/v1"
"""GitHub's own, `primaryLocationLineHash`, is left to its upload action: it warns of one that it did not make."""

FAMILIES = {
    "1": "products",
    "2": "branches",
    "3": "reshaping",
    "4": "joining",
    "5": "windows",
    "6": "settings",
    "7": "axis-order",
    "8": "losses",
    "9": "data",
}
"""Tags, by the first digit of a code."""

Json = dict[str, Any]


def as_sarif(report: Report) -> str:
    """The report as indented SARIF, without a newline at its end and with escapes as in its JSON."""
    return visible(json.dumps(_log(report, working_folder()), indent=2, ensure_ascii=False))


def _log(report: Report, root: str | None) -> Json:
    codes = list(dict.fromkeys(_rule_id(diagnosis) for diagnosis in report.diagnoses))
    run: Json = {
        "tool": {
            "driver": {
                "name": "shapewatch",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_descriptor(diagnosis) for diagnosis in _first_of_each(report.diagnoses)],
            }
        },
        "invocations": [_invocation(report, root)],
        "results": [_result(report, diagnosis, codes, root) for diagnosis in report.diagnoses],
    }
    if root is not None:
        run["originalUriBaseIds"] = {SOURCE_ROOT: {"uri": folder_uri(root)}}
    _tell_apart(run["results"])
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _invocation(report: Report, root: str | None) -> Json:
    """That the watch came to its end, and what it has to say of the pass as a whole."""
    told = [{"level": "note", "message": _message(note)} for note in report.notes]
    if report.recording.truncated:
        told.append({"level": "note", "message": _message("the recording reached its limit")})
    failure = report.recording.failure
    if failure is not None and not report.diagnoses:
        unexplained: Json = {
            "level": "error",
            "message": _message(f"no cause found: {failure.type}: {failure.message}".rstrip(": ")),
        }
        if failure.span is not None and is_file(failure.span):
            unexplained["locations"] = [{"physicalLocation": physical(failure.span, root)}]
        told.append(unexplained)
    return {"executionSuccessful": True, **({"toolExecutionNotifications": told} if told else {})}


# Rules


def _rule_id(diagnosis: Diagnosis) -> str:
    return diagnosis.code or diagnosis.name  # a text that speaks of a wrong shape, and does not tell in what


def _first_of_each(diagnoses: tuple[Diagnosis, ...]) -> list[Diagnosis]:
    return list({_rule_id(diagnosis): diagnosis for diagnosis in reversed(diagnoses)}.values())[::-1]


def _descriptor(diagnosis: Diagnosis) -> Json:
    """The `reportingDescriptor` of a diagnosis's code."""
    name = "".join(word.capitalize() for word in diagnosis.name.split("-"))
    rule = next((rule for rule in RULES if rule.code == diagnosis.code), None)
    if rule is None:
        words = {"text": diagnosis.name.replace("-", " ")}
        return {"id": _rule_id(diagnosis), "name": name, "shortDescription": words, "help": words}
    sentence, *sections = re.split(r"^## +", rule.page, flags=re.MULTILINE)
    meaning = next((text for text in sections if text.startswith("What it means\n")), sentence)
    return {
        "id": rule.code,
        "name": name,
        "shortDescription": {"text": " ".join(sentence.split())},
        "fullDescription": {"text": " ".join(meaning.removeprefix("What it means\n").split())},
        "help": {
            "text": plain(compose_page(Page(rule.code, rule.name, rule.severity, rule.page)), 100),
            "markdown": as_markdown(rule.page),
        },
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["shapes", FAMILIES[rule.code[2]]]},
    }


# Results


def _result(report: Report, diagnosis: Diagnosis, codes: list[str], root: str | None) -> Json:
    """One `result`. SARIF's `fixes` are changes of files, so a fix without a patch is only in the message."""
    place = next(_places(report, diagnosis), None)
    location: Json = {"physicalLocation": _folder() if place is None else physical(place, root)}
    if layer := _layer(diagnosis):
        location["logicalLocations"] = [{"name": layer.rpartition(".")[2], "fullyQualifiedName": layer}]
    related = list(_related(report, diagnosis, place))
    result: Json = {
        "ruleId": _rule_id(diagnosis),
        "ruleIndex": codes.index(_rule_id(diagnosis)),
        "level": diagnosis.severity,
        "message": _linked(_message("\n".join(_told(report, diagnosis))), related),
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: _fingerprint(report, diagnosis, location)},
    }
    if related:
        result["relatedLocations"] = [
            {"id": number, "message": _message(words), "physicalLocation": physical(span, root)}
            for number, (span, words) in enumerate(related, start=1)
        ]
    if flow := _code_flow(report, diagnosis, root):
        result["codeFlows"] = [flow]
    if changes := [_change(fix, fix.patch, root) for fix in diagnosis.fixes if fix.patch and fix.verified]:
        result["fixes"] = changes
    return result


def _change(fix: Fix, patch: str, root: str | None) -> Json:
    """A `fix` that was verified, as changes of whole lines."""
    return {
        "description": _message(fix.title),
        "artifactChanges": [
            {
                "artifactLocation": artifact(each.path, root),
                "replacements": [_replacement(hunk) for hunk in each.hunks],
            }
            for each in read(patch)
        ],
    }


def _replacement(hunk: Hunk) -> Json:
    bare = hunk.bare
    start = {"startLine": bare.first, "startColumn": 1}
    end = {"endLine": bare.first + len(bare.old), "endColumn": 1}
    return {"deletedRegion": start | end, "insertedContent": {"text": "".join(bare.new)}}


def _message(text: str) -> Json:
    # `[words](target)` is a link in a SARIF message, and the name of a layer is not to be one
    return {"text": text.replace("](", "] (")}


def _linked(message: Json, related: list[tuple[Span, str]]) -> Json:
    """The message with the first mention of each related place as a link to it: GitHub shows no other of them."""
    text = message["text"]
    for number, (span, _) in enumerate(related, start=1):
        place = naming.place(span)
        mention = re.search(rf"(?<![\w./]){re.escape(place)}(?!\d)", text)
        if mention is not None and not set("[]\\") & set(place):
            text = f"{text[: mention.start()]}[{place}]({number}){text[mention.end() :]}"
    return {"text": text}


def _told(report: Report, diagnosis: Diagnosis) -> Iterator[str]:
    """The lines of a message: what is wrong, in more words, who is to blame, what to write."""
    yield f"{diagnosis.headline.rstrip('.')}."  # GitHub shows the first sentence alone where there is little room
    yield from (line for line in diagnosis.explanation.splitlines() if line.strip())
    if diagnosis.suspects:
        return  # the explanation has them, and what to change, a line each
    if diagnosis.cause is not None:
        yield f"Cause: {_blamed(report, diagnosis)}"
    fix = next((fix for fix in diagnosis.fixes if fix.verified is not False), None)
    if fix is not None:
        yield f"Fix: {fix.title} ({_joined(proof(fix, diagnosis))})"
        yield from (f"    {line}" for line in fix.code.rstrip().splitlines())


def _blamed(report: Report, diagnosis: Diagnosis) -> str:
    assert diagnosis.cause is not None
    layer = report.recording.layer_at.get(diagnosis.cause.layer or "") if diagnosis.cause.layer is not None else None
    return _joined(blame(diagnosis.cause, layer.name if layer is not None else ""))


def _joined(words: Runs) -> str:
    return "".join(run.text for run in words).replace(GLUE, " ")


def _layer(diagnosis: Diagnosis) -> str:
    """The path of the layer that a diagnosis is about, as far as there is one."""
    at_junction = diagnosis.junction.layer if diagnosis.junction is not None else ""
    blamed = diagnosis.cause.layer if diagnosis.cause is not None else ""
    return diagnosis.layer or at_junction or blamed or ""


# Places


def _places(report: Report, diagnosis: Diagnosis) -> Iterator[Span]:
    """Where a diagnosis can be told, the best place first: where it raised; what is to blame; whatever is near."""
    junction, cause, recording = diagnosis.junction, diagnosis.cause, report.recording
    failing = recording.failing_call()
    near = [call.span for call in reversed(report.calls) if call.layer == _layer(diagnosis)]
    spans = [
        diagnosis.location,
        junction.location if junction is not None else None,
        cause.location if cause is not None else None,
        *(fix.location for fix in diagnosis.fixes),
        recording.failure.span if recording.failure is not None else None,
        failing.span if failing is not None else None,
        *near,
        *(layer.defined for layer in report.layers),
        *(call.span for call in report.calls),
    ]
    return (span for span in spans if span is not None and is_file(span))


def _folder() -> Json:
    """Of a diagnosis without any place, as of a message that was pasted without its traceback: the folder."""
    return {"artifactLocation": {"uri": ".", "uriBaseId": SOURCE_ROOT}, "region": {"startLine": 1}}


def _related(report: Report, diagnosis: Diagnosis, told: Span | None) -> Iterator[tuple[Span, str]]:
    """The line to blame, and the calls where the branches part, unless the result is told there already."""
    seen = {(told.file, told.line)} if told is not None else set()
    for span, words in _further_places(report, diagnosis):
        if span is not None and is_file(span) and (span.file, span.line) not in seen:
            seen.add((span.file, span.line))
            yield span, words


def _further_places(report: Report, diagnosis: Diagnosis) -> Iterator[tuple[Span | None, str]]:
    junction = diagnosis.junction
    if diagnosis.cause is not None:
        yield diagnosis.cause.location, f"cause: {_blamed(report, diagnosis)}"
    if junction is not None:
        names = branch_names(junction.branches)
        for (index, step), axes in _partings(report, diagnosis, junction).items():
            at = junction.branches[index].path[step]
            parted = naming.axes_listed(axes)
            verb = "parts" if len(axes) == 1 and axes[0] != "channels" else "part"
            words = f"{names[index]}: {parted} {verb} at {at.name}, which gives {shape_text(at.shape)}"
            yield at.span, words.replace(GLUE, " ")
    for fix in diagnosis.fixes:
        if fix.verified is not False:
            yield fix.location, f"fix: {fix.title}"


def _partings(report: Report, diagnosis: Diagnosis, junction: Junction) -> dict[tuple[int, int], tuple[str, ...]]:
    """The steps at which branches leave each other, by branch and step, and the names of the axes on which they do."""
    names = axis_names_at(junction, report.recording)
    found = partings(junction, report.recording, diagnosis.cause.layer if diagnosis.cause else None)
    return {step: tuple(names[axis] for axis in axes) for step, axes in found.items()}


# The branches as steps


def _code_flow(report: Report, diagnosis: Diagnosis, root: str | None) -> Json | None:
    """The branches from their fork to the junction, a `threadFlow` each; None where no call on them has a place."""
    junction = diagnosis.junction
    if junction is None or junction.location is None or not is_file(junction.location):
        return None
    shown = [(index, junction.branches[index]) for index in shown_branches(junction)]
    if not any(step.span is not None and is_file(step.span) for _, branch in shown for step in branch.path):
        return None
    names, parted = branch_names(junction.branches), _partings(report, diagnosis, junction)
    return {
        "threadFlows": [
            {
                "id": names[index].replace(GLUE, " "),
                "locations": list(_steps(report, junction, branch, {at for i, at in parted if i == index}, root)),
            }
            for index, branch in shown
        ]
    }


def _steps(report: Report, junction: Junction, branch: Branch, parted: set[int], root: str | None) -> Iterator[Json]:
    """The `threadFlowLocation`s of a branch. A call of which the line is not known is no step of it."""
    if junction.fork is not None:
        words = f"fork: {fork_name(report, junction)} {shape_text(junction.fork.shape)}"
        yield from _step(_made(report, junction.fork), words, "important", root)
    for number, step in enumerate(branch.path):
        importance = "essential" if number in parted else "unimportant"
        yield from _step(step.span, f"{step.name} gives {shape_text(step.shape)}", importance, root)
    yield from _step(junction.location, f"{junction.kind} takes {shape_text(branch.shape)}", "essential", root)


def _made(report: Report, fork: Fork) -> Span | None:
    """The line that gave what the branches share. Of a fault behind another one the numbers are those of another pass,
    so the call has to be the one that the fork names."""
    call = report.recording.producer.get(fork.value)
    return call.span if call is not None and fork.made_by in (call.layer, call.name) else None


def _step(span: Span | None, words: str, importance: str, root: str | None) -> Iterator[Json]:
    if span is not None and is_file(span):
        location = {"message": _message(words.replace(GLUE, " ")), "physicalLocation": physical(span, root)}
        yield {"location": location, "importance": importance}


# Fingerprints


def _fingerprint(report: Report, diagnosis: Diagnosis, location: Json) -> str:
    """What stays the same when lines are moved and a batch has another size: code, file, line of source, layer.

    A name that its framework made up by counting changes when a layer is added anywhere, so its type stands for it.
    """
    layer = report.recording.layer_at.get(_layer(diagnosis))
    called = layer.type if layer is not None and layer.auto_named else _layer(diagnosis)
    at = location["physicalLocation"]
    line = at["region"].get("snippet", {}).get("text", "").strip()
    parts = (_rule_id(diagnosis), at["artifactLocation"]["uri"], line, called)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _tell_apart(results: list[Json]) -> None:
    """Number the results that share a fingerprint: `:1`, `:2`, in their order."""
    seen: Counter[str] = Counter()
    for result in results:
        prints = result["partialFingerprints"]
        seen[prints[FINGERPRINT]] += 1
        prints[FINGERPRINT] += f":{seen[prints[FINGERPRINT]]}"
