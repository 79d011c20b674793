"""SARIF: what code scanning and viewers demand of it holds for every report, and what it says is read as prose."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import golden
import pytest
from test_render import REPORTS, attention, dense, healthy, hostile, residual, two, unexplained, unseen

from shapewatch.flow.junctions import Fork
from shapewatch.patches.diff import unified
from shapewatch.recording import Failure, Recording, Span
from shapewatch.render import as_sarif
from shapewatch.render.artifacts import artifact, folder_uri
from shapewatch.report import Cause, Diagnosis, Report

GOLDEN = ("residual", "two", "healthy", "unexplained", "dense")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_of(report: Report) -> dict[str, Any]:
    (run,) = json.loads(as_sarif(report))["runs"]
    return run


def result_of(report: Report) -> dict[str, Any]:
    (result,) = run_of(report)["results"]
    return result


@pytest.mark.parametrize("name", GOLDEN)
def test_reads_as_it_did(name: str, folder: Path, request: pytest.FixtureRequest) -> None:
    text = as_sarif(REPORTS[name]()).replace(folder_uri(str(folder)), "file:///project/")
    golden.check(f"sarif/{name}.sarif", text, request.config)


def test_every_golden_file_has_its_test() -> None:
    assert golden.names("sarif") == {f"sarif/{name}.sarif" for name in GOLDEN}


# What the standard and its consumers demand. No package carries the schema, so this is written down by hand.

LEVELS = {"none", "note", "warning", "error"}


def everything(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON document."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(part)


def keys(value: dict[str, Any], required: str, allowed: str = "") -> None:
    assert set(required.split()) <= set(value) <= {*required.split(), *allowed.split()}


def assert_is_location(value: dict[str, Any]) -> None:
    keys(value, "physicalLocation", "id message logicalLocations")
    physical = value["physicalLocation"]
    keys(physical, "artifactLocation region")
    keys(physical["artifactLocation"], "uri", "uriBaseId")
    keys(physical["region"], "startLine", "snippet")
    assert physical["region"]["startLine"] >= 1
    uri = physical["artifactLocation"]["uri"]
    assert re.fullmatch(r"(?:[A-Za-z0-9._~/:-]|%[0-9A-F]{2})+", uri)
    if "uriBaseId" in physical["artifactLocation"]:
        assert not urlsplit(uri).scheme and not uri.startswith("/") and ".." not in uri.split("/")


def assert_is_result(result: dict[str, Any], run: dict[str, Any]) -> None:
    required = "ruleId ruleIndex level message locations partialFingerprints"
    keys(result, required, "relatedLocations codeFlows")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] in LEVELS
    assert len(result["locations"]) == 1
    assert_is_location(result["locations"][0])
    assert all(isinstance(word, str) for word in result["partialFingerprints"].values())
    related = result.get("relatedLocations", [])
    assert [one["id"] for one in related] == list(range(1, len(related) + 1))
    links = {int(number) for number in re.findall(r"\]\((\d+)\)", result["message"]["text"])}
    assert links <= {one["id"] for one in related}
    for one in related:
        assert_is_location(one)
    for flow in result.get("codeFlows", []):
        keys(flow, "threadFlows")
        names = [thread["id"] for thread in flow["threadFlows"]]
        assert len(set(names)) == len(names) >= 2
        for thread in flow["threadFlows"]:
            assert thread["locations"]
            for step in thread["locations"]:
                keys(step, "location importance")
                assert step["importance"] in ("important", "essential", "unimportant")
                assert_is_location(step["location"])


def assert_is_sarif(text: str) -> None:
    log = json.loads(text)
    keys(log, "$schema version runs")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    keys(run, "tool invocations results", "originalUriBaseIds")
    for base in run.get("originalUriBaseIds", {}).values():
        assert re.fullmatch(r"file://\S*/", base["uri"])
    driver = run["tool"]["driver"]
    keys(driver, "name version semanticVersion rules")
    assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
    for rule in driver["rules"]:
        keys(rule, "id name shortDescription help", "fullDescription defaultConfiguration properties")
        assert re.fullmatch("([A-Z][a-z0-9]*)+", rule["name"])
        assert max(len(rule[part]["text"]) for part in rule.keys() & {"shortDescription", "fullDescription"}) <= 1024
    assert {result["ruleId"] for result in run["results"]} == {rule["id"] for rule in driver["rules"]}
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    prints = [tuple(result["partialFingerprints"].items()) for result in run["results"]]
    assert len(set(prints)) == len(prints)
    for result in run["results"]:
        assert_is_result(result, run)
    messages = [one["message"] for one in everything(log) if "message" in one]
    assert all(message["text"].strip() for message in messages)


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_sarif(name: str) -> None:
    report = REPORTS[name]()
    assert_is_sarif(as_sarif(report))
    assert len(run_of(report)["results"]) == len(report.diagnoses)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda log: log["runs"][0]["results"][0].update(locations=[]),
        lambda log: log["runs"][0]["results"][0].update(ruleIndex=1),
        lambda log: log["runs"][0]["results"].append(log["runs"][0]["results"][0]),
        lambda log: log["runs"][0]["tool"]["driver"]["rules"].clear(),
        lambda log: log["runs"][0]["results"][0]["message"].update(text="see [this](7)"),
        lambda log: log.update(version="2.0.0"),
    ],
)
def test_the_demands_can_be_missed(spoil: Any) -> None:
    log = json.loads(as_sarif(residual()))
    spoil(log)
    with pytest.raises((AssertionError, IndexError)):
        assert_is_sarif(json.dumps(log))


@pytest.mark.parametrize("name", REPORTS)
def test_no_character_is_unseen(name: str) -> None:
    assert unseen(as_sarif(REPORTS[name]())) == set()


def test_a_healthy_report_has_a_run_without_results() -> None:
    run = run_of(healthy())
    assert run["results"] == run["tool"]["driver"]["rules"] == []
    assert run["invocations"] == [{"executionSuccessful": True}]


# What is told


def test_a_message_is_headline_explanation_cause_and_fix() -> None:
    lines = result_of(residual())["message"]["text"].splitlines()
    (diagnosis,) = residual().diagnoses
    assert lines[:2] == [f"{diagnosis.headline}.", diagnosis.explanation]
    assert lines[2].startswith("Cause: layer2.0 (BasicBlock, [train.py:56](1)): changes size")
    assert lines[3].startswith("Fix: a projection on the skip of layer2.0 (the whole forward pass runs with it")
    assert [line.strip() for line in lines[4:]] == diagnosis.fixes[0].code.splitlines()


def test_a_fix_that_does_not_help_is_no_fix() -> None:
    (diagnosis,) = residual().diagnoses
    failed = tuple(dataclasses.replace(fix, verified=False) for fix in diagnosis.fixes)
    report = dataclasses.replace(residual(), diagnoses=(dataclasses.replace(diagnosis, fixes=failed),))
    assert "Fix" not in result_of(report)["message"]["text"]


def test_a_verified_fix_with_a_patch_is_a_change_of_whole_lines(folder: Path) -> None:
    report = residual()
    (diagnosis,) = report.diagnoses
    before = "".join(f"line {number}\n" for number in range(1, 10))
    after = before.replace("line 5\n", "line five\nand more\n")
    patched = dataclasses.replace(diagnosis.fixes[0], patch=unified(str(folder / "net.py"), before, after))
    untried = dataclasses.replace(patched, verified=None)
    told = dataclasses.replace(report, diagnoses=(dataclasses.replace(diagnosis, fixes=(patched, untried)),))
    (change,) = result_of(told)["fixes"]
    assert change == {
        "description": {"text": patched.title},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": "net.py", "uriBaseId": "%SRCROOT%"},
                "replacements": [
                    {
                        "deletedRegion": {"startLine": 5, "startColumn": 1, "endLine": 6, "endColumn": 1},
                        "insertedContent": {"text": "line five\nand more\n"},
                    }
                ],
            }
        ],
    }


def test_what_no_line_can_be_blamed_for_is_a_notification() -> None:
    assert [each["level"] for each in run_of(two())["invocations"][0]["toolExecutionNotifications"]] == ["note"]
    run = run_of(unexplained())
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert run["results"] == [] and told["level"] == "error"
    assert told["message"]["text"].startswith("no cause found: RuntimeError: The size of tensor a (16)")
    assert told["locations"][0]["physicalLocation"]["region"]["startLine"] == 41


def test_a_name_makes_no_link() -> None:
    (diagnosis,) = residual().diagnoses
    named = dataclasses.replace(diagnosis, headline="[click](https://example.org) adds two branches")
    text = result_of(dataclasses.replace(residual(), diagnoses=(named,)))["message"]["text"]
    assert re.findall(r"\]\(([^)]*)\)", text) == ["1"]


def test_a_diagnosis_without_a_code_has_its_name() -> None:
    diagnosis = Diagnosis("", "shape-refused", "error", "a shape is refused", "")
    text = as_sarif(Report(Recording("torch"), (), (diagnosis, diagnosis)))
    assert_is_sarif(text)
    assert json.loads(text)["runs"][0]["results"][1]["ruleId"] == "shape-refused"


# Branches as steps


def lines_of_threads(report: Report) -> list[list[int]]:
    (flow,) = result_of(report)["codeFlows"]
    return [
        [step["location"]["physicalLocation"]["region"]["startLine"] for step in thread["locations"]]
        for thread in flow["threadFlows"]
    ]


def test_each_branch_is_a_thread_of_steps() -> None:
    (flow,) = result_of(residual())["codeFlows"]
    assert [thread["id"] for thread in flow["threadFlows"]] == ["main", "skip"]
    assert lines_of_threads(residual()) == [[36, 37, 41], [41]]
    main, _ = flow["threadFlows"]
    assert [step["importance"] for step in main["locations"]] == ["essential", "unimportant", "essential"]


def test_of_many_branches_the_odd_one_is_told() -> None:
    (flow,) = result_of(dense())["codeFlows"]
    lines = [
        step["location"]["physicalLocation"]["region"]["startLine"] for step in flow["threadFlows"][1]["locations"]
    ]
    assert (len(flow["threadFlows"]), lines) == (2, [5, 12])


def test_no_steps_where_no_call_has_a_place() -> None:
    assert "codeFlows" not in result_of(attention())


def test_a_fork_of_another_pass_is_not_given_a_line() -> None:
    """The numbers of values behind a first fault are those of the pass that met it."""
    (junction,), (diagnosis,) = residual().junctions, residual().diagnoses
    whole = residual()
    calls = tuple(dataclasses.replace(call, span=Span("train.py", 7)) for call in whole.calls)
    recording = dataclasses.replace(whole.recording, calls=calls)

    def first_lines(made_by: str) -> list[int]:
        assert junction.fork is not None
        fork = Fork(junction.fork.value, junction.fork.shape, made_by)
        told = dataclasses.replace(diagnosis, junction=dataclasses.replace(junction, fork=fork))
        (flow,) = result_of(dataclasses.replace(whole, recording=recording, diagnoses=(told,)))["codeFlows"]
        return [
            thread["locations"][0]["location"]["physicalLocation"]["region"]["startLine"]
            for thread in flow["threadFlows"]
        ]

    assert first_lines("relu") == [7, 7]
    assert first_lines("layer9.conv1") == [36, 41]


# Places


def placed(**changes: Any) -> Report:
    diagnosis = Diagnosis("SW101", "inner-dims-differ", "error", "they differ", "")
    failure = Failure("RuntimeError", "they differ", span=Span("failed.py", 4))
    return Report(Recording("torch", failure=failure), (), (dataclasses.replace(diagnosis, **changes),))


@pytest.mark.parametrize(
    ("report", "place"),
    [
        (placed(location=Span("raised.py", 1), cause=Cause("fc", "Linear", Span("made.py", 2))), ("raised.py", 1)),
        (placed(cause=Cause("fc", "Linear", Span("made.py", 2))), ("made.py", 2)),
        (placed(location=Span("<stdin>", 1), cause=Cause("fc", "Linear", Span("made.py", 2))), ("made.py", 2)),
        (placed(), ("failed.py", 4)),
        (placed(location=Span("raised.py", 0)), ("raised.py", 1)),
        (Report(Recording("torch"), (), placed().diagnoses), (".", 1)),
    ],
)
def test_every_result_has_a_place(report: Report, place: tuple[str, int]) -> None:
    physical = result_of(report)["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) == place


def test_a_place_is_told_once() -> None:
    here = Span("raised.py", 1)
    assert "relatedLocations" not in result_of(placed(location=here, cause=Cause("fc", "Linear", here)))


@pytest.mark.parametrize(
    ("file", "root", "uri"),
    [
        ("/project/net/train.py", "/project/net", ("train.py", True)),
        ("models/net.py", "/project", ("models/net.py", True)),
        ("../other/net.py", "/project/net", ("file:///project/other/net.py", False)),
        ("/project/network/a.py", "/project/net", ("file:///project/network/a.py", False)),
        ("/project/net/a b#1?.py", "/project/net", ("a%20b%231%3F.py", True)),
        ("a:b.py", "/project", ("a%3Ab.py", True)),
        ("/project/ä/漢%.py", "/project", ("%C3%A4/%E6%BC%A2%25.py", True)),
        ("/elsewhere/ä.py", "/project", ("file:///elsewhere/%C3%A4.py", False)),
        ("/project/\udcff.py", "/project", ("%FF.py", True)),
        ("/project/\ud800.py", "/project", ("%3F.py", True)),
        ("C:\\Users\\me\\net.py", "/project", ("file:///C:/Users/me/net.py", False)),
        ("c:\\work\\sub\\net.py", "c:\\work", ("sub/net.py", True)),
        ("src\\net.py", "/project", ("src/net.py", True)),
        ("\\\\server\\share\\a b.py", "/project", ("file://server/share/a%20b.py", False)),
        ("/project/net.py", None, ("file:///project/net.py", False)),
        ("net.py", None, ("net.py", False)),
        ("/net.py", "/", ("net.py", True)),
    ],
)
def test_artifacts(file: str, root: str | None, uri: tuple[str, bool]) -> None:
    found = artifact(file, root)
    assert (found["uri"], "uriBaseId" in found) == uri


def test_the_root_is_a_folder() -> None:
    assert folder_uri("/project/a b") == "file:///project/a%20b/"
    assert folder_uri("/") == "file:///"
    assert folder_uri("C:\\project") == "file:///C:/project/"


def test_a_uri_leads_to_the_file(folder: Path) -> None:
    """A check against the library that other programs read URIs with."""
    file = folder / "ein netz %20 #1.py"
    file.write_text("x")
    below = artifact(str(file), str(folder))["uri"]
    assert (folder / unquote(below)).read_text() == "x"
    absolute = artifact(str(file), "/elsewhere")["uri"]
    assert Path(unquote(urlsplit(absolute).path)).read_text() == "x"


# Fingerprints


def fingerprint(report: Report) -> str:
    (value,) = result_of(report)["partialFingerprints"].values()
    return value


def changed(report: Report, old: str, new: str) -> Report:
    return Report.from_dict(json.loads(json.dumps(report.to_dict()).replace(old, new)))


def test_a_fingerprint_stays_when_lines_move_and_the_batch_grows() -> None:
    moved = changed(changed(residual(), '"line": 41', '"line": 57'), "[2, ", "[64, ")
    assert moved.diagnoses[0].location == Span("train.py", 57, "out += identity", "forward")
    assert fingerprint(moved) == fingerprint(residual())


@pytest.mark.parametrize(
    ("old", "new"),
    [("layer2.0", "layer3.0"), ("out += identity", "out = out + x"), ("train.py", "net.py"), ("SW201", "SW203")],
)
def test_a_fingerprint_is_that_of_a_fault_in_a_place(old: str, new: str) -> None:
    assert fingerprint(changed(residual(), old, new)) != fingerprint(residual())


def test_a_name_made_by_counting_is_not_in_a_fingerprint() -> None:
    def named(name: str, by_counting: bool) -> str:
        report = changed(residual(), "layer2.0", name)
        layers = tuple(
            dataclasses.replace(each, auto_named=by_counting) if each.path == name else each for each in report.layers
        )
        return fingerprint(dataclasses.replace(report, recording=dataclasses.replace(report.recording, layers=layers)))

    assert named("add_1", True) == named("add_7", True)
    assert named("add_1", False) != named("add_7", False)


def test_equal_faults_are_numbered() -> None:
    (diagnosis,) = residual().diagnoses
    results = run_of(dataclasses.replace(residual(), diagnoses=(diagnosis, diagnosis)))["results"]
    first, second = (result["partialFingerprints"]["shapewatch/v1"] for result in results)
    assert (first[-2:], second[-2:], first[:-2]) == (":1", ":2", second[:-2])


# Files


def test_save_writes_sarif(folder: Path) -> None:
    path = hostile().save(folder / "report.sarif")
    assert path.read_text(encoding="utf-8") == as_sarif(hostile()) + "\n"
