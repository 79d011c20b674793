"""The command line, in processes of its own.

What `run` promises is what Python does: most of its tests run a program twice, bare and watched, and compare.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import textwrap
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import shapewatch
from shapewatch.cli.errors import CommandError
from shapewatch.cli.inputs import parse_input, parse_inputs
from shapewatch.report import Report

WATCHED = ("-m", "shapewatch", "run")


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    return kept | {"PYTHONPATH": str(Path(shapewatch.__file__).parents[1])}


def python(folder: Path, *words: str, stdin: str | None = None) -> Ended:
    process = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment(),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
        check=False,
    )
    return Ended(process.returncode, process.stdout, process.stderr)


def cli(folder: Path, *words: str) -> Ended:
    return python(folder, "-m", "shapewatch", *words)


def write(folder: Path, name: str, source: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return path


def assert_same(folder: Path, *words: str, stdin: str | None = None) -> Ended:
    """Run a program bare and watched; both have to end alike. How it ended."""
    bare = python(folder, *words, stdin=stdin)
    assert python(folder, *WATCHED, *words, stdin=stdin) == bare
    return bare


def assert_one_line(ended: Ended, *parts: str) -> None:
    """Wrong usage: nothing on standard output, one line on standard error, exit status 2."""
    assert (ended.code, ended.out) == (2, ""), ended
    assert ended.err.count("\n") == 1, ended.err
    assert ended.err.endswith("\n")
    for part in parts:
        assert part in ended.err


# run, compared with Python

PROGRAMS = {
    "what a script sees": """
        import sys
        print(sys.argv, sys.path[0], sys.modules["__main__"].__dict__ is globals())
        print(sorted((name, value) for name, value in globals().items() if name not in ("sys", "__loader__")))
        print(type(__loader__), __loader__.name, __loader__.path)
    """,
    "prints to both streams": """
        import sys
        print("out")
        print("err", file=sys.stderr)
        sys.stdout.write("no newline at the end")
    """,
    "sys.exit()": "import sys; sys.exit()",
    "sys.exit(0)": "import sys; sys.exit(0)",
    "sys.exit(3)": "import sys; sys.exit(3)",
    "sys.exit(-1)": "import sys; sys.exit(-1)",
    "sys.exit(300)": "import sys; sys.exit(300)",
    "sys.exit(True)": "import sys; sys.exit(True)",
    "sys.exit(None)": "import sys; sys.exit(None)",
    "sys.exit(text)": "import sys; sys.exit('the data is not there')",
    "sys.exit(tuple)": "import sys; sys.exit((1, 2))",
    "sys.exit while handling": """
        import sys
        try:
            {}["a"]
        except KeyError:
            sys.exit(4)
    """,
    "os._exit": "import os; os._exit(5)",
    "uncaught": """
        def inner(numbers):
            return numbers["b"] + 1

        def outer():
            return inner({"a": 1})

        print("before")
        outer()
    """,
    "cause": """
        def read():
            try:
                return {}["path"]
            except KeyError as error:
                raise ValueError("no path") from error
        read()
    """,
    "context": """
        try:
            1 / 0
        except ZeroDivisionError:
            undefined
    """,
    "from None": """
        try:
            1 / 0
        except ZeroDivisionError:
            raise RuntimeError("over") from None
    """,
    "notes": """
        error = OSError("disk")
        error.add_note("a note of the program's own")
        raise error
    """,
    "exception group": """
        def one(error):
            try:
                raise error
            except Exception as caught:
                return caught
        raise ExceptionGroup("several", [one(ValueError(1)), one(TypeError(2))])
    """,
    "exception whose text fails": """
        class Broken(Exception):
            def __str__(self):
                raise ValueError
        raise Broken
    """,
    "own excepthook": """
        import sys, traceback
        def hook(kind, error, trace):
            print("hook:", kind.__name__, error, traceback.extract_tb(trace), sys.excepthook is hook)
            assert error.__traceback__ is trace
        sys.excepthook = hook
        raise LookupError("lost")
    """,
    "traceback kept for a debugger": """
        import atexit, sys, traceback
        atexit.register(lambda: print(traceback.extract_tb(sys.last_traceback), sys.last_value))
        raise LookupError("lost")
    """,
    "KeyboardInterrupt raised by the program": "raise KeyboardInterrupt",
    "generator closed late": """
        def numbers():
            try:
                yield 1
            finally:
                print("closed")
        kept = numbers()
        next(kept)
        class Last:
            def __del__(self):
                print("deleted")
        last = Last()
    """,
    "warnings": """
        import warnings
        warnings.warn("careful")
        x = 1
        print(x is 1)
    """,
    "stdin": """
        import sys
        first = input("name? ")
        print(first, sys.stdin.read())
    """,
    "atexit": """
        import atexit
        atexit.register(print, "first")
        atexit.register(print, "second")
        print("body")
    """,
    "atexit after an exception": """
        import atexit
        atexit.register(print, "at exit")
        raise ValueError("body")
    """,
    "a thread that outlives the script": """
        import threading, time
        def late():
            time.sleep(0.2)
            print("late")
        threading.Thread(target=late).start()
        print("body")
    """,
    "an exception in a thread": """
        import threading
        def work():
            raise ValueError("in a thread")
        thread = threading.Thread(target=work, name="worker")
        thread.start()
        thread.join()
    """,
    "main guard and pickle": """
        import pickle, sys
        from dataclasses import dataclass

        @dataclass
        class Point:
            x: int

        if __name__ == "__main__":
            data = pickle.dumps(Point(3))
            print(b"__main__" in data, pickle.loads(data), sys.modules["__main__"].Point is Point)
    """,
    "annotations": """
        size: int = 3
        print(__annotations__)
    """,
    "inspect": """
        import inspect
        def double(x):
            return x * 2
        print(inspect.getsource(double), inspect.getsourcefile(double))
    """,
    "future annotations of our own files stay ours": """
        def f(x: "int", y: int): ...
        print(f.__annotations__)
    """,
    "fork": """
        import os, sys
        child = os.fork()
        if child == 0:
            print("child", flush=True)
            sys.exit(7)
        print("parent", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """,
    "fork, and both go on to the end": """
        import os
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        print("parent" if child else "child", flush=True)
    """,
    "multiprocessing spawn": """
        import multiprocessing

        def square(x):
            return x * x

        print("imported as", __name__, flush=True)
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(square, [1, 2, 3]))
    """,
    "multiprocessing fork": """
        import multiprocessing

        def square(x):
            return x * x

        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(pool.map(square, [1, 2, 3]))
    """,
    "asyncio": """
        import asyncio
        async def main():
            await asyncio.sleep(0)
            raise ValueError("in a task")
        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_run_is_python(name: str, tmp_path: Path) -> None:
    write(tmp_path, "train.py", PROGRAMS[name])
    assert_same(tmp_path, "train.py", "--epochs", "3", "-o", "x", "--format", "json", "--", stdin="Ada\nrest\n")


