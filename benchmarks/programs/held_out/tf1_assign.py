# A table of vectors is put in the place of another of another width.
#
# fault: the vectors have 50 numbers, the variable has 100
# code: SW9 SW6 SW2
# named: embedding | vectors
# fix: tf.get_variable("embedding", [400, 50])
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

vectors = np.random.rand(400, 50).astype("float32")
embedding = tf.get_variable("embedding", [400, 100], trainable=False)
fill = embedding.assign(vectors)
