import numpy as np
import tensorflow as tf


def xavier(shape):
    fan_in = np.prod(shape[:-1])
    return tf.random.truncated_normal(shape, stddev=np.sqrt(1.0 / fan_in))


def conv2d(x, W, b, strides=1):
    x = tf.nn.conv2d(x, W, strides=[1, strides, strides, 1], padding='SAME')
    x = tf.nn.bias_add(x, b)
    return tf.nn.relu(x)


def maxpool2d(x, k=2):
    return tf.nn.max_pool2d(x, ksize=k, strides=k, padding='SAME')


class ConvNet(tf.Module):
    def __init__(self, n_classes, channels=3, name=None):
        super().__init__(name=name)
        self.weights = {
            'wc1': tf.Variable(xavier([5, 5, channels, 32])),
            'wc2': tf.Variable(xavier([5, 5, 32, 64])),
            'wd1': tf.Variable(xavier([8 * 8 * 64, 128])),
            'out': tf.Variable(xavier([128, n_classes])),
        }
        self.biases = {
            'bc1': tf.Variable(tf.zeros([32])),
            'bc2': tf.Variable(tf.zeros([64])),
            'bd1': tf.Variable(tf.zeros([128])),
            'out': tf.Variable(tf.zeros([n_classes])),
        }

    def __call__(self, x, is_training=False):
        conv1 = maxpool2d(conv2d(x, self.weights['wc1'], self.biases['bc1']))
        conv2 = maxpool2d(conv2d(conv1, self.weights['wc2'], self.biases['bc2']))

        fc1 = tf.reshape(conv2, [-1, self.weights['wd1'].shape[0]])
        fc1 = tf.nn.relu(tf.matmul(fc1, self.weights['wd1']) + self.biases['bd1'])
        if is_training:
            fc1 = tf.nn.dropout(fc1, rate=0.25)
        return tf.matmul(fc1, self.weights['out']) + self.biases['out']


def cross_entropy(logits, labels):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def accuracy(logits, y):
    return tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1, output_type=tf.int32), y), tf.float32))


learning_rate = 0.01
training_steps = 6
batch_size = 50
display_step = 2

x_train = np.random.randint(0, 255, (200, 32, 32, 3)).astype(np.float32) / 255.
y_train = np.random.randint(0, 10, 200).astype(np.int32)

train_data = tf.data.Dataset.from_tensor_slices((x_train, y_train))
train_data = train_data.repeat().shuffle(200).batch(batch_size).prefetch(1)

net = ConvNet(10)


@tf.function
def run_optimization(x, y):
    with tf.GradientTape() as g:
        loss = cross_entropy(net(x, is_training=True), y)
    trainable = net.trainable_variables
    for v, grad in zip(trainable, g.gradient(loss, trainable)):
        v.assign_sub(learning_rate * grad)
    return loss


for step, (bx, by) in enumerate(train_data.take(training_steps), 1):
    run_optimization(bx, by)
    if step % display_step == 0:
        pred = net(bx)
        print("step: %i, loss: %f, accuracy: %f" % (step, cross_entropy(pred, by), accuracy(pred, by)))
