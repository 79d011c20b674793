"""This process among the others, while a block is watched."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from shapewatch.adapters.collectives import Collective, Company, Hearing
from shapewatch.firewall import attempt, own_fault
from shapewatch.ranks import disk
from shapewatch.ranks.account import Account, account
from shapewatch.ranks.board import ALARM, PAUSES, Board
from shapewatch.ranks.parting import Parting, beside, hung, parting
from shapewatch.ranks.words import Fall, State, Word
from shapewatch.recording import Recording, Shape, Span
from shapewatch.report import Diagnosis, Report
from shapewatch.source import calling_line, raising_line, span_at

HANGS = 30.0
"""After how many seconds at one instruction the others are asked where they are; `SHAPEWATCH_HANG` sets another number,
and 0 for never."""

LOOK = 0.25
"""Between two looks at the questions of others, in seconds. With more than 256 ranks more: they all ask one store."""

PATIENCE = 1.0
"""How long a rank waits at a collective whose line brings new shapes: until the next rank has come to it too, which the
collective itself would wait for. It is the only wait of a program that goes well."""

PATIENCE_IN_ALL = 3.0
"""How long it waits in vain in one block: the next rank may not be watched at all."""

GRACE = 3.0
"""How long a rank that failed, or found that it parts from others, waits for their word."""

MOST = 64
"""Ranks that are asked where they are."""


@dataclass(frozen=True)
class Told:
    """What is to be said at the end of a block. `note`: what the exception gets; None for the whole report."""

    report: Report
    note: str | None = None


class Member:
    """Alone, or without a framework that knows of other processes, it does nothing."""

    def __init__(self, so_far: Callable[[], Report]) -> None:
        self._so_far = so_far
        self._hearing: Hearing | None = None
        self._company: Company | None = None
        self._board: Board | None = None
        self._process = os.getpid()
        self._thread = threading.get_ident()
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None
        self._question = 0
        self._instruction: tuple[CodeType | None, int, object] = (None, 0, None)
        self._since = time.monotonic()
        self._patience = PATIENCE_IN_ALL
        self._inputs: tuple[Shape, ...] = ()
        self._saved = ""
        self.found: Diagnosis | None = None
        """What was found of the ranks, and told by one of them, while the block ran."""
        self._printed = ""
        self._hangs = False
        """Whether it was said that nothing moves. It is no part of the report: one that was slow may come after all."""

    @contextmanager
    def listening(self, adapter: Any) -> Iterator[None]:
        """Hear the collectives of an adapter's framework, if it has any."""
        if self._hearing is not None or not hasattr(adapter, "hearing"):
            yield
            return
        self._hearing = adapter.hearing(self._joins, self._meets)
        with self._hearing.listening():
            try:
                yield
            finally:
                self._stop.set()
                if self._watcher is not None and os.getpid() == self._process:
                    self._watcher.join(2 * GRACE)

    def _joins(self, company: Company) -> None:
        if self._board is not None:
            return
        self._company, self._board = company, Board(company.store)
        self._question = self._board.asked()
        last = self._board.word(company.rank)
        if last is not None and last.state != "running":  # of an earlier block, which this rank survived
            self._board.put(self._word())
        self._watcher = threading.Thread(target=attempt, args=(self._answer,), name="shapewatch ranks", daemon=True)
        self._watcher.start()

    # What this rank says

    def _word(self, state: State = "running", fall: Fall | None = None, at: Span | None = None) -> Word:
        assert self._company is not None and self._hearing is not None
        return Word(
            rank=self._company.rank,
            state=state,
            begun=self._hearing.begun(),
            at=at or self._at(),
            stuck=round(time.monotonic() - self._since, 1),
            others=self._hearing.others(),
            waits=self._hearing.waits(self._thread),
            recent=self._hearing.recent(),
            inputs=self._inputs,
            fall=fall,
            answers=self._question,
            saved=self._saved,
        )

    def _at(self) -> Span | None:
        line = calling_line(sys._current_frames().get(self._thread))
        return span_at(*line) if line is not None else None

    def _save(self, report: Report) -> None:
        assert self._company is not None
        recording = report.recording
        if recording.inputs:
            self._inputs = tuple(recording.shape(number) for number in recording.inputs)
        self._saved = disk.save(report, self._company.run, self._company.rank)

    def _others(self, ranks: Iterable[int] | None = None) -> list[int]:
        assert self._company is not None
        everybody = range(self._company.size) if ranks is None else ranks
        return [rank for rank in everybody if rank != self._company.rank][:MOST]

    # Before a collective runs

    def _meets(self, call: Collective, ranks: tuple[int, ...]) -> None:
        """Compare what this rank brings with what the next one does; the ranks are a ring, so where any two of them
        part, two neighbours do."""
        board, company = self._board, self._company
        if board is None or company is None or company.rank not in ranks or self.found is not None:
            return
        neighbour = ranks[(ranks.index(company.rank) + 1) % len(ranks)]
        here = self._word(at=call.span)
        board.put(here)
        begins = time.monotonic()
        there = self._neighbour_at(call, neighbour, board, begins + min(PATIENCE, self._patience))
        if there is None:
            self._patience -= time.monotonic() - begins
            return
        found = parting({here.rank: here, neighbour: there}) or beside(call, here.rank, there)
        if found is not None:
            self._parts(found, self._others(ranks))

    def _neighbour_at(self, call: Collective, neighbour: int, board: Board, until: float) -> Word | None:
        """The word of a rank that has begun the same operation of the group; None where it does not come in time."""
        begins, asked, pauses = time.monotonic(), False, iter(PAUSES)
        while time.monotonic() < until and not board.gone:
            word = board.word(neighbour)
            if word is not None:
                numbers = [each.number for each in word.recent if (each.group, each.since) == (call.group, call.since)]
                if call.number in numbers or beside(call, 0, word) is not None:
                    return word
                if word.state != "running" or max(numbers, default=-1) > call.number:
                    return None
            if not asked and time.monotonic() > begins + sum(PAUSES):
                # it is late, or brings what it has brought before, and does not think of saying so
                board.question()
                asked = True
            time.sleep(next(pauses, PAUSES[-1]))
        return None

    def _parts(self, found: Parting, others: list[int]) -> None:
        """Say that the ranks part before that goes wrong: gloo ends the whole process then, without an exception."""
        from shapewatch.ranks import telling  # here and below: the words are wanted only where something is wrong

        assert self._board is not None and self._company is not None
        self._question = self._board.question(alarm=True)
        self._save(self._so_far())
        words = self._board.answers(others, self._question, time.monotonic() + GRACE)
        words[self._company.rank] = self._word()
        found = parting(words) or found
        self.found = telling.of_parting(found)
        self._print(self.found, telling.key_of_parting(found))

    def _print(self, diagnosis: Diagnosis, what: str) -> None:
        """Say it at once, if no other rank has: what follows may leave no time for it."""
        from shapewatch.render import as_text

        if self._teller(what) != self._rank:
            return
        self._printed = what
        report = Report(Recording("torch"), diagnoses=(diagnosis,), notes=self._where_saved())
        if sys.stderr is not None:
            print(f"\nshapewatch, on rank {self._rank}:\n\n{as_text(report)}\n", file=sys.stderr, flush=True)

    @property
    def _rank(self) -> int:
        return self._company.rank if self._company is not None else 0

    def _where_saved(self) -> tuple[str, ...]:
        if not self._saved or self._company is None:
            return ()
        return (f"the recordings of the ranks are in {disk.directory(self._company.run)}",)

    # While the block runs: a thread of its own

    def _answer(self) -> None:
        board, company = self._board, self._company
        assert board is not None and company is not None
        pause = max(LOOK, company.size / 1024)
        while not self._stop.wait(pause) and not board.gone:
            try:
                self._look(board)
            except Exception as fault:
                own_fault(fault)

    def _look(self, board: Board) -> None:
        self._sample()
        asked = board.asked()
        if asked > self._question:
            alarmed = asked // ALARM > self._question // ALARM
            self._question = asked
            if alarmed:
                self._save(self._so_far())
            board.put(self._word())
        limit = _limit()
        if limit and not self._hangs and self.found is None and time.monotonic() - self._since > limit:
            self._since += limit  # asked again only after as long
            self._asks_who_hangs(board, limit)

    def _sample(self) -> None:
        """Note since when the program is at the instruction at which it is. The frame is not kept."""
        assert self._hearing is not None
        frame = sys._current_frames().get(self._thread)
        instruction = (frame and frame.f_code, frame.f_lasti if frame else 0, self._hearing.begun())
        if instruction != self._instruction:
            self._instruction, self._since = instruction, time.monotonic()

    def _asks_who_hangs(self, board: Board, seconds: float) -> None:
        from shapewatch.ranks import telling

        here = replace(self._word(), stuck=seconds)
        self._question = board.question()
        found = hung(here, board.answers(self._others(), self._question, time.monotonic() + GRACE))
        if found is None:
            return
        self._hangs = True
        self._question = board.question(alarm=True)
        self._save(self._so_far())
        self._print(telling.of_hang(found, seconds), telling.key_of_parting(found))

    # At the end of the block. A fault of ours costs what is said of the others, never the report of this rank.

    def leaves(self, report: Report, whole: bool) -> Report:
        """The block ended without an error to tell of. The report, with what was found of the ranks while it ran.

        `whole`: it was a block, and not a pass of a decorated model, which the next one follows unwatched.
        """
        try:
            if whole and self._board is not None and self._speaks:
                self._board.put(self._word("left"))
        except Exception as fault:
            own_fault(fault)
        return report if self.found is None else _led_by(self.found, report)

    def falls(self, error: Exception, recordings: list[Recording]) -> None:
        """The block ended with an error. What is known is written at once: the end of others may end this one too."""
        if self._board is None or not self._speaks:
            return
        try:
            self._save(Report(max(recordings, key=lambda recording: len(recording.calls), default=Recording(""))))
            self._board.put(self._word("failing", _fall(error, None)))
        except Exception as fault:
            own_fault(fault)

    def account(self, error: Exception, report: Report) -> Told:
        """What to say of an error, with what the other ranks say."""
        if not self._speaks:
            return Told(report)
        try:
            self._save(report)
            return self._told(self._asked(error, report), report)
        except Exception as fault:
            own_fault(fault)
            return Told(report)

    def lets_go(self) -> None:
        """Whoever keeps the report keeps no connection."""
        self._board = self._company = self._hearing = None

    @property
    def _speaks(self) -> bool:
        """Whether there are others; a child process that was forked off is not the rank that it came from."""
        return self._board is not None and os.getpid() == self._process

    def _asked(self, error: Exception, report: Report) -> Account:
        assert self._board is not None and self._company is not None
        self._question = self._board.question(alarm=True)
        here = self._word("failed", _fall(error, report))
        self._board.put(here)
        words = self._board.answers(self._others(), self._question, time.monotonic() + GRACE)
        return account(here, words | {here.rank: here}, self._others())

    def _told(self, told: Account, report: Report) -> Told:
        from shapewatch.ranks import telling

        notes = self._where_saved()
        if told.follows and told.parted is None:
            return Told(report, telling.of_follower(told, notes))
        if told.parted is not None:
            report = _led_by(telling.of_parting(told.parted), report)
            what = telling.key_of_parting(told.parted)
            lowest = self._rank  # whoever comes first, as it may have been told while the block ran
        else:
            what = telling.key_of_fall(told.here)
            lowest = min((word.rank for word in told.alike), default=self._rank)
        if report.ok:  # of an error that is not explained here, no other rank need know more
            return Told(report)
        report = replace(report, notes=(*report.notes, *telling.of_others(told), *notes))
        teller = self._teller(what) if lowest == self._rank else lowest
        if teller != self._rank:
            return Told(report, telling.of_teller(teller, report))
        return Told(report, telling.told_above(report) if what == self._printed else None)

    def _teller(self, what: str) -> int:
        """The one rank that tells of something: the first that asked to."""
        assert self._board is not None
        return self._board.claim(what, self._rank)


def _led_by(diagnosis: Diagnosis, report: Report) -> Report:
    """The report with this diagnosis first, and without what the words of the exception tell of the same."""
    others = tuple(each for each in report.diagnoses if each.code not in (diagnosis.code, "SW900"))
    return replace(report, diagnoses=(diagnosis, *others))


def _fall(error: Exception, report: Report | None) -> Fall:
    line = raising_line(error.__traceback__)
    first = next((each for each in report.diagnoses if each.severity == "error"), None) if report is not None else None
    span = span_at(*line) if line is not None else None
    return Fall(
        type(error).__name__, str(error)[:2000], span, first.code if first else "", first.headline if first else ""
    )


def _limit() -> float:
    try:
        return float(os.environ.get("SHAPEWATCH_HANG", HANGS))
    except ValueError:
        return HANGS
