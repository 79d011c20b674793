# A text classifier that one-hot encodes its labels for a loss that wants integers.
#
# fault: the labels are one-hot, and the loss takes integers
# code: SW8
# named: target | targets | label | labels | y_train | loss
# fix: loss="categorical_crossentropy", or labels without to_categorical
import numpy as np
from tensorflow import keras

x_train = np.random.randint(0, 500, (64, 40))
y_train = keras.utils.to_categorical(np.random.randint(0, 5, 64), 5)

model = keras.Sequential(
    [
        keras.layers.Embedding(500, 16),
        keras.layers.LSTM(16),
        keras.layers.Dense(5, activation="softmax"),
    ]
)
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
model.fit(x_train, y_train, batch_size=16, epochs=1, verbose=0)
