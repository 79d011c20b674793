"""The exceptions of a pasted text: their frames, where their messages stand, which of them belong to one chain.

Tracebacks come as Python prints them, as IPython, pytest and rich do, and inside messages: TorchScript, TensorFlow's
`in user code`, `Detected at node` and `Caused by op`, dynamo's `from user code`, a data loader's `Original Traceback`.
Indentation is not relied on: what took the dress off the text, or a form before it, may have taken some of it as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from shapewatch.messages.nouns import Frame

FRAMEWORKS = frozenset(
    "torch tensorflow tensorflow_core keras tf_keras jax jaxlib flax numpy einops onnxruntime onnx theano pytensor"
    " paddle mxnet functorch torch_xla triton _pytest pluggy IPython ipykernel".split()
)

_PYTHON = re.compile(r'^\s*File "([^"\n]{1,500})", line (\d{1,9})(?:, in ([^\n]{1,200}?))?(?:\s+\*{1,2})?\s*$')
_IPYTHON = re.compile(r"^\s*File ([^\s\"][^\n]{0,400}?):(\d{1,9}),? in ([\w.<>]{1,200})[^\n]*$")
_CELL = re.compile(
    r"^\s*(?:(Cell In ?\[[\d ]{1,6}\]),? line (\d{1,6})(?:,? in ([\w.<>]{1,200})[^\n]*)?"
    r"|(Input In \[[\d ]{1,6}\]),? in (?:<cell line: \d+>|([\w.<>]{1,200}))[^\n]*)$"
)
_OLD_IPYTHON = re.compile(r"^\s*(<ipython-input-[\w-]{1,80}>|[~/\w][^\s:]{0,300}\.pyx?) in ([\w.<>]{1,200})(?:\(.*)?$")
_ARROW = re.compile(r"^\s*-{2,}> ?(\d{1,9})(?: (.*))?$")
_LISTED = re.compile(r"^\s*\d{1,9}(?:\s.*)?$")
_PYTEST = re.compile(r"^([^\s:]{1,300}\.py):(\d{1,9}): (?:in ([\w.<>]{1,200})|[\w.]{0,100}(?:Error|Exception)?)\s*$")
_RICH = re.compile(r"^([^\s:]{1,300}\.py|<[\w-]{1,60}>):(\d{1,9}) in ([\w.<>]{1,200})\s*$")
_RICH_ARROW = re.compile(r"^\s*❱\s{0,6}(\d{1,9})\s?[│|\s]{0,200}(.*)$")
_AUTOGRAPH = re.compile(r"^\s*([~/<\w][^\s:]{0,300}(?:\.py|>)):(\d{1,9}) ([\w.<>]{1,200})\s+\*{1,2}\s*$")

_NAME = r"[A-Za-z_][\w.]{0,100}"
_STATEMENT = re.compile(
    r"^(?![^=(\[]{0,300}=[^=(\[]{0,300}=)"  # `loss=inf, acc=0.2` is a log's
    rf"(?:return |{_NAME}(?=\()|{_NAME}\[[^\n=]{{0,200}}\] ?[-+*/@]?= ?"
    rf"|{_NAME}(?:, ?{_NAME}){{0,8}} ?(?:[-+*/@]= ?|= ?(?=[A-Za-z_(\[*-][^\n]{{0,400}}?[\[(.+*/@-])))"
    r"(?:(?!\w \w)[^\n]){1,500}$"
)
"""A line of code by itself: what people paste of a traceback when they paste its end alone. Two words with nothing but
a space between them are prose."""

_SENTENCE = re.compile(r"^(?!None\b|True\b|False\b)[A-Z][a-z]+ [a-z]+\b")
"""How a message begins, and no line of code."""

_CARETS = re.compile(r"^\s*[~^]+(?:\s*<-+ HERE)?\s*$")
_HERE = re.compile(r"^\s*~+ <-+ HERE")

_BEGIN = re.compile(r"Traceback(?: of TorchScript[^()\n]{0,40})? \(most recent call last\)", re.IGNORECASE)
_LINK = re.compile(
    r"The above exception was the direct cause|During handling of the above exception|Original Traceback"
    r"|Traceback of TorchScript"
)

_ENDING = "(?:Error|Exception|Fail|Failure|Failed|Warning|Fault|Interrupt|Exit|Unsupported|InvalidArgument|Mismatch)"
_RAISED = re.compile(
    rf"^\s{{0,12}}(?:Exception has occurred: )?"
    rf"((?:(?:[A-Za-z_]\w{{0,60}}|<locals>)\.){{0,10}}[A-Z]\w{{0,80}}?{_ENDING}"
    rf"|(?:[a-z_]\w{{0,60}}\.){{1,10}}[A-Z]\w{{0,80}}|Exception|Error)"
    rf"(?: \(see above for traceback\)|\s+\(note: .*\))?(?::(?![:/\w])|\s*$)"
)
_RAISED_IN_IPYTHON = re.compile(rf"^([A-Z]\w{{0,80}}{_ENDING})\s{{2,}}Traceback \(most recent call last\)")
_WARNED = re.compile(r"^\S{1,300}\.py:\d{1,9}: (\w{0,60}Warning): ")


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of a text. `start` and `end`: where its message stands. `frames`: of its traceback; `inner`: frames
    that its message tells, which are the program's where the traceback is the framework's machinery. `linked`: it
    belongs to one chain with the exception before it."""

    error: str
    start: int
    end: int
    frames: tuple[Frame, ...] = ()
    inner: tuple[Frame, ...] = ()
    linked: bool = False

    @property
    def warning(self) -> bool:
        return self.error.endswith("Warning")


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as exceptions, and as the same text with the source lines of frames blanked out: what is quoted there is
    the program, not a message."""

    exceptions: tuple[Raised, ...]
    messages: str


def shown(text: str) -> Shown:
    reader = _Reader()
    at = 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        lines[number] = reader.read(line, at)
        at += len(line) + 1
    return Shown(reader.ended(len(text)), "\n".join(lines))


class _Reader:
    """Reads a text line by line. What it knows of the exception that it is in: its frames until its message begins."""

    def __init__(self) -> None:
        self._done: list[Raised] = []
        self._open: Raised | None = None
        self._frames: list[Frame] = []
        self._linked = False
        self._source_may_follow = False
        self._unindented = False
        self._marked = ""
        self._before = ""

    def read(self, line: str, at: int) -> str:
        """Take in a line that begins `at`; the line as far as it may be a message."""
        if _is_short(line):
            left = self._read_short(line, at)
            self._before = line.strip()
            return left
        if (warned := _WARNED.match(line)) is not None:
            self._message(warned[1], at + warned.end())
        self._source_may_follow = False
        return line

    def _read_short(self, line: str, at: int) -> str:
        frame = _frame(line)
        if frame is not None:
            self._frames.append(replace(frame, source=self._marked) if not frame.source else frame)
            self._marked = ""
            self._source_may_follow = True
            self._unindented = line.startswith('File "')  # a form took the indentation away, of the next line too
            return " " * len(line)
        if _LINK.search(line) is not None:
            self._link()
        if (named := _RAISED_IN_IPYTHON.match(line)) is not None or _BEGIN.search(line) is not None:
            self._begin(at)
            return " " * len(line) if named is not None else line
        if (raised := _RAISED.match(line)) is not None:
            self._message(raised[1].rpartition(".")[2], at + raised.end())
            return line
        if (warned := _WARNED.match(line)) is not None:
            self._message(warned[1], at + warned.end())
            return line
        return self._source(line, at)

    def _source(self, line: str, at: int) -> str:
        """A line of code, where one may stand, as blanks; any other as it is. What stands behind a traceback in the
        place of an exception's name is a message without one."""
        stripped = line.strip()
        if _HERE.match(line) is not None:  # TorchScript shows the whole function, and points at the line
            if self._frames:
                self._frames[-1] = replace(self._frames[-1], source=self._before)
            return " " * len(line)
        if line.startswith((">   ", ">\t")):  # pytest shows the code before its place
            self._marked = line[1:].strip()
            return " " * len(line)
        if not self._source_may_follow or not stripped:
            return line
        if stripped.startswith("[["):  # `[[{{node add}}]]`, where TensorFlow shows no code
            self._source_may_follow = False
            return line
        arrow = _ARROW.match(line) or _RICH_ARROW.match(line)
        if arrow is not None:
            last = self._frames[-1]
            self._frames[-1] = replace(last, line=int(arrow[1]), source=(arrow[2] or "").strip())
            return " " * len(line)
        if _CARETS.match(line) is not None or _LISTED.match(line) is not None:
            return " " * len(line)
        sentence = _SENTENCE.match(line) is not None
        if not line[0].isspace() and (sentence or not self._unindented):
            self._source_may_follow = self._unindented = False
            if self._open is None and (sentence or self._frames[-1].source) and re.search(r"\w", line):
                self._message("", at)
            return line
        self._unindented = False
        if not self._frames[-1].source:
            self._frames[-1] = replace(self._frames[-1], source=stripped)
        return " " * len(line)

    def _link(self) -> None:
        self._linked = bool(self._open or self._done)

    def _begin(self, at: int) -> None:
        if self._open is not None:
            self._close(at)
        elif self._frames and not self._linked:
            self._frames.clear()
        self._source_may_follow = False

    def _message(self, error: str, at: int) -> None:
        if self._open is None and not self._frames and _is_code(self._before):
            self._frames = [Frame("", 0, "", self._before)]
        inside = self._open is not None and bool(self._frames)
        frames, self._frames = tuple(self._frames), []
        if self._open is not None:
            self._close(at)
        linked = bool(self._done) and (self._linked or inside)
        self._open = Raised(error, at, at, () if inside else frames, frames if inside else (), linked)
        self._linked = self._source_may_follow = False

    def _close(self, at: int) -> None:
        assert self._open is not None
        self._done.append(replace(self._open, end=at, inner=(*self._open.inner, *self._frames)))
        self._open = None
        self._frames = []

    def ended(self, at: int) -> tuple[Raised, ...]:
        if self._open is not None:
            self._close(at)
        elif self._frames:  # a traceback that was cut off, or whose last line is no exception's name
            self._done.append(Raised("", at, at, tuple(self._frames), (), self._linked))
        return tuple(self._done)


