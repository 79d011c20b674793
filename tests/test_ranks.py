"""Several processes of one program: where they part, who tells of it, what is left on disk, and what is not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shapewatch.adapters.collectives import Begun, Collective, Company
from shapewatch.firewall import Faults
from shapewatch.ranks import Member, disk, telling
from shapewatch.ranks.account import account
from shapewatch.ranks.board import ALARM, Board
from shapewatch.ranks.member import Told
from shapewatch.ranks.parting import Parting, beside, circle, hung, parting, steps
from shapewatch.ranks.words import Fall, Word
from shapewatch.recording import Recording, Shape, Span, TensorSpec
from shapewatch.render import as_text
from shapewatch.report import Diagnosis, Report

ROOT = Path(__file__).parent.parent
LINE = Span("train.py", 12, "dist.all_gather(shares, values)")
OTHER_LINE = Span("train.py", 30, "dist.barrier()")


def call(number: int, *shapes: Shape, name: str = "all_gather", **others: Any) -> Collective:
    specs = tuple(TensorSpec(shape, others.pop("dtype", "float32")) for shape in shapes)
    return replace(Collective(name, "0", number, 0, number, specs, span=LINE), **others)


def word(rank: int, *recent: Collective, **others: Any) -> Word:
    return replace(Word(rank, begun=Begun("0", 0, len(recent), len(recent)), recent=recent), **others)


def words(*said: Word) -> dict[int, Word]:
    return {each.rank: each for each in said}


# Where collectives part


def test_ranks_that_bring_as_much_do_not_part() -> None:
    assert parting(words(word(0, call(0, (4, 3)), call(1, (2, 6))), word(1, call(0, (4, 3)), call(1, (3, 4))))) is None


def test_the_first_operation_with_other_shapes() -> None:
    here = word(0, call(0, (4, 3)), call(1, (4, 3)), call(2, (5, 3)))
    found = parting(words(here, word(1, call(0, (4, 3)), call(1, (2, 3)))))
    assert found is not None and found.kind == "shapes" and found.agreed
    assert {rank: each.specs[0].shape for rank, each in found.present.items()} == {0: (4, 3), 1: (2, 3)}


@pytest.mark.parametrize(
    ("mine", "theirs", "kind"),
    [
        (call(0, (3,)), call(0, (3,), dtype="float64"), "shapes"),
        (call(0, (3,)), call(0, (3,), (1,)), "shapes"),
        (call(0, (3,)), call(0, name="barrier"), "operations"),
        (call(0, (3, 4), labels=("w",)), call(0, (4, 3), labels=("w",)), "models"),
        (call(0, (3,)), call(0, (None,)), None),  # unknown is never different
        (call(0, (3,), equal=False), call(0, (4,), equal=False), None),  # they may bring what they like
        (call(0, (3,)), call(0, (4,), group="1"), None),
        (call(0, (3,)), call(0, (4,), since=-2), None),  # watched from another operation on: not comparable
        (call(0, (3,)), call(0, (4,), heard=1), None),  # the two counts do not say the same
        (call(0, (3,)), call(1, (4,)), None),
    ],
)
def test_what_is_a_parting(mine: Collective, theirs: Collective, kind: str | None) -> None:
    found = parting(words(word(0, mine), word(1, theirs)))
    assert (found and found.kind) == kind


def test_a_rank_that_left_before_others() -> None:
    here = word(0, *(call(number, (3,)) for number in range(3)))
    gone = word(1, call(0, (3,)), call(1, (3,)), state="left")
    found = steps(here, words(gone))
    assert found is not None and found.kind == "steps" and found.ranks[1] is None
    assert found.present[0].number == 2
    assert steps(here, words(replace(gone, state="running"))) is None
    assert steps(here, words(replace(gone, begun=here.begun))) is None
    assert steps(here, words(replace(gone, begun=Begun("0", 1, 2, 1)))) is None


def test_gradients_meet_a_collective() -> None:
    """What DistributedDataParallel exchanges is counted by the group, and heard by nobody."""
    mine = call(3, (1,), name="all_reduce", heard=0)
    there = word(1, begun=Begun("0", 0, 4, 0), at=OTHER_LINE)
    found = beside(mine, 0, there)
    assert found is not None and found.kind == "operations" and found.present[1].span == OTHER_LINE
    assert beside(mine, 0, replace(there, begun=Begun("0", 0, 3, 0))) is None  # not there yet
    assert beside(mine, 0, replace(there, begun=Begun("0", 0, 5, 0))) is None  # past it
    assert beside(mine, 0, replace(there, begun=Begun("0", 0, 4, 1))) is None


def test_a_slow_rank_is_no_hang() -> None:
    here = word(0, call(0, (3,)), call(1, (3,)), stuck=40.0)
    behind = word(1, call(0, (3,)), stuck=40.0)
    assert hung(here, words(behind)) is None
    assert hung(here, {}) is None
    assert hung(here, words(replace(behind, state="left"))) is not None
    assert hung(here, words(word(1, call(0, (3,)), call(1, name="barrier"), stuck=40.0))) is not None


# Who waits for whom


def waiting(rank: int, call: Collective, **others: Any) -> Word:
    """A rank that waits in an operation, the first of its group."""
    begun = Begun(call.group, 0, 1, call.heard + 1)
    return replace(Word(rank, begun=Begun("0", 0, 0, 0), others=(begun,), waits=call, stuck=40.0), **others)


def among(*ranks: int) -> Collective:
    return call(0, (3,), name="all_reduce", group=str(ranks), ranks=ranks)


def end(name: str, sender: int, receiver: int, number: int = 0, size: int = 3) -> Collective:
    return call(number, (size,), name=name, group=f"0/{sender}>{receiver}/0", ranks=(sender, receiver))


def test_ranks_that_wait_for_one_another_in_groups() -> None:
    ranks = (among(0, 1), among(1, 3), among(0, 2), among(2, 3))
    said = words(*(waiting(rank, each) for rank, each in enumerate(ranks)))
    for here in said.values():
        found = circle(here, said)
        assert found is not None and found.kind == "circle" and list(found.ranks) == [0, 1, 3, 2]
        told = telling.of_parting(found)
    assert "rank 0 in all_reduce of ranks 0 and 1, rank 1 in all_reduce of ranks 1 and 3" in told.headline
    assert "different orders" in told.suspects[0].cause


@pytest.mark.parametrize(
    "other",
    [
        waiting(1, among(1, 2), stuck=0.2),  # what ranks say is not of one moment: this one may just have begun
        waiting(1, among(1, 2), others=(Begun("(0, 1)", 0, 1, 1),)),  # it has begun that operation too
        waiting(1, among(1, 2), begun=Begun("0", 4, 4, 0)),  # watched from another operation on
        waiting(1, among(1, 2), waits=None),  # it computes
        waiting(1, among(1, 2)),  # for one of whom nothing is known
    ],
)
def test_who_may_only_be_slow_is_no_part_of_a_circle(other: Word) -> None:
    here = waiting(0, among(0, 1))
    assert circle(here, words(other)) is None and hung(here, words(other)) is None


def test_both_ends_of_a_message_wait() -> None:
    said = words(waiting(0, end("recv", 1, 0)), waiting(1, end("recv", 0, 1)))
    found = hung(said[0], said)
    assert found is not None and found.kind == "circle"
    told = telling.of_parting(found)
    assert told.headline == "the ranks wait for one another: rank 0 in recv from rank 1, rank 1 in recv from rank 0"
    assert "begin with the same half" in told.suspects[0].cause
    sent = waiting(1, end("send", 1, 0))
    assert hung(said[0], words(sent)) is None  # they meet


def test_a_message_for_which_nobody_is_left() -> None:
    here = waiting(0, end("recv", 1, 0))
    found = hung(here, words(Word(1, state="left", begun=Begun("0", 0, 0, 0))))
    assert found is not None and found.kind == "steps"
    assert telling.of_parting(found).headline == "rank 1 has left the watched block, and rank 0 is in recv from rank 1"


@pytest.mark.parametrize(
    ("sent", "received", "kind"),
    [
        (end("send", 0, 1), end("recv", 0, 1), None),
        (end("send", 0, 1), end("recv", 0, 1, size=4), "messages"),
        (end("send", 0, 1), end("recv", 0, 1, number=1, size=4), None),  # the next one
        (end("send", 0, 1), end("recv", 1, 0, size=4), None),  # the other way
    ],
)
def test_what_is_sent_and_what_it_is_received_into(sent: Collective, received: Collective, kind: str | None) -> None:
    found = parting(words(word(0, sent), word(1, received)))
    assert (found and found.kind) == kind
    if found is not None:
        assert telling.of_parting(found).headline == "rank 0 sends [3] to rank 1, which receives into [4]"


def test_a_stage_that_was_built_for_another_width() -> None:
    sent, received = (
        replace(end(name, 0, 1), specs=(TensorSpec((8, size)),)) for name, size in (("send", 20), ("recv", 16))
    )
    found = parting(words(word(0, sent), word(1, received)))
    assert found is not None and "parts of the model on the two ranks" in telling.of_parting(found).suspects[0].cause
    sent = replace(sent, specs=(TensorSpec((4, 16)),))
    found = parting(words(word(0, sent), word(1, received)))
    assert found is not None and "as for a batch of another size" in telling.of_parting(found).suspects[0].cause


def test_shares_that_do_not_fit() -> None:
    def calls(*takes: tuple[int, ...]) -> dict[int, Word]:
        gives = ((2, 4, 2), (1, 1, 1), (3, 3, 3))
        each = [
            call(0, (8,), name="all_to_all", equal=False, gives=given, takes=taken)
            for given, taken in zip(gives, takes, strict=True)
        ]
        return words(*(word(rank, one) for rank, one in enumerate(each)))

    assert parting(calls((2, 1, 3), (4, 1, 3), (2, 1, 3))) is None
    found = parting(calls((2, 1, 3), (4, 1, 3), (5, 1, 3)))
    assert found is not None and found.kind == "shares"
    assert telling.of_parting(found).headline == "in all_to_all rank 0 gives 2 numbers to rank 2, which takes 5"
    assert parting(calls((2, 1, 3), (4, 1, 3), ())) is None  # unknown is never different


def test_objects_are_no_batches() -> None:
    told = headline(*(call(0, (size,), name="broadcast", called="broadcast_object_list") for size in (2, 1)))
    assert told.headline.startswith("the ranks bring different shapes to broadcast_object_list: [2] on rank 0")
    assert "lists of different lengths" in told.suspects[0].cause


# Who failed, and who tells


SHAPES = Fall("RuntimeError", "mat1 and mat2 shapes cannot be multiplied", LINE, "SW102", "fc takes 3 and is given 4")
LOST = Fall("RuntimeError", "[../gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:40356", LINE)


def test_a_rank_that_lost_another_follows_it() -> None:
    here = word(0, state="failed", fall=LOST)
    told = account(here, words(here, word(1, state="failed", fall=SHAPES)), [1])
    assert told.follows and [each.rank for each in told.first] == [1] and not told.alike
    note = telling.of_follower(told, ())
    assert "only lost rank 1" in note and "SW102 fc takes 3 and is given 4" in note and "train.py:12" in note


def test_a_rank_that_is_silent_was_ended() -> None:
    here = word(0, state="failed", fall=LOST)
    told = account(here, words(here), [1])
    assert told.silent == (1,) and "rank 1 did not say why" in telling.of_follower(told, ())


def test_a_rank_that_lost_another_is_not_said_to_know_why() -> None:
    here = word(0, state="failed", fall=LOST)
    assert telling.of_follower(account(here, words(here, word(1)), [1]), ()) == ""


def test_what_a_rank_said_before_it_was_asked_is_no_answer() -> None:
    here = word(0, state="failed", fall=SHAPES, answers=5)
    told = account(here, words(here, word(1, answers=4), word(2, answers=5)), [1, 2, 3])
    assert told.silent == (1, 3) and [each.rank for each in told.waiting] == [2]


@pytest.mark.parametrize(
    ("fall", "lost"),
    [
        (LOST, True),
        (replace(LOST, message="Timed out waiting 30000ms for recv operation to complete"), True),
        (replace(LOST, type="ConnectionResetError"), False),  # of the program's own affairs
        (replace(LOST, code="SW102"), False),
        (SHAPES, False),
    ],
)
def test_what_tells_only_of_a_loss(fall: Fall, lost: bool) -> None:
    here = word(0, state="failed", fall=fall)
    assert account(here, words(here), [1]).follows is lost


def test_ranks_that_fail_alike() -> None:
    here = word(0, state="failed", fall=SHAPES)
    other = replace(SHAPES, message="other sizes", headline="fc takes 3 and is given 5")
    undecided = replace(SHAPES, code="", headline="")
    elsewhere = replace(SHAPES, span=OTHER_LINE)
    said = words(
        here,
        word(1, state="failed", fall=other),
        word(2, state="failing", fall=undecided),
        word(3, state="failed", fall=elsewhere),
    )
    told = account(here, said, [1, 2, 3, 4])
    assert [each.rank for each in told.alike] == [0, 1, 2] and told.silent == (4,)
    notes = "\n".join(telling.of_others(told))
    assert "ranks 0 to 2 fail alike" in notes
    assert "failed differently: rank 3 at train.py:30: SW102 fc takes 3 and is given 4" in notes


def test_ranks_that_fail_differently_are_told_of_by_the_first() -> None:
    one, two = word(1, state="failed", fall=SHAPES), word(2, state="failed", fall=replace(SHAPES, span=OTHER_LINE))
    said = words(one, two, word(0), word(3))
    assert list(telling.of_others(account(one, said, [0, 2, 3]))) == [
        "failed differently: rank 2 at train.py:30: SW102 fc takes 3 and is given 4",
        "ranks 0 and 3 have not failed; they are at a line that is not known",
    ]
    assert list(telling.of_others(account(two, said, [0, 1, 3]))) == [
        "failed differently: rank 1 at train.py:12: SW102 fc takes 3 and is given 4",
        "rank 1 tells of the other ranks",
    ]
    lost = word(0, state="failed", fall=LOST)
    note = telling.of_follower(account(lost, words(lost, one, two), [1, 2]), ())
    assert "only lost ranks 1 and 2, which failed differently" in note
    assert "rank 1 at train.py:12" in note and "rank 2 at train.py:30" in note


def test_what_others_were_given_is_told_where_it_differs() -> None:
    here = word(1, state="failed", fall=SHAPES, inputs=((1, 3),))
    told = account(here, words(here, word(0, inputs=((8, 3),), at=OTHER_LINE)), [0])
    assert list(telling.of_others(told)) == [
        "rank 0 has not failed; it is at train.py:30",
        "the outermost model was given [8, 3] on rank 0, [1, 3] on rank 1",
    ]


def test_a_shape_error_of_its_own_is_no_parting() -> None:
    """Where ranks part too, that is another story: it is told where an error is of the ranks."""
    here = word(0, call(0, (3,)), state="failed", fall=SHAPES)
    there = word(1, call(0, (4,)))
    assert account(here, words(here, there), [1]).parted is None
    lost = replace(here, fall=LOST)
    assert account(lost, words(lost, there), [1]).parted is not None


# In words


def headline(*recent: Collective) -> Diagnosis:
    found = parting(words(*(word(rank, each) for rank, each in enumerate(recent))))
    assert found is not None
    return telling.of_parting(found)


def test_equal_ranks_are_told_of_together() -> None:
    told = headline(call(0, (4, 3)), call(0, (4, 3)), call(0, (2, 3)), call(0, (4, 3)))
    assert told.code == "SW903" and told.location == LINE
    assert (
        told.headline == "the ranks bring different shapes to all_gather: [4, 3] on ranks 0, 1 and 3, [2, 3] on rank 2"
    )
    assert "ranks 0, 1 and 3: all_gather of [4, 3] float32" in told.explanation


@pytest.mark.parametrize(
    ("shapes", "agreed", "cause"),
    [
        (((4, 3), (2, 3)), True, "shares of different sizes"),
        (((4, 3), (4, 7)), True, "pads to the longest sample of its own batch"),
        (((4, 3), (4, 7)), False, "pads to the longest sample of its own batch"),
        (((4, 3), (4, 7, 2)), False, "out of step"),
    ],
)
def test_the_cause_follows_from_the_sizes(shapes: tuple[Shape, Shape], agreed: bool, cause: str) -> None:
    told = telling.of_parting(Parting("shapes", {rank: call(5, shape) for rank, shape in enumerate(shapes)}, agreed))
    assert cause in told.suspects[0].cause


def test_the_first_parameter_that_differs() -> None:
    labels = ("fc1.weight", "fc2.weight")
    told = headline(call(0, (4, 3), (2, 4), labels=labels), call(0, (4, 3), (5, 4), labels=labels))
    assert told.headline == "the ranks wrap different models: fc2.weight is [2, 4] on rank 0, [5, 4] on rank 1"
    told = headline(call(0, (4, 3), (2, 4), labels=labels), call(0, (4, 5), (2, 4), labels=("a", labels[1])))
    assert told.headline == "the ranks wrap different models: fc1.weight [4, 3] on rank 0, a [4, 5] on rank 1"
    told = headline(call(0, (4, 3), (2, 4), labels=labels), call(0, (4, 3), labels=labels[:1]))
    assert told.headline == "the ranks wrap different models: 2 parameters on rank 0, 1 parameter on rank 1"


def test_it_is_rendered_as_other_diagnoses_of_several_causes() -> None:
    text = as_text(Report(Recording("torch"), diagnoses=(headline(call(0, (4, 3)), call(0, name="barrier")),)))
    assert "all_gather on rank 0, barrier on rank 1" in " ".join(text.split())
    assert " 1. the processes are out of step" in text and "shapewatch explain SW903" in text


# The board


class Store:
    """A key-value store as torch's are, for ranks that are threads."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.lock = threading.Lock()
        self.gone = False

    def _reached(self) -> None:
        if self.gone:
            raise RuntimeError("Connection reset by peer")

    def set(self, key: str, value: str) -> None:
        self._reached()
        self.kept[key] = value

    def get(self, key: str) -> bytes:
        self._reached()
        return self.kept[key].encode()

    def check(self, keys: list[str]) -> bool:
        self._reached()
        return all(key in self.kept for key in keys)

    def add(self, key: str, amount: int) -> int:
        self._reached()
        with self.lock:
            self.kept[key] = str(int(self.kept.get(key, 0)) + amount)
            return int(self.kept[key])

    def compare_set(self, key: str, expected: str, desired: str) -> bytes:
        self._reached()
        with self.lock:
            if self.kept.get(key, "") == expected:
                self.kept[key] = desired
            return self.kept[key].encode()


