# The weights after the last pooling are for another number of pixels.
#
# fault: w_fc takes 8*8*64 numbers, there are 7*7*64
# code: SW1
# named: w_fc
# fix: [7 * 7 * 64, 256]
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

images = tf.placeholder(tf.float32, [None, 28, 28, 1])
w1 = tf.Variable(tf.truncated_normal([5, 5, 1, 32], stddev=0.1), name="w1")
w2 = tf.Variable(tf.truncated_normal([5, 5, 32, 64], stddev=0.1), name="w2")
net = tf.nn.relu(tf.nn.conv2d(images, w1, [1, 1, 1, 1], "SAME"))
net = tf.nn.max_pool(net, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
net = tf.nn.relu(tf.nn.conv2d(net, w2, [1, 1, 1, 1], "SAME"))
net = tf.nn.max_pool(net, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
flat = tf.reshape(net, [-1, net.shape[1:].num_elements()])
w_fc = tf.Variable(tf.truncated_normal([8 * 8 * 64, 256], stddev=0.1), name="w_fc")
b_fc = tf.Variable(tf.zeros([256]), name="b_fc")
fc = tf.nn.relu(tf.matmul(flat, w_fc) + b_fc)
