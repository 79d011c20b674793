# A factorisation multiplies two tables of factors without turning one.
#
# fault: items is [items, factors], the product wants [factors, items]
# code: SW1
# named: items | tf.matmul(users, items) | users
# fix: tf.matmul(users, items, transpose_b=True)
import tensorflow as tf

ratings = tf.random.uniform([30, 50], 0, 5)
users = tf.Variable(tf.random.normal([30, 8]), name="users")
items = tf.Variable(tf.random.normal([50, 8]), name="items")
optimizer = tf.keras.optimizers.SGD(0.1)
for _ in range(3):
    with tf.GradientTape() as tape:
        guessed = tf.matmul(users, items)
        loss = tf.reduce_mean((ratings - guessed) ** 2)
    gradients = tape.gradient(loss, [users, items])
    optimizer.apply_gradients(zip(gradients, [users, items], strict=True))
