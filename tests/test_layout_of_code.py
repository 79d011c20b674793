"""Which module may know which: dependencies point one way, and nothing is imported that the user did not import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import shapewatch

PACKAGE = Path(shapewatch.__file__).parent

LEVELS = (
    ("firewall", "recording", "edits"),
    ("axes", "codec", "source"),
    ("flow", "recorder"),
    ("demand", "report", "adapters"),
    ("rules",),
    ("repair", "messages", "patches"),
    ("diagnose", "ranks", "sizes"),
    ("watching",),
    ("testing", "cli", "integrations"),
)
"""From the bottom up. A module may know those of lower levels and of its own; within a level there are no circles."""

LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}

APART = frozenset({"__init__", "__main__", "render"})
"""Modules with rules of their own, below."""

NOUNS = frozenset({"recording", "edits", "flow", "report"})

NOUNS_OF_A_ROOM = frozenset({"sizes.accepted", "patches.diff"})
"""Where one module of a room has its nouns, and the others make them."""

BELOW_ADAPTERS = frozenset({"firewall", "recording", "edits", "recorder", "source", "adapters"})

FRAMEWORKS = frozenset({"torch", "tensorflow", "keras", "jax", "flax", "numpy"})

MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(file: Path) -> str:
    """`adapters.torch.edit`, `watch`, `__init__`: a module's name in the package."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    return module.partition(".")[0]


def imports(file: Path, lazy: bool) -> Iterator[str]:
    """The full names of the modules that a file imports: when it is itself imported or, with `lazy`, ever."""
    submodules = {f"shapewatch.{name_of(module)}" for module in MODULES}
    for node in _statements(ast.parse(file.read_text(encoding="utf-8")), lazy):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in submodules else str(node.module) for name in found)