SYNTAX_ERRORS = {
    "not closed": b"x = (1,\n",
    "indentation": b"if 1:\nx = 1\n",
    "tabs": b"if 1:\n\tx = 1\n        y = 2\n",
    "after a warning": b"x = 1\nif x is 1: pass\nreturn 3\n",
    "print statement": b'print("starts")\nprint "hello"\n',
    "f-string": b"f'{a b}'\n",
    "crlf": b"x = 1\r\ny = (\r\n",
    "byte order mark": b"\xef\xbb\xbfx = 1 1\n",
    "latin-1 declared": b'# coding: latin-1\nx = "\xe9" ?\n',
    "latin-1 not declared": b'print("starts")\nx = "\xe9"\n',
    "unknown encoding": b"# coding: nosuch\nx = 1\n",
    "null byte": b"x = 1\n\0y = 2\n",
}


@pytest.mark.parametrize("name", SYNTAX_ERRORS)
def test_run_shows_a_syntax_error_as_python_does(name: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_bytes(SYNTAX_ERRORS[name])
    assert assert_same(tmp_path, "train.py").code == 1


def test_run_spells_paths_as_python_does(tmp_path: Path) -> None:
    write(tmp_path, "a/train.py", "import sys; print(__file__, sys.argv, sys.path[0]); 1 / 0")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/link.py").symlink_to("../a/train.py")
    (tmp_path / "c").symlink_to("a")
    write(tmp_path, "no_suffix", "print(__file__)")
    for path in ("a/train.py", "./a/train.py", "b/../a/train.py", "b/link.py", "c/train.py", "no_suffix"):
        assert_same(tmp_path, path)
    assert_same(tmp_path / "b", "../a/train.py")
    assert_same(tmp_path / "b", str(tmp_path / "a" / "train.py"))


def test_run_finds_siblings_and_not_the_working_folder(tmp_path: Path) -> None:
    write(tmp_path, "src/train.py", "import blocks; print(blocks.__file__)\nimport elsewhere")
    write(tmp_path, "src/blocks.py", "")
    write(tmp_path, "elsewhere.py", "")
    assert "No module named 'elsewhere'" in assert_same(tmp_path, "src/train.py").err


def package(folder: Path, last: str) -> None:
    write(folder, "project/__init__.py", "import sys; print('package', sys.argv)")
    write(folder, "project/blocks.py", "WIDTH = 64")
    write(
        folder,
        "project/train.py",
        f"""
        import sys
        from .blocks import WIDTH
        print(sys.argv, sys.path[0], __file__, __name__, __package__, __cached__, WIDTH)
        print(__spec__.name, __spec__.origin, __loader__ is __spec__.loader)
        print(sorted(name for name in globals() if name.startswith("__")))
        {last}
        """,
    )


@pytest.mark.parametrize("last", ["", "sys.exit(3)", "sys.exit('text')", "1 / 0"])
def test_run_module_is_python_m(last: str, tmp_path: Path) -> None:
    package(tmp_path, last)
    assert "64" in assert_same(tmp_path, "-m", "project.train", "--lr", "3", "-o", "x", "-m", "--").out


def test_run_module_of_a_package_and_spawn(tmp_path: Path) -> None:
    write(tmp_path, "project/__init__.py", "")
    write(
        tmp_path,
        "project/__main__.py",
        """
        import multiprocessing
        from . import blocks
        print(__name__, __spec__.name, flush=True)
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(blocks.square, [1, 2, 3]))
        """,
    )
    write(tmp_path, "project/blocks.py", "def square(x): return x * x")
    assert "[1, 4, 9]" in assert_same(tmp_path, "-m", "project").out


def test_run_module_whose_package_fails(tmp_path: Path) -> None:
    write(tmp_path, "project/__init__.py", "import nothing_of_that_name")
    write(tmp_path, "project/train.py", "")
    assert "nothing_of_that_name" in assert_same(tmp_path, "-m", "project.train").err


def test_run_folder_and_zip(tmp_path: Path) -> None:
    source = "import sys; print(sys.argv, sys.path[0], __file__, __name__); 1 / 0"
    write(tmp_path, "app/__main__.py", source)
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", source)
    assert_same(tmp_path, "app", "a")
    assert_same(tmp_path, "./app/", "a")
    assert_same(tmp_path, "app.pyz", "a")


def test_run_compiled_file(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "import sys; print(sys.argv, __file__, type(__loader__))")
    python(tmp_path, "-c", "import py_compile; py_compile.compile('train.py', 'train.pyc')")
    assert "train.pyc" in assert_same(tmp_path, "train.pyc", "a").out


def test_run_keeps_interpreter_options(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "import sys; print(sys.path[0], sys.flags); import blocks; assert False")
    write(tmp_path, "blocks.py", "")
    for option in (("-P",), ("-O",), ("-X", "dev"), ("-W", "error"), ("-u",)):
        bare = python(tmp_path, *option, "train.py")
        assert python(tmp_path, *option, *WATCHED, "train.py") == bare, option


def test_run_from_the_installed_command(tmp_path: Path) -> None:
    write(tmp_path, "src/train.py", "import sys; print(sys.argv, sys.path[0], __name__); 1 / 0")
    write(
        tmp_path,
        "bin/shapewatch",
        """
        import re
        import sys
        from shapewatch.cli import main
        if __name__ == "__main__":
            sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])
            sys.exit(main())
        """,
    )
    bare = python(tmp_path, "src/train.py", "a")
    assert python(tmp_path, "bin/shapewatch", "run", "src/train.py", "a") == bare


@pytest.mark.parametrize("words", [("train.py",), ("-m", "train")])
def test_run_dies_by_ctrl_c_as_python_does(words: tuple[str, ...], tmp_path: Path) -> None:
    write(
        tmp_path,
        "train.py",
        """
        import atexit, time
        atexit.register(print, "at exit")
        print("ready", flush=True)
        time.sleep(30)
        """,
    )
    bare = interrupted(tmp_path, *words)
    assert bare.code == -signal.SIGINT
    assert interrupted(tmp_path, *WATCHED, *words) == bare


def interrupted(folder: Path, *words: str) -> Ended:
    """A program that prints `ready` (to either stream), and gets SIGINT then."""
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = process.stderr if "json" in words else process.stdout
        assert ready.readline() == "ready\n"
        time.sleep(0.3)  # until it sleeps, so that it is always interrupted on the same line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


# run, the report

NOISY = """
    import atexit, ctypes, os, subprocess, sys, threading, time
    print("print")
    os.write(1, b"descriptor\\n")
    subprocess.run([sys.executable, "-c", "print('subprocess')"])
    ctypes.CDLL(None).puts(b"from C")
    ctypes.CDLL(None).fflush(None)
    atexit.register(print, "at exit")
    def late():
        time.sleep(0.2)
        print("late")
    threading.Thread(target=late).start()
"""
NOISES = ["print", "descriptor", "subprocess", "from C", "at exit", "late"]


@pytest.mark.parametrize(("last", "code"), [("", 0), ("sys.exit(3)", 3), ("1 / 0", 1), ("if os.fork(): os.wait()", 0)])
def test_run_json_is_alone_on_standard_output(last: str, code: int, tmp_path: Path) -> None:
    write(tmp_path, "train.py", textwrap.dedent(NOISY) + last)
    bare = python(tmp_path, "train.py")
    watched = cli(tmp_path, "run", "--format", "json", "train.py")
    assert Report.from_dict(json.loads(watched.out)).ok
    assert watched.code == bare.code == code
    for noise in NOISES:
        assert noise in bare.out.splitlines()
        assert noise in watched.err.splitlines()
    assert sorted(watched.err.splitlines()) == sorted((bare.out + bare.err).splitlines())


def test_run_json_after_a_syntax_error_and_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_bytes(b'x = "\xe9"\n')
    broken = cli(tmp_path, "run", "--format=json", "broken.py")
    assert broken.code == 1
    assert broken.err == python(tmp_path, "broken.py").err
    assert json.loads(broken.out)["ok"]
    write(tmp_path, "train.py", "import time; print('ready', flush=True); time.sleep(30)")
    stopped = interrupted(tmp_path, *WATCHED, "--format", "json", "train.py")
    assert stopped.code == -signal.SIGINT
    assert json.loads(stopped.out)["ok"]


@pytest.mark.parametrize(
    ("redirection", "code"), [("2>&-", 0), (">&-", 2), ("</dev/null >/dev/full", 0), ("| true", 0)]
)
def test_run_json_with_streams_that_are_closed(redirection: str, code: int, tmp_path: Path) -> None:
    write(tmp_path, "train.py", "print('out')")
    command = f"{sys.executable} -m shapewatch run --format json train.py {redirection}; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == code, ended
    assert "Traceback" not in ended.stderr
    if redirection == "2>&-":
        assert json.loads(ended.stdout)["ok"]


def test_run_writes_the_report_to_a_file(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "import os; print('out'); os.chdir('/')")
    assert cli(tmp_path, "run", "-o", "seen.json", "train.py") == Ended(0, "out\n", "")
    assert Report.load(tmp_path / "seen.json").ok
    assert cli(tmp_path, "run", "--format", "json", "-o", "seen", "train.py") == Ended(0, "out\n", "")
    assert Report.load(tmp_path / "seen").ok
    assert cli(tmp_path, "run", "-o", "seen.txt", "train.py") == Ended(0, "out\n", "")
    assert (tmp_path / "seen.txt").read_text(encoding="utf-8").endswith("\n")


def test_run_keeps_the_end_of_a_program_that_takes_its_report_away(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path, "train.py", "import os, sys; os.rmdir('out'); sys.exit(3)")
    ended = cli(tmp_path, "run", "-o", "out/seen.json", "train.py")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("shapewatch run: ")
    assert ended.err.count("\n") == 1


def test_run_of_what_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "")
    write(tmp_path, "project/train.py", "")
    (tmp_path / "empty").mkdir()
    for words, part in {
        ("nosuch.py",): "there is no file `nosuch.py`",
        ("trian.py",): "did you mean `train.py`?",
        ("train",): "did you mean `train.py`?",
        ("project.train",): "shapewatch run -m project.train",
        ("empty",): "has no __main__.py",
        ("-m", "nosuch"): "No module named nosuch",
        ("-m", "project.nosuch"): "No module named project.nosuch",
        ("-m", "project"): "'project' is a package",
        ("-m",): "-m needs the name of a module",
        (): "there is nothing to run",
    }.items():
        assert_one_line(cli(tmp_path, "run", *words), "shapewatch run: ", part)


