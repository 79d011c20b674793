import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
tf1.disable_eager_execution()
tf1.set_random_seed(1)
np.random.seed(1)


def load_dataset():
    X_tr = np.random.randint(0, 256, (150, 32, 32, 3))
    Y_tr = np.random.randint(0, 6, (1, 150))
    X_te = np.random.randint(0, 256, (40, 32, 32, 3))
    Y_te = np.random.randint(0, 6, (1, 40))
    return X_tr, Y_tr, X_te, Y_te


def convert_to_one_hot(Y, C):
    return np.eye(C)[Y.reshape(-1)].T


def random_mini_batches(X, Y, size, seed):
    np.random.seed(seed)
    m = X.shape[0]
    perm = np.random.permutation(m)
    Xs, Ys = X[perm], Y[perm]
    return [(Xs[k:k + size], Ys[k:k + size]) for k in range(0, m - m % size, size)]


def create_placeholders(h, w, c, n_y):
    X = tf1.placeholder(tf.float32, shape=(None, h, w, c), name="X")
    Y = tf1.placeholder(tf.float32, shape=(None, n_y), name="Y")
    return X, Y


def initialize_parameters():
    init = tf1.glorot_uniform_initializer(seed=0)
    return {
        "W1": tf1.get_variable("W1", [4, 4, 3, 8], initializer=init),
        "W2": tf1.get_variable("W2", [2, 2, 8, 16], initializer=init),
        "W3": tf1.get_variable("W3", [64, 6], initializer=init),
        "b3": tf1.get_variable("b3", [6], initializer=tf1.zeros_initializer()),
    }


def forward_propagation(X, p):
    A1 = tf.nn.relu(tf.nn.conv2d(X, p["W1"], strides=[1, 1, 1, 1], padding="SAME"))
    P1 = tf.nn.max_pool2d(A1, ksize=[1, 8, 8, 1], strides=[1, 8, 8, 1], padding="SAME")
    A2 = tf.nn.relu(tf.nn.conv2d(P1, p["W2"], strides=[1, 1, 1, 1], padding="SAME"))
    P2 = tf.nn.max_pool2d(A2, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    F = tf.reshape(P2, [-1, 64])
    return tf.matmul(F, p["W3"]) + p["b3"]


X_train_orig, Y_train_orig, X_test_orig, Y_test_orig = load_dataset()
X_train = X_train_orig / 255.
X_test = X_test_orig / 255.
Y_train = convert_to_one_hot(Y_train_orig, 6).T
Y_test = convert_to_one_hot(Y_test_orig, 6).T
print("number of training examples = " + str(X_train.shape[0]))
print("number of test examples = " + str(X_test.shape[0]))

(m, n_H0, n_W0, n_C0) = X_train.shape
X, Y = create_placeholders(n_H0, n_W0, n_C0, Y_train.shape[1])
parameters = initialize_parameters()
Z3 = forward_propagation(X, parameters)
cost = tf.reduce_mean(tf1.nn.softmax_cross_entropy_with_logits_v2(logits=Z3, labels=Y))
optimizer = tf1.train.AdamOptimizer(0.009).minimize(cost)
predict_op = tf.argmax(Z3, 1)
correct_prediction = tf.equal(predict_op, tf.argmax(Y, 1))
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

with tf1.Session() as sess:
    sess.run(tf1.global_variables_initializer())
    seed = 3
    for epoch in range(2):
        epoch_cost = 0.
        seed += 1
        batches = random_mini_batches(X_train, Y_train, 50, seed)
        for bx, by in batches:
            _, c = sess.run([optimizer, cost], feed_dict={X: bx, Y: by})
            epoch_cost += c / len(batches)
        print("Cost after epoch %i: %f" % (epoch, epoch_cost))
    print("Train Accuracy:", accuracy.eval({X: X_train, Y: Y_train}))
    print("Test Accuracy:", accuracy.eval({X: X_test, Y: Y_test}))
