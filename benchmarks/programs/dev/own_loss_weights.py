# A loss of one's own with a weight for each class.
#
# fault: three weights for four classes
# code: SW2 SW8
# named: weights | class_weights | y_true * tf.math.log(y_pred) * class_weights
# fix: a fourth weight
import keras
import numpy as np
import tensorflow as tf
from keras import layers

class_weights = tf.constant([1.0, 2.0, 5.0])


def weighted_crossentropy(y_true, y_pred):
    y_pred = tf.clip_by_value(y_pred, 1e-7, 1.0)
    return -tf.reduce_sum(y_true * tf.math.log(y_pred) * class_weights, axis=-1)


x = np.random.rand(40, 6)
y = keras.utils.to_categorical(np.random.randint(0, 4, 40), 4)
model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(4, activation="softmax")])
model.compile("adam", weighted_crossentropy)
model.fit(x, y, epochs=1, verbose=0)
