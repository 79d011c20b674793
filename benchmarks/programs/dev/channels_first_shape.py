# An input shape with its channels first, for layers with their channels last.
#
# fault: input_shape=(1, 28, 28) without data_format="channels_first"
# code: SW5 SW7
# named: input_shape=(1, 28, 28) | conv1 | pool1 | conv2 | conv3
# fix: input_shape=(28, 28, 1)
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential

model = Sequential()
model.add(Conv2D(32, (5, 5), padding="valid", activation="relu", input_shape=(1, 28, 28), name="conv1"))
model.add(MaxPooling2D(pool_size=(2, 2), name="pool1"))
model.add(Flatten())
model.add(Dense(10, activation="softmax"))
