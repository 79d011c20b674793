# A discriminator in a loop of one's own is given flat pictures.
#
# fault: real pictures are [64, 784], the discriminator takes 28 x 28 x 1
# code: SW6 SW7 SW5
# named: input | real | discriminator
# fix: real = tf.reshape(real, [-1, 28, 28, 1])
import tensorflow as tf
from tensorflow.keras import layers

discriminator = tf.keras.Sequential(
    [layers.Conv2D(16, 5, strides=2, padding="same"), layers.LeakyReLU(), layers.Flatten(), layers.Dense(1)]
)
generator = tf.keras.Sequential([layers.Dense(784, activation="tanh")])


@tf.function
def train_step(real):
    noise = tf.random.normal([64, 100])
    with tf.GradientTape() as tape:
        fake = tf.reshape(generator(noise), [-1, 28, 28, 1])
        loss = tf.reduce_mean(discriminator(fake)) - tf.reduce_mean(discriminator(real))
    return tape.gradient(loss, discriminator.trainable_variables)


train_step(tf.random.normal([64, 784]))