def _is_code(line: str) -> bool:
    if (pointed := _ARROW.match(line) or _RICH_ARROW.match(line)) is not None:
        line = pointed[2] or ""
    line = line.strip()
    return _STATEMENT.match(line.split(" #")[0].rstrip()) is not None


def _is_short(line: str) -> bool:
    """Whether a line is worth matching: lines of tracebacks are, a log that came as one line is not."""
    return len(line) <= 1_000


def _frame(line: str) -> Frame | None:
    if (match := _PYTHON.match(line)) is not None:
        return Frame(match[1], int(match[2]), match[3] or "")
    if (
        match := _IPYTHON.match(line) or _PYTEST.match(line) or _RICH.match(line) or _AUTOGRAPH.match(line)
    ) is not None:
        return Frame(match[1], int(match[2]), match[3] or "")
    if (match := _CELL.match(line)) is not None:
        return Frame(match[1] or match[4], int(match[2] or 0), match[3] or match[5] or "")
    if (match := _OLD_IPYTHON.match(line)) is not None:
        return Frame(match[1], 0, match[2])
    return None


# Chains


def chains(exceptions: Iterable[Raised]) -> tuple[tuple[Raised, ...], ...]:
    """The exceptions that belong together, each with those that it caused or that were raised while it was handled."""
    together: list[list[Raised]] = []
    for raised in exceptions:
        if raised.linked and together:
            together[-1].append(raised)
        else:
            together.append([raised])
    return tuple(tuple(chain) for chain in together)


