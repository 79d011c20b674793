# Images in their own size, for a backbone that was made for another.
#
# fault: the network takes 96 x 96 pixels, the images have 64 x 64
# code: SW6 SW7
# named: input | images | functional | model | input_shape=(96, 96, 3) | input_layer | x
# fix: tf.image.resize(images, (96, 96)), or input_shape=(64, 64, 3)
import numpy as np
import tensorflow as tf

base = tf.keras.applications.MobileNetV2(
    input_shape=(96, 96, 3), include_top=False, weights=None, pooling="avg", alpha=0.35
)
outputs = tf.keras.layers.Dense(1)(base.output)
model = tf.keras.Model(base.input, outputs)
model.compile("adam", tf.keras.losses.BinaryCrossentropy(from_logits=True))
images = np.random.rand(8, 64, 64, 3)
model.fit(images, np.random.randint(0, 2, (8, 1)), epochs=1, verbose=0)
