# The validation labels were made one-hot by themselves, and lack a class.
#
# fault: validation labels have 4 columns, training labels have 5
# code: SW8
# named: target | targets | labels | val_labels | validation | y
# fix: to_categorical(…, num_classes=5)
import keras
import numpy as np

train_x, val_x = np.random.rand(100, 16), np.random.rand(40, 16)
train_labels = keras.utils.to_categorical(np.arange(100) % 5)
val_labels = keras.utils.to_categorical(np.arange(40) % 4)

model = keras.Sequential(
    [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(5, activation="softmax", name="class")]
)
model.compile("adam", "categorical_crossentropy")
model.fit(train_x, train_labels, validation_data=(val_x, val_labels), epochs=1, verbose=0)