def _statements(tree: ast.AST, lazy: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        inside_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for_types_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        yield node
        if lazy or not (inside_function or for_types_only):
            yield from _statements(node, lazy)


def own(file: Path, lazy: bool = False) -> set[str]:
    """The modules of shapewatch that a file imports, without the package's name."""
    names = {name for name in imports(file, lazy) if name.split(".")[0] == "shapewatch"}
    return {name.partition(".")[2] or "__init__" for name in names}


def strangers(file: Path, lazy: bool = True) -> set[str]:
    """The packages outside the standard library and shapewatch that a file imports."""
    tops = {name.split(".")[0] for name in imports(file, lazy)}
    return {top for top in tops if top not in sys.stdlib_module_names and top != "shapewatch"}


def test_the_levels_name_what_there_is() -> None:
    assert LEVEL.keys() | APART == {room(name_of(file)) for file in MODULES}


every_module = pytest.mark.parametrize("file", MODULES, ids=name_of)


def test_the_reader_of_imports_reads(tmp_path: Path) -> None:
    """A check of the checks: what is imported at the top, in a function and for types only is told apart."""
    file = tmp_path / "module.py"
    file.write_text(
        "import torch.nn\nfrom shapewatch import axes, __version__\nfrom shapewatch.rules.rule import Case\n"
        "if TYPE_CHECKING:\n    from shapewatch.watching import Session\n"
        "try:\n    import rich\nexcept ImportError:\n    pass\n"
        "def late():\n    from shapewatch.render import as_text\n"
    )
    assert own(file) == {"axes", "__init__", "rules.rule"}
    assert own(file, lazy=True) == {"axes", "__init__", "rules.rule", "watching", "render"}
    assert strangers(file) == {"torch", "rich"}


@every_module
def test_dependencies_point_one_way(file: Path) -> None:
    here = room(name_of(file))
    if here in APART:
        return
    assert here in LEVEL, f"{here} has no place in LEVELS: say what it may know"
    allowed = {name for name, level in LEVEL.items() if level <= LEVEL[here]} | ({"render"} if here == "cli" else set())
    assert {room(name) for name in own(file)} <= allowed


def test_there_are_no_circles() -> None:
    known = {name_of(file): own(file) for file in MODULES}
    done: set[str] = set()

    def visit(module: str, road: tuple[str, ...]) -> None:
        assert module not in road, " -> ".join((*road, module))
        if module not in done:
            for other in sorted(known.get(module, ())):
                visit(other, (*road, module))
            done.add(module)

    for module in known:
        visit(module, ())


@every_module
def test_the_core_knows_no_framework_and_no_rich(file: Path) -> None:
    where = name_of(file).split(".")
    allowed = {
        "cli": {"rich"},
        "render": {"rich"},
        "adapters": {*where[1:2], "numpy"},
        "integrations": {*where[1:2], *(["pytorch_lightning"] if where[1:] == ["lightning"] else [])},
    }
    assert strangers(file) <= allowed.get(where[0], set())


@every_module
def test_frameworks_are_not_imported_by_name(file: Path) -> None:
    """Nor asked for by `import_module("torch")` or the like."""
    called = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    named = {
        argument.value.split(".")[0]
        for node in called
        if ast.unparse(node.func).endswith(("import_module", "__import__"))
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    assert not named & FRAMEWORKS


@pytest.mark.parametrize("file", [file for file in MODULES if room(name_of(file)) == "render"], ids=name_of)
def test_render_knows_the_nouns_only(file: Path) -> None:
    further = {
        "render.sarif": {"__init__", "rules"},  # its version, and the page of each code
        "render.comparison_json": {"codec"},
    }.get(name_of(file), set())
    known = own(file, lazy=True) - NOUNS_OF_A_ROOM
    assert {room(name) for name in known} <= NOUNS | {"render", "firewall"} | further


def of_a_framework(name: str) -> bool:
    """Whether a module of the adapters is in a framework's own folder; the others serve all and import none."""
    return name.split(".")[1] in FRAMEWORKS


@pytest.mark.parametrize("file", [file for file in MODULES if room(name_of(file)) == "adapters"], ids=name_of)
def test_adapters_know_nothing_above_the_recording(file: Path) -> None:
    known, framework = own(file, lazy=True), name_of(file).split(".")[:2]
    assert {room(name) for name in known} <= BELOW_ADAPTERS
    shared = {name for name in map(name_of, MODULES) if name.startswith("adapters.") and not of_a_framework(name)}
    assert {name for name in known if name.startswith("adapters.")} <= shared | {
        name for name in map(name_of, MODULES) if name.split(".")[:2] == framework
    }


# What an import brings


def loaded_by(statement: str) -> set[str]:
    """The modules that a bare Python has after a statement and had not before, asked in a process of its own."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PACKAGE.parent, timeout=120
    )
    return set(run.stdout.split())


def heavy(modules: set[str]) -> set[str]:
    return {name.split(".")[0] for name in modules} & (FRAMEWORKS | {"rich"})


@pytest.mark.parametrize("module", ["shapewatch", "shapewatch.testing", "shapewatch.rules"])
def test_importing_brings_no_framework(module: str) -> None:
    assert heavy(loaded_by(f"import {module}")) == set()


@pytest.mark.parametrize("statement", ["import torch", "import rich", "import shapewatch.adapters.torch"])
def test_the_check_would_notice(statement: str) -> None:
    assert heavy(loaded_by(statement))


def test_watching_nothing_brings_no_framework() -> None:
    used = loaded_by("import shapewatch\nwith shapewatch.watch() as session: pass\nstr(session.report)")
    assert not {name.split(".")[0] for name in used} & FRAMEWORKS


def test_importing_stays_small() -> None:
    modules = {name for name in loaded_by("import shapewatch") if ".rules." not in name}  # a file each, and all listed
    assert sum(name.startswith("shapewatch") for name in modules) < 50
    assert len(modules) < 160


# The surface


PUBLIC = """
import types, shapewatch
for name, value in vars(shapewatch).items():
    if not name.startswith("_") and name != "annotations" and not isinstance(value, types.ModuleType):
        print(name)
"""


def test_all_names_what_is_public() -> None:
    """In a process of its own: here, other tests may have put attributes on the package."""
    run = subprocess.run([sys.executable, "-c", PUBLIC], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert sorted(run.stdout.split()) == list(shapewatch.__all__)


@pytest.mark.parametrize("name", ["watch", "check", "Report", "Diagnosis", "Junction", "Fix", "Session"])
def test_what_users_type_is_there(name: str) -> None:
    assert name in shapewatch.__all__ and callable(getattr(shapewatch, name))


@every_module
def test_modules_say_what_they_are(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