# Wrong usage


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "a command is missing"),
        (("chekc",), "did you mean `check`?"),
        (("train.py",), "shapewatch run train.py"),
        (("frobnicate",), "the commands are run, check, summary"),
        (("--frobnicate",), "there is no option `--frobnicate`"),
        (("check",), "TARGET"),
        (("check", "net.py:Net"), "--input 1x3x224x224"),
        (("check", "net.py:Net", "--input"), "--input"),
        (("check", "net.py:Net", "--inptu", "1x3"), "--inptu"),
        (("check", "net.py:Net", "--input", "1,3,8,8"), "write --input 1x3x8x8"),
        (("check", "net.py:Net", "--input", "1x3", "--format", "xml"), "the formats are text, json, html, sarif"),
        (("run", "--format", "xml", "net.py"), "the formats are text, json, html, sarif"),
        (("run", "--fromat", "json", "net.py"), "--fromat"),
        (("run", "-o", "nowhere/report.json", "net.py"), "there is no folder"),
        (("run", "-o", ".", "net.py"), "is a folder"),
        (("check", "net.py", "--input", "1x3"), "write net.py:NAME"),
        (("check", "net.py:", "--input", "1x3"), "write net.py:NAME"),
        (("check", ":Net", "--input", "1x3"), "names no model"),
        (("check", "net.py:Net()", "--input", "1x3"), "`Net()`"),
        (("check", "nte.py:Net", "--input", "1x3"), "there is no file `nte.py`, but there is `net.py`"),
        (("check", "net:Nett", "--input", "1x3"), "did you mean `Net`?"),
        (("check", "net.py:net", "--input", "1x3"), "did you mean `Net`?"),
        (("check", "nosuch.module:Net", "--input", "1x3"), "there is no module `nosuch`"),
        (("check", "folder/net:Net", "--input", "1x3"), "there is no file `folder/net`"),
        (("check", "folder.nothing:Net", "--input", "1x3"), "there is no module `folder.nothing`"),
        (("check", "net.py:Net", "--input", "1x3"), "`Net` needs `width`, `depth`; write a function"),
        (("check", "net.py:fails", "--input", "1x3"), "ZeroDivisionError: division by zero (net.py:8)"),
        (("check", "net.py:leaves", "--input", "1x3"), "ends the program"),
        (
            ("check", "broken.py:Net", "--input", "1x3"),
            "SyntaxError: '(' was never closed (broken.py, line 1)",
        ),
        (("check", "imports.py:Net", "--input", "1x3"), "No module named 'nosuch' (imports.py:1)"),
        (("check", "raises:Net", "--input", "1x3"), "RuntimeError: first line (raises.py:2)"),
        (("summary", "exits.py:Net", "--input", "1x3"), "__main__"),
    ],
)
def test_wrong_usage_is_answered_in_one_line(words: tuple[str, ...], part: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        "net.py",
        """
        class Net:
            def __init__(self, width, depth):
                pass


        def fails():
            return 1 / 0


        def leaves():
            raise SystemExit(3)
        """,
    )
    write(tmp_path, "broken.py", "x = (1,\n")
    write(tmp_path, "imports.py", "import nosuch\n")
    write(tmp_path, "raises.py", "def f():\n    raise RuntimeError('first line\\nsecond line')\nf()\n")
    write(tmp_path, "exits.py", "import sys\nsys.exit(0)\n")
    write(tmp_path, "folder/other.py", "")
    assert_one_line(cli(tmp_path, *words), part)


