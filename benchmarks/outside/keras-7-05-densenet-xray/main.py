"""Small DenseNet on chest x-rays (multi label)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import keras
from keras import layers

N_FINDINGS = 6
IMG = 48


class ConvUnit(layers.Layer):
    """BN - ReLU - Conv(1x1) - BN - ReLU - Conv(3x3)"""

    def __init__(self, growth_rate, bottleneck=4, drop=0.0, **kwargs):
        super().__init__(**kwargs)
        self.bn1 = layers.BatchNormalization(epsilon=1.001e-5)
        self.conv1 = layers.Conv2D(bottleneck * growth_rate, 1, use_bias=False)
        self.bn2 = layers.BatchNormalization(epsilon=1.001e-5)
        self.conv2 = layers.Conv2D(growth_rate, 3, padding="same", use_bias=False)
        self.drop = layers.Dropout(drop)

    def call(self, x, training=False):
        y = self.conv1(keras.activations.relu(self.bn1(x, training=training)))
        y = self.conv2(keras.activations.relu(self.bn2(y, training=training)))
        return self.drop(y, training=training)


class DenseBlock(layers.Layer):
    def __init__(self, num_units, growth_rate, **kwargs):
        super().__init__(**kwargs)
        self.units = [ConvUnit(growth_rate, drop=0.1) for _ in range(num_units)]

    def call(self, x, training=False):
        for unit in self.units:
            y = unit(x, training=training)
            x = keras.ops.concatenate([x, y], axis=1)
        return x


class Transition(layers.Layer):
    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.bn = layers.BatchNormalization()
        self.conv = layers.Conv2D(filters, 1, use_bias=False)
        self.pool = layers.AveragePooling2D(2)

    def call(self, x, training=False):
        x = keras.activations.relu(self.bn(x, training=training))
        return self.pool(self.conv(x))


class DenseNet(keras.Model):
    def __init__(self, block_sizes=(2, 2), growth_rate=8, num_outputs=N_FINDINGS):
        super().__init__()
        filters = 2 * growth_rate
        self.stem = layers.Conv2D(filters, 5, strides=2, padding="same", use_bias=False)
        self.stages = []
        for i, n in enumerate(block_sizes):
            self.stages.append(DenseBlock(n, growth_rate))
            filters += n * growth_rate
            if i < len(block_sizes) - 1:
                filters = filters // 2
                self.stages.append(Transition(filters))
        self.final_bn = layers.BatchNormalization()
        self.gap = layers.GlobalAveragePooling2D()
        self.head = layers.Dense(num_outputs, activation="sigmoid")

    def call(self, x, training=False):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x, training=training)
        x = keras.activations.relu(self.final_bn(x, training=training))
        return self.head(self.gap(x))


class XraySequence(keras.utils.PyDataset):
    def __init__(self, n, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x = np.random.rand(n, IMG, IMG, 1).astype("float32")
        self.y = (np.random.rand(n, N_FINDINGS) > 0.8).astype("float32")
        self.batch_size = batch_size

    def __len__(self):
        return int(np.ceil(len(self.x) / self.batch_size))

    def __getitem__(self, idx):
        s = slice(idx * self.batch_size, (idx + 1) * self.batch_size)
        return self.x[s], self.y[s]


if __name__ == "__main__":
    train = XraySequence(20, 8)
    valid = XraySequence(8, 8)
    net = DenseNet()
    net.compile(optimizer="adam", loss="binary_crossentropy", metrics=[keras.metrics.AUC(multi_label=True)])
    net.fit(train, validation_data=valid, epochs=1, verbose=2)
    print("per finding:", net.predict(valid.x, verbose=0).mean(axis=0).round(3))
