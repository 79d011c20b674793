"""Where could a size come from? Demands on a value's axes, walked up the road of the data.

A demand says "if axis 2 of this value were 16, what failed would not have". Each kind of call answers it in closed
form: with settings of its own that would give that size (a convolution's stride), with demands on its operands (the
input would have to be 31 or 32 wide), or both. What comes out are candidates, not fixes: whether one helps is for
the dry run to say. Where a call's arithmetic is not known, or does not give what was recorded, the walk stops rather
than guesses.
"""

from __future__ import annotations

from shapewatch.demand.moves import norm_axes, prelu_axis
from shapewatch.demand.nouns import Change, Demand, Want, settable
from shapewatch.demand.walk import walk

__all__ = ["Change", "Demand", "Want", "norm_axes", "prelu_axis", "settable", "walk"]
