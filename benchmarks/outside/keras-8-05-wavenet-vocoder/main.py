"""WaveNet (van den Oord et al. 2016) on mu-law audio, unpadded variant.

As in the fast implementations, no layer pads: each gated block shortens the
sequence and residuals are cropped on the left (past) side. The loss is then only
computed where the full receptive field is available.
"""
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops


@dataclass
class Config:
    quant: int = 64
    channels: int = 16
    skip_channels: int = 24
    kernel_size: int = 3
    stacks: int = 2
    dilations: tuple = (1, 2, 4, 8)
    batch: int = 4
    out_len: int = 100

    @property
    def receptive_field(self):
        return self.stacks * sum(self.dilations) * (self.kernel_size - 1) + 1


class GatedBlock(keras.layers.Layer):
    """tanh(conv) * sigmoid(conv), then 1x1 convs to residual and skip."""

    def __init__(self, cfg, dilation, **kwargs):
        super().__init__(**kwargs)
        self.kernel_size = cfg.kernel_size
        self.dilation = dilation
        self.filter_gate = layers.Conv1D(
            2 * cfg.channels, cfg.kernel_size, dilation_rate=dilation,
            padding="valid")
        self.to_residual = layers.Conv1D(cfg.channels, 1)
        self.to_skip = layers.Conv1D(cfg.skip_channels, 1)

    def call(self, x):
        filt, gate = ops.split(self.filter_gate(x), 2, axis=-1)
        z = ops.tanh(filt) * ops.sigmoid(gate)
        residual = x[:, self.dilation:, :] + self.to_residual(z)
        return residual, self.to_skip(z)


class WaveNet(keras.Model):
    def __init__(self, cfg, **kwargs):
        super().__init__(**kwargs)
        self.cfg = cfg
        self.embed = layers.Embedding(cfg.quant, cfg.channels)
        self.blocks = [
            GatedBlock(cfg, d, name=f"stack{s}_dil{d}")
            for s in range(cfg.stacks)
            for d in cfg.dilations
        ]
        self.post1 = layers.Conv1D(cfg.skip_channels, 1, activation="relu")
        self.post2 = layers.Conv1D(cfg.quant, 1)

    def call(self, tokens):
        out_len = tokens.shape[1] - self.cfg.receptive_field + 1
        x = self.embed(tokens)
        total = 0.0
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip[:, -out_len:, :]
        return self.post2(self.post1(ops.relu(total)))


def mu_law_encode(wave, quant):
    mu = quant - 1
    mag = np.log1p(mu * np.abs(wave)) / np.log1p(mu)
    return ((np.sign(wave) * mag + 1) / 2 * mu + 0.5).astype("int32")


def synth_batch(cfg, n, seed):
    rng = np.random.default_rng(seed)
    length = cfg.receptive_field + cfg.out_len
    t = np.arange(length) / 4000.0
    f0 = rng.uniform(80, 400, size=(n, 1))
    wave = 0.6 * np.sin(2 * np.pi * f0 * t) + 0.05 * rng.normal(size=(n, length))
    tokens = mu_law_encode(np.clip(wave, -1, 1), cfg.quant)
    inputs = tokens[:, :-1]
    targets = tokens[:, cfg.receptive_field:]
    return inputs, targets


def main():
    cfg = Config()
    keras.utils.set_random_seed(0)
    inputs, targets = synth_batch(cfg, 3 * cfg.batch, seed=0)
    print("receptive field", cfg.receptive_field,
          "inputs", inputs.shape, "targets", targets.shape)

    model = WaveNet(cfg)
    model.compile(
        optimizer=keras.optimizers.Adam(2e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    hist = model.fit(inputs, targets, batch_size=cfg.batch, epochs=1, verbose=0)
    print("nats per sample: %.3f" % hist.history["loss"][0])


if __name__ == "__main__":
    main()
