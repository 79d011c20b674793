# A training loop of one's own gives one-hot rows to a sparse loss.
#
# fault: the loss takes class numbers, labels are one-hot
# code: SW8
# named: target | targets | labels | y | sparse_categorical_crossentropy
# fix: CategoricalCrossentropy, or labels that are numbers
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Dense(32, activation="relu"), tf.keras.layers.Dense(5)])
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam()
x = tf.random.normal([64, 20])
labels = tf.one_hot(tf.random.uniform([64], 0, 5, tf.int32), 5)


@tf.function
def step(x, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


print(step(x, labels))
