# A tf.data pipeline without its batch().
#
# fault: the dataset is not batched
# code: SW6 SW7 SW8
# named: input | dataset | batch | sequential | dense | hidden
# fix: dataset.batch(32)
import numpy as np
import tensorflow as tf

features = np.random.rand(200, 10).astype("float32")
targets = np.random.randint(0, 3, 200)
dataset = tf.data.Dataset.from_tensor_slices((features, targets)).shuffle(200)

model = tf.keras.Sequential(
    [
        tf.keras.Input((10,)),
        tf.keras.layers.Dense(16, activation="relu", name="hidden"),
        tf.keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(dataset, epochs=1, verbose=0)
