# Frames of a film without the axis of time.
#
# fault: the data are single pictures, the model takes sequences of them
# code: SW6 SW7
# named: input | frames
# fix: frames[:, None], or sequences of frames
import keras
import numpy as np
from keras import layers

frames = np.random.rand(12, 32, 32, 3)
model = keras.Sequential(
    [
        keras.Input((5, 32, 32, 3)),
        layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu")),
        layers.TimeDistributed(layers.GlobalAveragePooling2D()),
        layers.LSTM(8),
        layers.Dense(1),
    ]
)
model.compile("adam", "mse")
model.fit(frames, np.random.rand(12, 1), verbose=0)
