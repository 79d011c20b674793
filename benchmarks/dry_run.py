"""How long a pass on shapes alone takes, for a ResNet-50 at 224 pixels: the medians that the documents quote.

python -m benchmarks.dry_run
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from shapewatch.adapters import InputSpec
from shapewatch.adapters.torch import ADAPTER
from shapewatch.edits import Edit, Set
from tests.support.torchvision_ops import declare_operators

PATH = "layer2.0.downsample.0"


def median(action: Callable[[], object], times: int = 9) -> float:
    """Median milliseconds of an action, after one that is not counted."""
    action()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def main() -> None:
    declare_operators()
    import torchvision

    model = torchvision.models.resnet50().eval()
    model.get_submodule(PATH).stride = (1, 1)
    inputs = [InputSpec((1, 3, 224, 224))]
    probe = ADAPTER.prepare_shapes(model, inputs)
    mended: Sequence[Edit] = [Set(PATH, "stride", (2, 2), (1, 1))]
    assert not probe.run().finished
    assert probe.run(mended).finished

    def prepared() -> None:
        fresh = ADAPTER.prepare_shapes(model, inputs)
        fresh._fakes  # noqa: B018  # made when first asked for

    print(f"prepare once                  {median(prepared):6.1f} ms")
    print(f"a pass that fails in layer2   {median(lambda: probe.run()):6.1f} ms")
    print(f"a pass that finishes          {median(lambda: probe.run(mended)):6.1f} ms")


if __name__ == "__main__":
    main()
