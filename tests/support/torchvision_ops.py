"""torchvision's own operators, declared so that torchvision can be imported without its compiled extension.

A torchvision wheel built for another device, or for another release of torch, cannot load its C++ extension.
Importing it then fails in `_meta_registrations.py` with "operator torchvision::nms does not exist",
although its models (and those of timm and segmentation_models_pytorch, which import it) call none of these
operators. A declaration without a kernel is all they need.

    from tests.support.torchvision_ops import declare_operators
    declare_operators()
    import torchvision.models

Nothing is declared where torchvision imports by itself: its extension declares the same names as it loads,
and two declarations of one name are an error.
"""

from __future__ import annotations

import importlib
import sys

import torch

ROI = "Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width"
INPUT_SIZE = "SymInt batch_size, SymInt channels, SymInt height, SymInt width"
QUANTIZED_ROI = f"float input_scale, int input_zero_point, float rois_scale, int rois_zero_point, {ROI[13:]}"
DEFORMED = (
    "Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, SymInt stride_w, "
    "SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, SymInt groups, SymInt offset_groups, "
    "bool use_mask"
)

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    f"roi_align(Tensor input, {ROI}, int sampling_ratio, bool aligned) -> Tensor",
    f"qroi_align(Tensor input, Tensor rois, {QUANTIZED_ROI}, int sampling_ratio, bool aligned) -> Tensor",
    f"_roi_align_backward(Tensor grad, {ROI}, {INPUT_SIZE}, int sampling_ratio, bool aligned) -> Tensor",
    f"roi_pool(Tensor input, {ROI}) -> (Tensor, Tensor)",
    f"_roi_pool_backward(Tensor grad, {ROI.replace(',', ', Tensor argmax,', 1)}, {INPUT_SIZE}) -> Tensor",
    f"ps_roi_align(Tensor input, {ROI}, int sampling_ratio) -> (Tensor, Tensor)",
    f"_ps_roi_align_backward(Tensor grad, {ROI.replace(',', ', Tensor channel_mapping,', 1)}, "
    f"int sampling_ratio, {INPUT_SIZE}) -> Tensor",
    f"ps_roi_pool(Tensor input, {ROI}) -> (Tensor, Tensor)",
    f"_ps_roi_pool_backward(Tensor grad, {ROI.replace(',', ', Tensor channel_mapping,', 1)}, {INPUT_SIZE}) -> Tensor",
    f"deform_conv2d({DEFORMED}) -> Tensor",
    f"_deform_conv2d_backward(Tensor grad, {DEFORMED}) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
)
"""What torchvision 0.2x declares in C++, as far as its Python files mention it."""

_declared: list[torch.library.Library] = []
"""Kept alive for the life of the process: a collected library takes its operators with it."""


def declare_operators() -> bool:
    """Make `import torchvision` work. True when the operators are declared here, False when there is no need.

    Calling it again changes nothing.

    Raises:
        ImportError: torchvision is not installed, or something else than an operator is missing.
    """
    if _declared:
        return True
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise ImportError(f"torchvision cannot be imported: {error}") from error
    else:
        return False
    _forget_half_imported()
    library = torch.library.Library("torchvision", "DEF")
    _declared.append(library)
    for schema in SCHEMAS:
        library.define(schema)
    importlib.import_module("torchvision")
    return True


def _forget_half_imported() -> None:
    """Drop the submodules that the failed import left behind, so that the next one starts afresh."""
    for name in [name for name in sys.modules if name == "torchvision" or name.startswith("torchvision.")]:
        del sys.modules[name]
