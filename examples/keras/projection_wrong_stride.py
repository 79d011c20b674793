"""Three residual stages that halve the image, each with a projection; one forgets to halve, and `fit` fails.

`fit` calls the model for the program, so the error comes through many frames that are not the
program's own.

Fault: `stage2.project` has a stride of 1 where `stage1.project` and `stage3.project` have 2, so the
skip of `stage2` stays at 16 x 16 while its main branch goes to 8 x 8.
"""

import keras
import numpy as np
from keras import layers


class Stage(layers.Layer):
    def __init__(self, filters, project_strides=2):
        super().__init__()
        self.conv1 = layers.Conv2D(filters, 3, strides=2, padding="same")
        self.norm1 = layers.BatchNormalization()
        self.conv2 = layers.Conv2D(filters, 3, padding="same")
        self.norm2 = layers.BatchNormalization()
        self.project = layers.Conv2D(filters, 1, strides=project_strides)
        self.add = layers.Add()

    def call(self, x):
        main = keras.ops.relu(self.norm1(self.conv1(x)))
        main = self.norm2(self.conv2(main))
        return keras.ops.relu(self.add([main, self.project(x)]))


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = layers.Conv2D(16, 3, padding="same")
        self.stage1 = Stage(32)
        self.stage2 = Stage(64, project_strides=1)
        self.stage3 = Stage(128)
        self.pool = layers.GlobalAveragePooling2D()
        self.head = layers.Dense(10)

    def call(self, x):
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))
        return self.head(self.pool(x))


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    images = np.random.rand(8, 32, 32, 3).astype("float32")
    labels = np.random.randint(0, 10, 8)
    print("input", images.shape)
    model = Net()
    model.compile(optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images, labels, batch_size=4, verbose=0)
    print("output", model.predict(images, verbose=0).shape)