def test_a_word_is_read_as_it_was_put() -> None:
    board = Board(Store())
    said = word(1, call(0, (4, None), labels=("w",)), state="failed", fall=SHAPES, inputs=((2, 3),), at=LINE, saved="x")
    board.put(said)
    assert board.word(1) == said and board.word(0) is None


def test_answers_are_waited_for_until_they_come() -> None:
    board = Board(Store())
    board.put(word(1, answers=0))
    question = board.question()
    late = threading.Timer(0.05, lambda: board.put(word(1, answers=question)))
    late.start()
    assert board.answers([1], question, time.monotonic() + 5)[1].answers == question
    late.join()


def test_nobody_is_waited_for_longer_than_said() -> None:
    board = Board(Store())
    board.put(word(1))
    begins = time.monotonic()
    assert set(board.answers([1, 2], board.question(), begins + 0.1)) == {1}
    assert time.monotonic() - begins < 1


def test_an_alarm_is_told_from_a_question() -> None:
    board = Board(Store())
    first, alarm, after = board.question(), board.question(alarm=True), board.question()
    assert first // ALARM == 0 and alarm // ALARM == after // ALARM == 1 and first < alarm < after


def test_one_rank_tells() -> None:
    board = Board(Store())
    assert [board.claim("a", 3), board.claim("a", 0), board.claim("b", 0)] == [3, 3, 0]