# Whose frames they are


def user_frame(tracebacks: Iterable[Sequence[Frame]]) -> Frame | None:
    """The innermost frame that is neither of a framework nor of an installed package, in the first of the tracebacks
    that has one, or else of the innermost package that is no framework; None where all are a framework's."""
    whose = [[(package_of(frame.file), frame) for frame in frames] for frames in tracebacks]
    own = [[frame for package, frame in frames if package is None and frame.file] for frames in whose]
    installed = [[frame for package, frame in frames if package and package not in FRAMEWORKS] for frames in whose]
    return next((frames[-1] for frames in (*own, *installed) if frames), None)


def library_of(frames: Sequence[Frame]) -> str:
    """The library whose line raised: the package, neither a framework nor the user's own, of the innermost frame that
    is of no framework; empty where there is none. Code that comes with a model from a hub counts as one."""
    last = next((frame for frame in reversed(frames) if _is_program(frame)), None)
    if last is None or not last.file:
        return ""
    package = package_of(last.file)
    if package is not None and package not in FRAMEWORKS:
        return package
    if (shown := _LIBRARY.search(last.file)) is not None:
        return next(name for name in shown.groups() if name)
    return ""


_LIBRARY = re.compile(
    r"(transformers_modules)|\b(modeling_\w{1,60})\.py|[/\\]src[/\\](\w{2,60})[/\\]models?[/\\]"
    r"|[/\\](custom_nodes|extensions)[/\\]"
)
"""A model's code that was loaded with its weights, a library's own source tree, a plug-in."""


