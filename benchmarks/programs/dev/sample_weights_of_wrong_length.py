# Weights for the classes are passed as weights of samples.
#
# fault: 3 sample weights for 60 samples
# code: SW8
# named: weights | sample_weight
# fix: class_weight=dict(enumerate(weights))
import keras
import numpy as np
from keras import layers

x, y = np.random.rand(60, 5), np.random.randint(0, 3, 60)
weights = np.array([1.0, 2.0, 0.5])
model = keras.Sequential([layers.Dense(8), layers.Dense(3, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, sample_weight=weights, verbose=0)
