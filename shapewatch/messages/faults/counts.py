"""Numbers that are known for what they count: a size that is one of them says what it may be, and proves nothing."""

from __future__ import annotations

VOCABULARIES = frozenset({
    21128, 28996, 30522, 32000, 32001, 32100, 32128, 49152, 49408, 50257, 50258, 50265, 50272, 50304, 51200,
    51864, 51865, 51866, 58101, 65024, 92544, 100277, 102400, 119547, 125696, 128256, 129280, 151643, 151646,
    151665, 151936, 152064, 250002, 250112, 250880, 256000, 256206, 262144, 262208,
})  # fmt: skip
"""Numbers of tokens that language models come with."""
KEY_POINTS = frozenset(
    {14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26, 33, 42, 52, 55, 68, 98, 106, 133, 136, 137, 478}
)
"""Numbers of key points and joints, of bodies, hands and faces."""
SERIES = frozenset({7, 21, 137, 170, 207, 307, 321, 325, 358, 862, 883})
"""Numbers of series that usual sets of forecasting have: transformers' temperatures, weather, current, traffic."""
HORIZONS = frozenset({12, 24, 36, 48, 60, 72, 96, 104, 144, 168, 192, 288, 336, 384, 504, 672, 720})
"""Numbers of steps that are looked back on and forecast. Some are widths of networks too."""
UNET_WIDTHS = frozenset({320, 640, 960, 1280, 1920, 2560})
"""Numbers of channels of the U-Nets of latent diffusion: what meets there was made by patches and adapters."""
WORD_VECTORS = frozenset({25, 50, 100, 200, 300})
"""Widths of the word vectors that are published (GloVe, word2vec, fastText)."""
HEAD_SIZES = frozenset({32, 40, 64, 72, 80, 96, 112, 128, 160, 192, 256})
"""Widths of the heads of attention."""