@pytest.mark.parametrize(
    ("text", "shape", "dtype", "name"),
    [
        ("1x3x224x224", (1, 3, 224, 224), None, None),
        ("5", (5,), None, None),
        ("tokens=1x128:int64", (1, 128), "int64", "tokens"),
        ("1X3", (1, 3), None, None),
        ("1×3", (1, 3), None, None),
        (" 1 x 3 ", (1, 3), None, None),
        ("2x8:torch.bfloat16", (2, 8), "bfloat16", None),
    ],
)
def test_input(text: str, shape: tuple[int, ...], dtype: str | None, name: str | None) -> None:
    spec = parse_input(text)
    assert (spec.shape, spec.dtype, spec.name) == (shape, dtype, name)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1,3,224,224", "write --input 1x3x224x224"),
        ("(1, 3, 224, 224)", "write --input 1x3x224x224"),
        ("[1,3]", "write --input 1x3"),
        ("1 3 8", "write --input 1x3x8"),
        ("1*3*8", "write --input 1x3x8"),
        ("tokens=1,128:int64", "write --input tokens=1x128:int64"),
        ("1x3x", "a size is missing next to an x"),
        ("x3", "a size is missing next to an x"),
        ("axb", "`a` is no size"),
        ("1x-3", "`-3` is no size"),
        ("1x2.5", "`2.5` is no size"),
        ("1x٣", "`٣` is no size"),
        ("0x3", "axis 0 has size 0"),
        ("1x0x3", "axis 1 has size 0"),
        ("", "has no sizes"),
        ("tokens=", "has no sizes"),
        ("my-tokens=1x2", "`my-tokens` is no argument name"),
        ("=1x2", "is no argument name"),
        ("1x2:", "no dtype"),
        ("1x2:3", "`3` after the colon is no dtype"),
        ("1x2:int64=tokens", "is no argument name"),
    ],
)
def test_input_that_cannot_be_read(text: str, part: str) -> None:
    with pytest.raises(CommandError, match="--input") as raised:
        parse_input(text)
    assert part in str(raised.value)


