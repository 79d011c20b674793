"""Several processes of one program, a rank each: where they part, who failed, who only waits; one report of all.

words      what a rank says of itself, as plain frozen data
board      where ranks put up their words: the key-value store by which they found each other
parting    where the collectives of ranks part
account    of a rank that failed: is the fault its own, who has the same, who tells of it
telling    both in words
disk       the recordings, a file a rank
member     this process among the others, while a block is watched

No collective is ever called here, and nothing waits for another rank longer than a few seconds.
"""

from __future__ import annotations

from shapewatch.ranks.member import Member

__all__ = ["Member"]
