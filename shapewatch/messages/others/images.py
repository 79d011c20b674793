"""Messages of libraries that read, change and compare images."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

PILLOW: tuple[Template, ...] = (
    Template(
        "Cannot handle this data type: (1, 1, {channels:n}), |u1",
        "only-dress",
        {"op": "an image from an array"},
        seen="Cannot handle this data type: (1, 1, 512), |u1",
        release="6 and later",
    ),
    Template(
        "Cannot handle this data type: (1, 1, {channels:n}, {more:n}), |u1",
        "only-dress",
        {"op": "an image from an array"},
        seen="Cannot handle this data type: (1, 1, 224, 3), |u1",
        release="6 and later",
    ),
)

TORCHVISION: tuple[Template, ...] = (
    Template(
        "pic should not have > 4 channels. Got {channels:n} channels",
        "only-dress",
        {"op": "an image from an array"},
        seen="pic should not have > 4 channels. Got 224 channels.",
        release="0.5 and later",
    ),
    Template(
        "Input image tensor permitted channel values are {permitted:shape}, but found {got:n}",
        "conv-channels",
        {"expected": 3},
        seen="Input image tensor permitted channel values are [1, 3], but found 4",
        release="0.8 and later",
    ),
)

ALBUMENTATIONS: tuple[Template, ...] = (
    Template(
        "Height and Width of image, mask or masks should be equal",
        "only-dress",
        {"op": "images"},
        seen="Height and Width of image, mask or masks should be equal. You can disable shapes check by setting a "
        "parameter is_check_shapes=False of Compose class",
        release="1.3 and later",
    ),
)

SCIKIT_IMAGE: tuple[Template, ...] = (
    Template(
        "Input images must have the same dimensions",
        "only-dress",
        {"op": "images"},
        seen="Input images must have the same dimensions.",
        release="0.11 and later",
    ),
    Template(
        "win_size exceeds image extent",
        "window",
        {
            "op": "structural similarity",
            "releases": "the channels are named by `channel_axis` from scikit-image 0.19 on, by `multichannel` before",
        },
        seen="win_size exceeds image extent. Either ensure that your images are at least 7x7; or pass win_size",
        release="0.11 and later",
    ),
)
