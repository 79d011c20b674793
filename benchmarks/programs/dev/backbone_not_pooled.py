# Transfer learning with the top left out and nothing in its place.
#
# fault: no pooling or Flatten between the backbone and the head
# code: SW8
# named: head | predictions | pooling | Flatten | flatten
# fix: pooling="avg", or GlobalAveragePooling2D() before the head
import numpy as np
from tensorflow import keras

base = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(64, 64, 3), alpha=0.35)
base.trainable = False
model = keras.Sequential([base, keras.layers.Dense(5, activation="softmax", name="predictions")])
model.compile(optimizer="adam", loss="categorical_crossentropy")
images = np.random.rand(8, 64, 64, 3)
labels = keras.utils.to_categorical(np.random.randint(0, 5, 8), 5)
model.fit(images, labels, batch_size=8, epochs=1, verbose=0)
