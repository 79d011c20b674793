# A net for large pictures used on small ones.
#
# fault: four poolings and valid convolutions leave nothing of 28 pixels
# code: SW5
# named: conv4 | pool1 | pool2 | pool3 | pool4 | conv3
# fix: padding="same", or fewer poolings
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential

model = Sequential()
model.add(Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1), name="conv1"))
model.add(MaxPooling2D((2, 2), name="pool1"))
model.add(Conv2D(64, (3, 3), activation="relu", name="conv2"))
model.add(MaxPooling2D((2, 2), name="pool2"))
model.add(Conv2D(128, (3, 3), activation="relu", name="conv3"))
model.add(MaxPooling2D((2, 2), name="pool3"))
model.add(Conv2D(128, (3, 3), activation="relu", name="conv4"))
model.add(MaxPooling2D((2, 2), name="pool4"))
model.add(Flatten())
model.add(Dense(10, activation="softmax"))
