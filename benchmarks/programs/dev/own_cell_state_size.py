# A recurrent step by hand: the recurrent weights have the width of the input.
#
# fault: U is [12, 24], the state has 24 numbers
# code: SW1
# named: U | step
# fix: U = tf.Variable(tf.random.normal([24, 24]))
import tensorflow as tf

W = tf.Variable(tf.random.normal([12, 24]), name="W")
U = tf.Variable(tf.random.normal([12, 24]), name="U")
b = tf.Variable(tf.zeros([24]), name="b")


@tf.function
def read(sequence):
    state = tf.zeros([tf.shape(sequence)[0], 24])
    for step in tf.unstack(sequence, axis=1):
        state = tf.tanh(step @ W + state @ U + b)
    return state


print(read(tf.random.normal([4, 6, 12])).shape)