def test_a_store_that_is_gone_is_asked_no_more() -> None:
    store = Store()
    board = Board(store)
    store.gone = True
    assert board.asked() == 0 and board.gone
    store.gone = False
    assert board.word(0) is None and board.claim("a", 2) == 2


# A member, and its thread


class Ear:
    """A hearing of collectives that a test makes up."""

    def __init__(self, store: Store, rank: int, size: int) -> None:
        self.company = Company(rank, size, store, "test")
        self.calls: tuple[Collective, ...] = ()

    def hearing(self, joined: Callable[[Company], None], changes: Callable[..., None]) -> Ear:
        self.joined, self.changes = joined, changes
        return self

    def listening(self) -> Any:
        self.joined(self.company)
        return threading.Lock()  # any context

    def recent(self) -> tuple[Collective, ...]:
        return self.calls

    def begun(self) -> Begun:
        return Begun("0", 0, len(self.calls), len(self.calls))

    def others(self) -> tuple[Begun, ...]:
        return ()

    def waits(self, _thread: int) -> Collective | None:
        return None

    def brings(self, each: Collective) -> None:
        self.calls = (*self.calls, each)
        self.changes(each, tuple(range(self.company.size)))


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHAPEWATCH_DIR", str(tmp_path))
    return tmp_path


