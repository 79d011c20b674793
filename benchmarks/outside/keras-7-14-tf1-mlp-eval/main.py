"""MNIST style MLP, TF1 graph and session."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

n_input = 784
n_hidden_1 = 64
n_hidden_2 = 32
n_classes = 10
learning_rate = 0.01
training_epochs = 2
batch_size = 50


def dense_to_one_hot(labels, num_classes):
    out = np.zeros((labels.shape[0], num_classes), dtype=np.float32)
    out[np.arange(labels.shape[0]), labels] = 1.0
    return out


def load(n, seed):
    rng = np.random.RandomState(seed)
    images = rng.rand(n, 28, 28).astype(np.float32).reshape(n, n_input)
    labels = rng.randint(0, n_classes, size=n)
    return images, labels


train_x, train_y = load(300, 0)
test_x, test_y = load(100, 1)


def next_batch(i):
    s = slice(i * batch_size, (i + 1) * batch_size)
    return train_x[s], dense_to_one_hot(train_y[s], n_classes)


x = tf.placeholder(tf.float32, [None, n_input], name="x")
y = tf.placeholder(tf.float32, [None, n_classes], name="y")
keep_prob = tf.placeholder_with_default(1.0, [], name="keep_prob")

weights = {
    "h1": tf.Variable(tf.random_normal([n_input, n_hidden_1], stddev=0.1)),
    "h2": tf.Variable(tf.random_normal([n_hidden_1, n_hidden_2], stddev=0.1)),
    "out": tf.Variable(tf.random_normal([n_hidden_2, n_classes], stddev=0.1)),
}
biases = {
    "b1": tf.Variable(tf.zeros([n_hidden_1])),
    "b2": tf.Variable(tf.zeros([n_hidden_2])),
    "out": tf.Variable(tf.zeros([n_classes])),
}


def multilayer_perceptron(x):
    layer_1 = tf.nn.relu(tf.add(tf.matmul(x, weights["h1"]), biases["b1"]))
    layer_2 = tf.nn.relu(tf.add(tf.matmul(layer_1, weights["h2"]), biases["b2"]))
    layer_2 = tf.nn.dropout(layer_2, rate=1 - keep_prob)
    return tf.matmul(layer_2, weights["out"]) + biases["out"]


logits = multilayer_perceptron(x)
cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y))
train_op = tf.train.AdamOptimizer(learning_rate).minimize(cost)
correct = tf.equal(tf.argmax(logits, 1), tf.argmax(y, 1))
accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for epoch in range(training_epochs):
        avg_cost = 0.0
        total_batch = len(train_x) // batch_size
        for i in range(total_batch):
            bx, by = next_batch(i)
            _, c = sess.run([train_op, cost], feed_dict={x: bx, y: by, keep_prob: 0.8})
            avg_cost += c / total_batch
        print("Epoch:", epoch + 1, "cost = {:.5f}".format(avg_cost))
    print("Test accuracy:", sess.run(accuracy, feed_dict={x: test_x, y: test_y}))