def test_input_named_twice() -> None:
    with pytest.raises(CommandError, match="given twice"):
        parse_inputs(["a=1x2", "a=1x3"])


# Help


def test_help_and_version_are_quick(tmp_path: Path) -> None:
    """They load no framework and nothing for terminals; that `json` is found shows that the test looks."""
    for words in (["--help"], ["--version"], ["run", "--help"], ["check", "--help"], ["sizes", "--help"]):
        source = f"""
            import sys
            from shapewatch.cli import main
            try:
                code = main({words})
            except SystemExit as ending:
                code = ending.code
            print(code, sorted({{"json", "rich", "torch", "numpy"}} & set(sys.modules)), file=sys.stderr)
        """
        ended = python(tmp_path, "-c", textwrap.dedent(source))
        assert ended.err == "0 ['json']\n"
        assert "shapewatch" in ended.out


def test_version(tmp_path: Path) -> None:
    assert cli(tmp_path, "--version") == Ended(0, f"shapewatch {shapewatch.__version__}\n", "")


# Models

NETS = """
    import torch
    from torch import nn

    print("imported")


    class Fits(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, x):
            return self.conv(x) + 1


    class Narrow(nn.Module):
        def __init__(self, width=16):
            super().__init__()
            self.stem = nn.Conv2d(3, 16, 3, padding=1)
            self.conv = nn.Conv2d(16, 32, 3, padding=1)

        def forward(self, x):
            x = self.stem(x)
            return x + self.conv(x)


    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(100, 16)

        def forward(self, tokens):
            return self.embedding(tokens)


    class Config:
        pass


    class Demanding(nn.Module):
        def forward(self, x):
            raise LookupError("no weights file")


    class Reading(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x


    def make():
        return Narrow()


    built = Fits()
    narrow = Narrow()
"""


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nets")
    write(folder, "nets.py", NETS)
    write(folder, "project/__init__.py", "")
    write(folder, "project/models.py", "from .blocks import Fits as Net\n")
    write(folder, "project/blocks.py", NETS)
    for name, model in {"fits": "Fits", "fails": "Narrow", "demands": "Demanding"}.items():
        write(
            folder,
            f"{name}.py",
            f"import torch, nets\nnets.{model}()(torch.zeros(1, 3, 8, 8))\nprint('end')\n",
        )
    write(
        folder,
        "lost.py",
        """
        import torch, nets
        try:
            nets.Narrow()(torch.zeros(1, 3, 8, 8))
        except RuntimeError:
            raise SystemExit(5) from None
        """,
    )
    return folder