def in_two_threads(*ranks: Callable[[], None]) -> None:
    threads = [threading.Thread(target=each) for each in ranks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_two_members_find_that_they_part_before_the_collective(
    recordings: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store, reports = Store(), {}

    def rank(number: int) -> None:
        ear, member = Ear(store, number, 2), Member(lambda: Report(Recording("torch")))
        with member.listening(ear):
            ear.brings(call(0, (4, 3)))
            ear.brings(call(1, (4 - 2 * number, 3)))
        reports[number] = member.leaves(Report(Recording("torch")), whole=True)

    in_two_threads(lambda: rank(0), lambda: rank(1))
    assert [each.diagnoses[0].code for each in reports.values()] == ["SW903", "SW903"]
    assert capfd.readouterr().err.count("SW903 ranks-differ") == 1
    assert sorted(path.name for path in recordings.iterdir()) == ["rank-0.json", "rank-1.json"]


def test_members_in_step_say_and_leave_nothing(recordings: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store, waited = Store(), []

    def rank(number: int) -> None:
        ear, member = Ear(store, number, 2), Member(lambda: Report(Recording("torch")))
        begins = time.monotonic()
        with member.listening(ear):
            for position in range(20):
                ear.brings(call(position, (position + 1, 3)))
        waited.append(time.monotonic() - begins)
        assert member.leaves(Report(Recording("torch")), whole=True).diagnoses == ()

    in_two_threads(lambda: rank(0), lambda: rank(1))
    assert max(waited) < 5 and capfd.readouterr().err == "" and list(recordings.iterdir()) == []


def test_a_member_does_not_wait_long_for_one_that_does_not_come(recordings: Path) -> None:
    ear, member = Ear(Store(), 0, 2), Member(lambda: Report(Recording("torch")))
    begins = time.monotonic()
    with member.listening(ear):
        for number in range(20):
            ear.brings(call(number, (number + 1, 3)))
        ear.company.store.gone = True
        ear.brings(call(20, (5, 3)))
    assert time.monotonic() - begins < 6 and list(recordings.iterdir()) == []
    report = Report(Recording("torch"))
    assert member.account(RuntimeError("x"), report).note is None


@pytest.mark.own_faults
@pytest.mark.parametrize("broken", ["account", "disk.save", "Board.answers", "telling.of_others"])
def test_a_fault_of_ours_costs_only_what_is_said_of_others(
    broken: str, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"shapewatch.ranks.member.{broken}".replace("member.telling", "telling"), fails)
    ear, member = Ear(Store(), 0, 2), Member(lambda: Report(Recording("torch")))
    report = Report(Recording("torch"), diagnoses=(Diagnosis("SW102", "inner-dims-differ", "error", "", ""),))
    with member.listening(ear):
        pass
    faults = Faults.count
    member.falls(RuntimeError("x"), [report.recording])
    assert member.account(RuntimeError("x"), report) == Told(report) and Faults.count > faults
    assert recordings.exists()


def test_alone_a_member_does_nothing() -> None:
    member, report = Member(lambda: Report(Recording("torch"))), Report(Recording("torch"))
    with member.listening(object()):
        pass
    assert member.leaves(report, whole=True) is report and member.account(ValueError(), report).report is report


def test_recordings_are_not_written_among_those_of_somebody_else(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: recordings.stat().st_uid + 1)
    assert disk.save(Report(Recording("torch")), "run", 0) == "" and list(recordings.iterdir()) == []


# Real ranks


class Stage:
    """What the programs of `support/ranks_stage.py` printed and left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def printed(self, name: str, rank: int) -> str:
        return (self.folder / name / f"rank-{rank}.txt").read_text(encoding="utf-8")

    def text(self, name: str) -> str:
        """Of all ranks, without line breaks."""
        return " ".join(" ".join(self.printed(name, rank) for rank in self.ranks(name)).split())

    def ranks(self, name: str) -> list[int]:
        return [int(path.stem.removeprefix("rank-")) for path in sorted((self.folder / name).glob("*.status"))]

    def statuses(self, name: str) -> list[int]:
        return [int((self.folder / name / f"rank-{rank}.status").read_text()) for rank in self.ranks(name)]

    def recorded(self, name: str) -> Mapping[str, Any]:
        found = sorted((self.folder / name / "recordings").glob("*.json"))
        return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in found}


ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("SHAPEWATCH")},
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(ROOT),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("ranks")
    script = Path(__file__).parent / "support" / "ranks_stage.py"
    subprocess.run([sys.executable, str(script), str(folder)], env=ENVIRONMENT, check=True, timeout=400)
    yield Stage(folder)


def test_no_fault_of_ours(stage: Stage) -> None:
    for path in stage.folder.glob("*/*.txt"):
        assert "a fault of its own" not in path.read_text(encoding="utf-8"), path


def test_a_ragged_last_batch_is_told_before_gloo_ends_the_process(stage: Stage) -> None:
    assert -6 in stage.statuses("ragged")  # it aborts: no exception, no note
    assert stage.text("ragged").count("SW903 ranks-differ") == 1
    assert "all_gather: [4, 2] on rank 0, [2, 2] on rank 1" in stage.text("ragged")
    assert "at this line they agreed before" in stage.text("ragged")
    assert "dist.all_gather(shares, values)" in stage.text("ragged")
    assert set(stage.recorded("ragged")) == {"rank-0", "rank-1"}
    assert all(recording["calls"] for recording in stage.recorded("ragged").values())


def test_other_models_are_told_by_their_first_parameter(stage: Stage) -> None:
    text = stage.text("models")
    assert "fc1.weight is [4, 3] on rank 0, [4, 4] on rank 1" in text
    assert text.count(" 1. the processes built different models") == 1


def test_an_error_on_one_rank_says_where_the_other_waits(stage: Stage) -> None:
    text = stage.printed("one", 1)
    assert "SW102" in text and "rank 0 has not failed; it is at ranks_stage.py" in text
    assert "[2, 3] on rank 0, [2, 4] on rank 1" in " ".join(text.split())
    assert "this rank only lost rank 1, which failed" in stage.printed("one", 0)
    assert set(stage.recorded("one")) == {"rank-0", "rank-1"}


def test_one_report_of_four_that_fail_alike(stage: Stage) -> None:
    assert stage.statuses("alike") == [1, 1, 1, 1]
    text = stage.text("alike")
    assert text.count("cause fc1") == 1 and text.count("tells of it") == 3 and "ranks 0 to 3 fail alike" in text
    assert len(stage.recorded("alike")) == 4


def test_a_rank_with_fewer_batches(stage: Stage) -> None:
    assert stage.statuses("uneven") == [1, 0]
    assert "rank 1 has left the watched block, and rank 0 is in an exchange of gradients" in stage.text("uneven")
    assert "different numbers of batches" in stage.text("uneven")


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("operations", ("all_reduce on rank 0", "barrier on rank 1")),
        ("gradients", ("all_reduce on rank 1", "an exchange of gradients on rank 0")),
    ],
)
def test_ranks_in_different_operations(stage: Stage, name: str, called: tuple[str, str]) -> None:
    text = stage.text(name)
    assert all(words in text for words in called) and text.count(" 1. the processes are out of step") == 1


def test_a_hang_is_told_while_it_lasts(stage: Stage) -> None:
    text = stage.printed("hang", 0)
    assert "nothing has moved for 1 s" in text and text.index("nothing has moved") < text.index("Traceback")
    assert "told above, before it failed" in text and stage.printed("hang", 1) == ""


def test_what_looked_like_a_hang_and_was_none(stage: Stage) -> None:
    text = stage.text("late")
    assert "nothing has moved for 1 s: rank 1 has left" in text and text.endswith("diagnoses () diagnoses ()")


def test_groups_that_ranks_come_to_in_different_orders(stage: Stage) -> None:
    text = stage.text("grid")
    assert text.count(" 1. the ranks come to the operations of their groups in different orders") == 1
    assert "rank 0 in all_reduce of ranks 0 and 2, rank 2 in all_reduce of ranks 2 and 3" in text


def test_both_ends_receive_first(stage: Stage) -> None:
    text = stage.text("exchange")
    assert text.count(" 1. both ends of a message begin with the same half of an exchange") == 1


def test_a_message_that_is_received_into_too_little(stage: Stage) -> None:
    assert stage.statuses("message") == [0, -6]
    text = stage.text("message")
    assert text.count("rank 0 sends [4, 3] to rank 1, which receives into [2, 3]") == 1
    assert "an earlier message from this line fitted" in text


def test_a_message_that_nobody_sends(stage: Stage) -> None:
    assert "rank 0 has left the watched block, and rank 1 is in recv from rank 0" in stage.text("more_messages")


def test_splits_that_do_not_fit(stage: Stage) -> None:
    assert "rank 0 gives 6 numbers to rank 1, which takes 9" in stage.text("shares")
    assert stage.text("shares").count("diagnoses ['SW903']") == 2


def test_lists_of_objects(stage: Stage) -> None:
    text = stage.text("objects")
    assert text.count(" 1. the ranks hold lists of different lengths") == 1


def test_two_ranks_that_fail_differently(stage: Stage) -> None:
    told = {rank: " ".join(stage.printed("differently", rank).split()) for rank in range(4)}
    assert "SW102" in told[1] and "failed differently: rank 2 at ranks_stage.py" in told[1]
    # on a machine that has other things to do, one of them may not have come as far as the other, or not at all
    others = re.findall(r"ranks? ([\d and]+?) (?:has not failed|have not failed|said nothing)", told[1])
    assert sorted(re.findall(r"\d", " ".join(others))) == ["0", "3"], told[1]
    assert "SW301 reshape-count-differs" in told[2] and "rank 1 tells of the other ranks" in told[2]
    for rank in (0, 3):
        assert "only lost ranks 1 and 2, which failed differently" in told[rank]
        assert "SW102 fc1 takes vectors of 3" in told[rank] and "SW301 view" in told[rank]


def test_an_error_that_is_none_of_shapes_is_left_alone(stage: Stage) -> None:
    assert stage.statuses("unused") == [1, 1] and "shapewatch:" not in stage.text("unused")


def test_sharded_weights(stage: Stage) -> None:
    """A fix cannot be tried by a rank that has only its part of them."""
    one = stage.printed("sharded_one", 1)
    assert "SW102" in one and "rank 0 has not failed" in one and "only lost rank 1" in stage.printed("sharded_one", 0)
    wrong = stage.text("sharded_wrong")
    assert "1.fc2 (Linear" in wrong and "out_features is 6, where 4 fits" in wrong
    assert "it has its weights on several ranks" in wrong and "the whole forward pass runs" not in wrong


def test_a_decorated_model_on_two_ranks(stage: Stage) -> None:
    assert stage.text("decorated").count("cause fc1") == 1 and "ranks 0 and 1 fail alike" in stage.text("decorated")


def test_what_was_survived_is_not_told_again(stage: Stage) -> None:
    later = stage.printed("survived", 1)[stage.printed("survived", 1).index("is given 4") :]
    assert "alike" not in later and "tells of it" not in later  # rank 0 was well the second time


def test_a_slow_rank_is_left_alone(stage: Stage) -> None:
    assert stage.text("slow") == "diagnoses () diagnoses ()" and not stage.recorded("slow")


def test_a_healthy_run_leaves_no_trace(stage: Stage) -> None:
    assert stage.statuses("healthy") == [0, 0, 0] and not (stage.folder / "healthy" / "recordings").exists()
    for rank in range(3):
        assert stage.printed("healthy", rank).split("\n") == [
            "equal True",
            "diagnoses ()",
            "threads 0",
            "methods instancemethod",
            "",
        ]


# Started as users start them


KILLED = """
import os, torch, torch.distributed as dist
dist.init_process_group("gloo")
net = torch.nn.Linear(3, 2)
for step in range(3):
    loss = net(torch.ones(2, 3)).sum().detach()
    if step == 2 and dist.get_rank() == 1:
        os._exit(7)
    dist.all_reduce(loss)
"""


def test_torchrun_and_a_rank_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(KILLED, encoding="utf-8")
    # an agent that looks every 0.1 s may end the other rank before that one has heard of it, and written
    agent = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--monitor-interval", "5"]
    started = [*agent, "-m", "shapewatch", "run"]
    environment = {**ENVIRONMENT, "SHAPEWATCH_DIR": str(tmp_path / "recordings")}
    run = subprocess.run(
        [sys.executable, *started, str(script)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert "exitcode  : 7" in run.stderr
    assert Report.load(tmp_path / "recordings" / "rank-0.json").calls


def test_the_example_spawned(tmp_path: Path) -> None:
    example = ROOT / "examples" / "torch" / "distributed" / "ranks_part.py"
    script = tmp_path / "spawn.py"
    script.write_text(SPAWNED.format(example=str(example)), encoding="utf-8")
    environment = {**ENVIRONMENT, "SHAPEWATCH_DIR": str(tmp_path / "recordings")}
    run = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=120)
    told = " ".join(run.stderr.split())
    assert told.count("SW903 ranks-differ") == 1 and "[2, 3] on rank 0, [3, 3] on rank 1" in told
    assert len(list((tmp_path / "recordings").glob("rank-*.json"))) == 2


SPAWNED = """
import os, runpy, socket, torch.multiprocessing, shapewatch
def rank(number, port):
    os.environ |= {{"RANK": str(number), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}}
    with shapewatch.watch():
        runpy.run_path({example!r}, run_name="__main__")
if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(rank, (port,), nprocs=2)
"""
