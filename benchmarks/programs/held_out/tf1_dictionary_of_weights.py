# A perceptron whose weights are kept in a dictionary.
#
# fault: weights["out"] takes n_hidden_1 numbers, the second layer gives n_hidden_2
# code: SW1
# named: out | weights["out"] | "out": tf.Variable(tf.random_normal([n_hidden_1, n_classes]))
# fix: [n_hidden_2, n_classes]
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

n_hidden_1, n_hidden_2, n_input, n_classes = 256, 128, 784, 10
weights = {
    "h1": tf.Variable(tf.random_normal([n_input, n_hidden_1])),
    "h2": tf.Variable(tf.random_normal([n_hidden_1, n_hidden_2])),
    "out": tf.Variable(tf.random_normal([n_hidden_1, n_classes])),
}
biases = {
    "b1": tf.Variable(tf.random_normal([n_hidden_1])),
    "b2": tf.Variable(tf.random_normal([n_hidden_2])),
    "out": tf.Variable(tf.random_normal([n_classes])),
}


def multilayer_perceptron(x):
    layer_1 = tf.nn.relu(tf.add(tf.matmul(x, weights["h1"]), biases["b1"]))
    layer_2 = tf.nn.relu(tf.add(tf.matmul(layer_1, weights["h2"]), biases["b2"]))
    return tf.matmul(layer_2, weights["out"]) + biases["out"]


X = tf.placeholder(tf.float32, [None, n_input])
logits = multilayer_perceptron(X)
