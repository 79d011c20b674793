# A recurrent cell written by hand.
#
# fault: the cell's weights take the state alone, and are given state and input side by side
# code: SW1
# named: Wa
# fix: Wa = tf.Variable(tf.random_normal([state_size + 1, state_size]))
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

steps, state_size = 15, 4
inputs = tf.placeholder(tf.float32, [5, steps])
init_state = tf.placeholder(tf.float32, [5, state_size])
Wa = tf.Variable(tf.random_normal([state_size, state_size]))
ba = tf.Variable(tf.zeros([1, state_size]))

state = init_state
for current in tf.unstack(inputs, axis=1):
    current = tf.reshape(current, [5, 1])
    both = tf.concat([current, state], 1)
    state = tf.tanh(tf.matmul(both, Wa) + ba)