def nearest(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """The innermost frame that is of no framework, and those below it."""
    last = next((at for at in reversed(range(len(frames))) if _is_program(frames[at])), 0)
    return tuple(frames[last:])


def _is_program(frame: Frame) -> bool:
    package = package_of(frame.file)
    return package is None or (package != "" and package not in FRAMEWORKS)


_PACKAGE = re.compile(r"(?:site|dist)-packages[/\\](?:[\w.-]+\.egg[/\\])?(\w+)")
_STANDARD = re.compile(
    r"[/\\]lib(?:64)?[/\\]python\d(?:\.\d+)?[/\\](?!(?:site|dist)-packages)"
    r"|[/\\]Python\d{2,3}[/\\][Ll]ib[/\\](?!site-p)"
)
_STARTER = re.compile(r"[/\\](?:bin|Scripts)[/\\][\w-]+(?:\.exe[/\\]__main__\.py)?$")
_SOURCE_TREE = re.compile(
    r"(?:^|[/\\])(?:(torch)[/\\](?:nn[/\\](?:modules|functional|parallel)|utils[/\\]data|_|autograd|jit|tensor\.py)"
    r"|(tensorflow)[/\\](?:python|core|compiler)|(keras)[/\\](?:src|engine|backend)|(jax)[/\\]_src)"
)


def package_of(file: str) -> str | None:
    """The installed package that a file is of, as its path tells: `""` for Python's own; None for the user's."""
    if (match := _PACKAGE.search(file)) is not None:
        return match[1]
    if (match := _SOURCE_TREE.search(file)) is not None:
        return next(name for name in match.groups() if name)
    if file.startswith(("<frozen", "<__array", "<string>", "<eval_with_key>", "<decorator", "code/__torch__")):
        return ""
    if "__autograph_generated" in file:
        return "tensorflow"
    return "" if _STANDARD.search(file) or _STARTER.search(file) else None


# What stands around a message


def wrappers(text: str) -> tuple[str, ...]:
    """What the words around a message tell of how it came: `keras`, `dynamo`, … in the order in which they stand."""
    first = {name: match.start() for name, pattern in _WRAPPERS for match in [pattern.search(text)] if match}
    return tuple(sorted(first, key=lambda name: first[name]))


def _wrappers() -> Iterator[tuple[str, re.Pattern[str]]]:
    for name, words in {
        "keras": r"Exception encountered when calling",
        "graph": r"Graph execution error|Detected at node|\{\{node |Caused by op|in user code:",
        "dynamo": r"torch\._dynamo|from user code:|TorchRuntimeError|Failed running call_",
        "export": r"torch[./]export|torch[./]onnx|OnnxExporterError|TorchExportError",
        "torchscript": r"TorchScript",
        "xla": r"tf2xla|XlaMustCompile|XlaRuntimeError|xla_compiler|torch_xla",
        "onnx": r"onnxruntime|ONNXRuntimeError",
        "dataloader": r"in DataLoader worker process|DataLoader worker|data[/\\]dataloader\.py",
        "distributed": r"torch[/\\]distributed|torchrun|torchelastic|DistributedDataParallel|nn[/\\]parallel",
        "lightning": r"pytorch_lightning|lightning[/\\]pytorch",
    }.items():
        yield name, re.compile(words)


_WRAPPERS = tuple(_wrappers())
