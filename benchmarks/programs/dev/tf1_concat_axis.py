# Two groups of features are put one under the other.
#
# fault: tf.concat along axis 0, features are on axis 1
# code: SW4
# named: tf.concat([categorical, numeric], 0) | concat
# fix: tf.concat([categorical, numeric], 1)
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

numeric = tf.placeholder(tf.float32, [None, 13], name="numeric")
categorical = tf.placeholder(tf.float32, [None, 26], name="categorical")
features = tf.concat([categorical, numeric], 0)
weights = tf.get_variable("weights", [39, 1])
score = tf.sigmoid(tf.matmul(features, weights))
