# Linear regression with a row of weights where a column is needed.
#
# fault: W is [1, 3], a sample has 3 features
# code: SW1
# named: W | tf.matmul(x, W)
# fix: W = tf.Variable(tf.random.normal([3, 1]))
import tensorflow as tf

W = tf.Variable(tf.random.normal([1, 3]), name="W")
b = tf.Variable(0.0, name="b")


@tf.function
def predict(x):
    return tf.matmul(x, W) + b


x = tf.random.normal([50, 3])
y = tf.random.normal([50, 1])
optimizer = tf.optimizers.SGD(0.1)
for _ in range(2):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(predict(x) - y))
    optimizer.apply_gradients(zip(tape.gradient(loss, [W, b]), [W, b], strict=True))