IMAGE = ("--input", "1x3x8x8")


@pytest.mark.parametrize("target", ["nets.py:Fits", "nets:built", "project/models.py:Net", "project.models:Net"])
def test_check_of_what_fits(target: str, nets: Path) -> None:
    ended = cli(nets, "check", target, *IMAGE)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("imported\n")


@pytest.mark.parametrize("target", ["nets.py:Narrow", "nets.py:make", "nets:narrow"])
def test_check_of_what_does_not_fit(target: str, nets: Path) -> None:
    ended = cli(nets, "check", target, *IMAGE)
    assert (ended.code, ended.err) == (1, "")
    assert "16" in ended.out
    assert "32" in ended.out


@pytest.mark.parametrize("command", ["check", "summary"])
@pytest.mark.parametrize(("target", "code"), [("nets.py:Fits", 0), ("nets.py:Narrow", 1)])
def test_json_is_alone_on_standard_output(command: str, target: str, code: int, nets: Path, tmp_path: Path) -> None:
    ended = cli(nets, command, target, *IMAGE, "--format", "json")
    assert (ended.code, ended.err) == (code, "imported\n")
    assert Report.from_dict(json.loads(ended.out)).ok == (code == 0)
    filed = cli(nets, command, target, *IMAGE, "-o", str(tmp_path / "report.json"))
    assert filed == Ended(code, "imported\n", "")
    assert Report.load(tmp_path / "report.json").ok == (code == 0)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("check", "nets.py:Narrow", *IMAGE), 1),
        (("summary", "nets.py:Narrow", *IMAGE), 1),
        (("run", "fails.py"), 1),
        (("explain", "pasted.log"), 0),
    ],
)
def test_sarif_of_every_command_that_reports(words: tuple[str, ...], code: int, nets: Path, tmp_path: Path) -> None:
    write(nets, "pasted.log", PASTED)
    verb, *rest = words
    printed = cli(nets, verb, "--format", "sarif", *rest)
    assert printed.code == code
    (result,) = json.loads(printed.out)["runs"][0]["results"]
    found = {"check": "SW201", "summary": "SW201", "run": "SW201", "explain": "SW102"}
    assert result["ruleId"] == found[verb]
    where = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where == {"uri": "train.py" if verb == "explain" else "nets.py", "uriBaseId": "%SRCROOT%"}
    filed = cli(nets, verb, "-o", str(tmp_path / "report.sarif"), *rest)
    assert filed.code == code
    assert (tmp_path / "report.sarif").read_text(encoding="utf-8") == printed.out


