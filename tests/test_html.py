"""Reports as HTML: what they say, what they are made of, and that nothing in them acts."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import golden
import pytest
from support.faults import Place, places
from test_render import EVIL, REPORTS, SUMMARIES, healthy, residual, two

import shapewatch
from shapewatch.cli import main
from shapewatch.firewall import Faults
from shapewatch.messages.explain import explain_text
from shapewatch.render import as_html, as_text, notebook_html, page_html, page_text, summary_html, summary_text
from shapewatch.render.page import Page
from shapewatch.render.style import COLOURS
from shapewatch.report import Report
from shapewatch.rules import RULES

TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 12, in <module>
    y = a @ b
RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)
"""

VOID = {"meta", "img", "br", "link", "input"}

ELEMENTS = set(
    "html head meta title style body main header h1 h2 h3 p div section span strong code mark pre dl dt dd ol li "
    "table thead tbody tr th td figure figcaption details summary svg path rect circle text g script".split()
)
"""All that a report is made of: nothing that loads, asks for or sends anything."""

ATTRIBUTES = set(
    "class lang charset name content http-equiv value scope colspan tabindex role aria-label viewbox width height "
    "d x y cx cy r rx".split()
)


class Elements(HTMLParser):
    """What a page is made of, and its words. Raises where elements are not closed in turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: dict[str, list[str]] = {}
        self.text = ""
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            self.attributes.setdefault(name, []).append(value or "")
        if tag not in VOID:
            self.open.append(tag)
        self._apart(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.open.remove(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._apart(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        elif "head" not in self.open:
            self.text += data

    def _apart(self, tag: str) -> None:
        if tag not in ("span", "strong", "code", "mark"):
            self.text += "\n"


def words(text: str) -> set[str]:
    """The words of a report, less what only lays them out: quotes of code, and signs that point at a column."""
    apart = text.replace("`", "").replace("\u00a0", " ").split()
    return {word for word in apart if word not in ("<", "^") and not re.fullmatch(r"\d+\.", word)}


every_report = pytest.mark.parametrize("name", REPORTS)


# What it says


@every_report
def test_a_page_says_what_the_text_says(name: str) -> None:
    report = REPORTS[name]()
    assert words(as_text(report, width=2000)) - words(Elements(as_html(report)).text) == set()
    assert words(as_text(report, width=2000)) - words(Elements(notebook_html(report)).text) == set()


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_summary_says_what_its_text_says(name: str) -> None:
    report = REPORTS[name]()
    assert words(summary_text(report, width=2000)) - words(Elements(summary_html(report)).text) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_page_of_a_code_says_what_its_text_says(rule: shapewatch.rules.Rule) -> None:  # type: ignore[name-defined]
    page = Page(rule.code, rule.name, rule.severity, rule.page)
    assert words(page_text(page, width=2000)) - words(Elements(page_html(page)).text) == set()


def test_an_explanation_says_what_its_text_says() -> None:
    report = explain_text(TRACEBACK)
    assert report is not None
    page = Elements(as_html(report))
    assert words(as_text(report, width=2000)) - words(page.text) == set()
    assert "svg" not in page.tags  # there is no model to draw


def test_alternatives_come_with_their_code() -> None:
    report = residual()
    assert "self.conv1 = nn.Conv2d(16, 16" not in as_text(report)
    assert "self.conv1 = nn.Conv2d(16, 16" in Elements(as_html(report)).text


@pytest.mark.parametrize("name", ["residual", "dense", "unexplained"])
def test_a_report_looks_as_it_did(name: str, request: pytest.FixtureRequest) -> None:
    """Without the style sheet, which is looked at."""
    golden.check(f"html/{name}.html", body(as_html(REPORTS[name]())), request.config)


def test_a_summary_looks_as_it_did(request: pytest.FixtureRequest) -> None:
    golden.check("html/healthy.summary.html", body(summary_html(healthy())), request.config)


def body(page: str) -> str:
    return page[page.index("<body") : page.index("<script>")]


def test_every_golden_file_has_its_test() -> None:
    told = {f"html/{name}.html" for name in ("residual", "dense", "unexplained", "healthy.summary")}
    assert golden.names("html") == told


# What it is made of


def pages(report: Report) -> list[str]:
    return [as_html(report), summary_html(report), notebook_html(report)]


@every_report
def test_a_page_holds_nothing_that_loads_or_sends(name: str) -> None:
    for page in pages(REPORTS[name]()):
        found = Elements(page)
        assert found.tags <= ELEMENTS
        assert found.attributes.keys() <= ATTRIBUTES
        assert not re.search(r"url\(|@import|https?:|//[a-z]", page)


MARKUP = "</script></style><img src=x onerror=alert(1)>\"'&amp;<!--"


def marked_up(report: Report) -> Report:
    """Markup in every string that comes from the watched program."""
    data = json.dumps(report.to_dict())
    for word in ("layer2.0", "out += identity", "BasicBlock", "RuntimeError", "bn2", "train.py", "self.shortcut"):
        data = data.replace(word, f"{word}{json.dumps(MARKUP)[1:-1]}")
    changed = json.loads(data)
    changed["failure"]["message"] = changed["notes"][:0] or MARKUP
    changed["notes"] = [MARKUP]
    return Report.from_dict(changed)


def test_markup_in_the_program_is_text_in_the_page() -> None:
    report = marked_up(residual())
    sound = {len(Elements(page).tags) for page in pages(residual())}
    for page in pages(report):
        found = Elements(page)
        assert found.tags <= ELEMENTS and found.attributes.keys() <= ATTRIBUTES
        assert found.text.count(MARKUP) > 3
        assert MARKUP not in page
    assert {len(Elements(page).tags) for page in pages(report)} == sound


def test_nothing_in_a_page_acts_on_a_terminal() -> None:
    for page in pages(REPORTS["hostile"]()):
        assert not set(EVIL) & {character for character in page if not character.isprintable() and character != "\n"}


def test_a_page_runs_and_looks_by_what_is_in_it_and_no_more() -> None:
    page = as_html(residual())
    found = Elements(page)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    for kind in ("style", "script"):
        (content,) = found.raw[kind]
        own = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{own}'"


def test_tables_have_headers() -> None:
    page = re.sub(r"<(?!/?t[hdr])[^>]+>|&nbsp;", "", summary_html(healthy()))
    assert '<th scope="col">layer</th><th scope="col">type</th><td></td><th scope="col">output</th>' in page
    assert '<th scope="row">fc</th><td>Linear</td><td>16 -> 10</td>' in page.replace("&gt;", ">")
    assert re.search(r'<th scope="rowgroup" colspan="3">layer1.0 +add +ok</th>', page)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("ground", ["paper", "panel", "told"])
@pytest.mark.parametrize("colour", ["ink", "quiet", "error", "warning", "good", "accent"])
def test_words_stand_out(colour: str, ground: str, dark: bool) -> None:
    """By 4.5 to 1, as WCAG 2.1 (1.4.3) has it."""
    one, other = sorted((_luminance(COLOURS[name][dark]) for name in (colour, ground)), reverse=True)
    assert (one + 0.05) / (other + 0.05) >= 4.5


# In a notebook


def test_a_piece_changes_nothing_around_it() -> None:
    """Every rule of its style sheet is about what is inside."""
    (style,) = Elements(notebook_html(residual())).raw["style"]
    flat = re.sub(r"@media[^{]+\{((?:[^{}]*\{[^{}]*\})*)\s*\}", r"\1", style)
    selectors = [part.strip() for rule in re.findall(r"([^{}]+)\{", flat) for part in rule.split(",")]
    assert len(selectors) > 50
    assert [selector for selector in selectors if ".shapewatch" not in selector] == []


def test_pieces_of_several_reports_do_not_clash() -> None:
    found = Elements(notebook_html(residual()) + notebook_html(two()))
    assert not {"id", "for", "aria-labelledby", "href"} & found.attributes.keys()
    assert "script" not in found.tags and "button" not in found.tags


def test_what_a_notebook_shows() -> None:
    report = residual()
    assert report._repr_html_() == notebook_html(report)
    diagnosis = shapewatch.explain(TRACEBACK)
    assert diagnosis is not None
    assert diagnosis.code in diagnosis._repr_html_()
    with shapewatch.watch() as session:
        assert session._repr_html_() is None
    assert session._repr_html_() == session.report._repr_html_()


# Without source lines


def test_a_report_can_be_without_source(tmp_path: Path) -> None:
    report = residual()
    lines = {span.source for span in (report.diagnoses[0].location, report.diagnoses[0].cause.location) if span}  # type: ignore[union-attr]
    lines |= {line for fix in report.diagnoses[0].fixes for line in fix.code.splitlines()}
    assert len(lines) == 5
    for suffix in (".txt", ".json", ".html"):
        whole = report.save(tmp_path / f"whole{suffix}").read_text()
        bare = report.save(tmp_path / f"bare{suffix}", source=False).read_text()
        assert any(line and line in whole for line in lines)
        assert [line for line in lines if line and line in bare] == []
        assert "train.py" in bare and "layer2.0" in bare
    assert Report.load(tmp_path / "bare.json") == report.without_source()


def test_without_source_all_else_stays() -> None:
    report = residual()
    bare = report.without_source()
    assert bare.recording.values == report.recording.values
    assert [fix.title for fix in bare.diagnoses[0].fixes] == [fix.title for fix in report.diagnoses[0].fixes]
    assert bare.diagnoses[0].fixes[0].changes == report.diagnoses[0].fixes[0].changes
    assert dataclasses.replace(bare.diagnoses[0].location, source="out += identity") == report.diagnoses[0].location  # type: ignore[type-var]


# From the command line


def asked(folder: Path, *words: str) -> int:
    return main([word.replace("FOLDER", str(folder)) for word in words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log.txt").write_text(TRACEBACK)
    (tmp_path / "net.py").write_text("from support.residual import Net\n\ndef model():\n    return Net(stride=2)\n")
    return tmp_path


def test_commands_write_pages(folder: Path) -> None:
    net = ("FOLDER/net.py:model", "--input", "1x3x8x8")
    assert asked(folder, "explain", "FOLDER/log.txt", "-o", "FOLDER/log.html") == 0
    assert asked(folder, "explain", "SW201", "-o", "FOLDER/code.html") == 0
    assert asked(folder, "check", *net, "-o", "FOLDER/check.html") == 1
    assert asked(folder, "summary", *net, "-o", "FOLDER/summary.html") == 1
    found = {name: Elements((folder / f"{name}.html").read_text()) for name in ("log", "code", "check", "summary")}
    assert {name for name, page in found.items() if "svg" in page.tags} == {"check", "summary"}
    assert "What it means" in found["code"].text
    assert "branches-differ" in found["check"].text and "branches-differ" not in found["summary"].text
    assert "parameters" in found["summary"].text


@pytest.mark.parametrize("words", [("--format", "json"), ("-o", "FOLDER/code.json")])
def test_the_page_of_a_code_is_no_json(
    words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(folder, "explain", "SW201", *words) == 2
    assert "the page of SW201 is text or html" in capsys.readouterr().err
    assert not (folder / "code.json").exists()


@pytest.mark.parametrize("suffix", ["txt", "json", "html"])
def test_a_command_leaves_source_out(suffix: str, folder: Path) -> None:
    words = ("check", "FOLDER/net.py:model", "--input", "1x3x8x8", "-o", f"FOLDER/report.{suffix}")
    source = "self.conv2(torch.relu(self.conv1(x))) + x"
    assert asked(folder, *words) == 1
    assert source in (folder / f"report.{suffix}").read_text()
    assert asked(folder, *words, "--no-source") == 1
    bare = (folder / f"report.{suffix}").read_text()
    assert source not in bare and "residual.py" in bare


def test_text_on_the_screen_leaves_source_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(folder, "explain", "FOLDER/log.txt", "--no-source") == 0
    out = capsys.readouterr().out
    assert "train.py:12" in out and "y = a @ b" not in out


# A fault of ours


DRAWN = ("render.html", "render.rows", "render.skips", "render.spine", "render.svg", "render.web", "render.summary",
         "render.branches", "flow")  # fmt: skip


@pytest.mark.own_faults
@pytest.mark.parametrize("place", places(*DRAWN), ids=lambda place: place.name)
def test_a_fault_of_ours_does_not_lose_the_report(place: Place) -> None:
    report = residual()
    (diagnosis,) = report.diagnoses
    needed = words(f"{diagnosis.code} {diagnosis.headline}")
    with place.failing():
        before = Faults.count
        for page in (as_html(report), notebook_html(report)):
            assert needed <= words(Elements(page).text)
        failed = Faults.count > before
    if place.name.startswith(("render.rows.course_of", "render.spine.lay_spine", "render.svg.spine_svg")):
        assert failed
        page = Elements(as_html(report))
        with place.failing():
            without = Elements(as_html(report))
        assert "svg" in page.tags and "svg" not in without.tags
        assert words(as_text(report, width=2000)) <= words(without.text)


@pytest.mark.own_faults
def test_a_picture_that_fails_leaves_its_table() -> None:
    (picture,) = (place for place in places("render.html") if place.name == "render.html._branching")
    with picture.failing():
        page = as_html(residual())
    assert words(as_text(residual(), width=2000)) - words(Elements(page).text) == {"conv2,"}  # each has its row
    assert 'class="branching"' not in page and 'class="branching"' in as_html(residual())