PASTED = """
    Traceback (most recent call last):
      File "train.py", line 9, in forward
        return self.head(x)
      File "/venv/lib/python3.11/site-packages/torch/nn/modules/linear.py", line 125, in forward
        return F.linear(input, self.weight, self.bias)
    RuntimeError: mat1 and mat2 shapes cannot be multiplied (8x3072 and 3080x768)
"""


def test_the_page_of_a_code_is_text_or_html(tmp_path: Path) -> None:
    assert_one_line(cli(tmp_path, "explain", "SW201", "--format", "sarif"), "leave --format sarif out")
    assert_one_line(cli(tmp_path, "explain", "SW201", "-o", "page.sarif"), "page.sarif would be neither")
    assert list(tmp_path.iterdir()) == []


def test_check_takes_named_inputs_and_dtypes(nets: Path) -> None:
    assert cli(nets, "check", "nets.py:Tokens", "--input", "tokens=1x12:int64").code == 0


def test_summary(nets: Path) -> None:
    whole = cli(nets, "summary", "nets.py:Fits", *IMAGE)
    assert (whole.code, whole.err) == (0, "")
    assert "conv" in whole.out
    assert "224" in whole.out, "the parameters of a 3x3 convolution from 3 to 8 channels"
    cut = cli(nets, "summary", "nets.py:Narrow", *IMAGE)
    assert (cut.code, cut.err) == (1, "")
    assert "stem" in cut.out


def test_check_of_a_pass_that_ends_without_a_diagnosis(nets: Path) -> None:
    other = cli(nets, "check", "nets.py:Demanding", *IMAGE)
    assert (other.code, other.err) == (1, "")
    assert "LookupError: no weights file" in other.out
    contents = cli(nets, "check", "nets.py:Reading", *IMAGE)
    assert (contents.code, contents.err) == (0, ""), "shapes alone cannot tell"
    assert "Not checked to the end" in contents.out


def on_a_terminal(folder: Path, *words: str, **variables: str) -> str:
    """What a command prints on a terminal of 80 columns that can show colours."""
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    process = subprocess.Popen(
        [sys.executable, "-m", "shapewatch", *words],
        cwd=folder,
        env=environment() | {"TERM": "xterm-256color"} | variables,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that its last program has closed it
        while more := os.read(screen, 4096):
            shown += more
    os.close(screen)
    process.wait(timeout=60)
    return shown.decode().replace("\r\n", "\n")


def test_colours_on_a_terminal_only(nets: Path) -> None:
    words = ("summary", "nets.py:Narrow", *IMAGE)
    plain = cli(nets, *words).out
    assert "\x1b" not in plain
    coloured = on_a_terminal(nets, *words)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", on_a_terminal(nets, *words, NO_COLOR="1"))
    narrow = re.sub(r"\x1b\[[0-9;]*m", "", on_a_terminal(nets, *words, COLUMNS="50"))
    assert max(len(line) for line in narrow.splitlines()) <= 50 < max(len(line) for line in plain.splitlines())


def test_models_that_are_none(nets: Path) -> None:
    for words, part in {
        ("nets.py:Config", *IMAGE): "Config",
        ("nets.py:torch", *IMAGE): "module",
        ("nets.py:Fits", "--input", "1x3x8x8:int65"): "int65",
    }.items():
        ended = cli(nets, "check", *words)
        assert (ended.code, ended.out) == (2, "imported\n"), words
        assert ended.err.count("\n") == 1
        assert part in ended.err


def test_run_of_a_model_that_fits_adds_nothing(nets: Path) -> None:
    assert assert_same(nets, "fits.py").code == 0


def test_run_adds_the_diagnosis_to_pythons_traceback(nets: Path) -> None:
    bare, watched = python(nets, "fails.py"), cli(nets, "run", "fails.py")
    assert (watched.code, watched.out) == (bare.code, bare.out)
    shown, mark, added = watched.err.partition("shapewatch:\n")
    assert without_torch(shown) == without_torch(bare.err)
    assert mark
    assert added.count("SW2") == 1, "said once"
    assert "nets.py:" in added


def without_torch(shown: str) -> str:
    """A traceback without torch's own frames: with hooks on, torch calls a layer along another way."""
    return re.sub(r'  File "[^"]*/torch/[^"]*", line .*\n(    .*\n)*', "", shown)


def test_run_shows_what_the_program_kept_to_itself(nets: Path) -> None:
    watched = cli(nets, "run", "lost.py")
    assert (watched.code, watched.out) == (5, "imported\n")
    assert watched.err.count("SW2") == 1
    assert "Traceback" not in watched.err


def test_run_adds_nothing_to_an_error_of_another_kind(nets: Path) -> None:
    bare, watched = python(nets, "demands.py"), cli(nets, "run", "demands.py")
    assert (watched.code, watched.out) == (bare.code, bare.out) == (1, "imported\n")
    assert without_torch(watched.err) == without_torch(bare.err)


def test_run_json_carries_the_diagnosis(nets: Path) -> None:
    watched = cli(nets, "run", "--format", "json", "fails.py")
    assert watched.code == 1
    report = Report.from_dict(json.loads(watched.out))
    assert [found.code for found in report.diagnoses if found.severity == "error"] == ["SW201"]
    assert "imported\n" in watched.err


def test_the_installed_command_is_no_line_of_the_user(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("shapewatch")
    write(
        tmp_path,
        "narrow.py",
        """
        from torch import nn


        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.wide = nn.Linear(4, 8)
                self.head = nn.Sequential(nn.ReLU(), nn.Linear(16, 2))

            def forward(self, x):
                return self.head(self.wide(x))
        """,
    )
    checked = python(tmp_path, str(command), "check", "narrow.py:Net", "--input", "3x4", "--format", "json")
    assert checked.code == 1
    assert "narrow.py" in checked.out
    assert str(command) not in checked.out
