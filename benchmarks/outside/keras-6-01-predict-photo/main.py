"""flower classifier - train then run on the photos in the upload folder"""
import os
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(3)

SIZE = 48
CLASSES = ["daisy", "dandelion", "rose", "sunflower", "tulip"]
EPOCHS = 1


def fake_upload(n=3):
    """stand-in for the jpgs users send us: uint8, any size"""
    out = []
    for i in range(n):
        h, w = np.random.randint(60, 90, size=2)
        out.append(np.random.randint(0, 256, (h, w, 3), dtype="uint8"))
    return out


def prepare(img):
    h, w, _ = img.shape
    s = min(h, w)
    top, left = (h - s) // 2, (w - s) // 2
    img = img[top:top + s, left:left + s]
    img = keras.ops.image.resize(img.astype("float32"), (SIZE, SIZE))
    img = np.array(img) / 255.0
    return img


def make_model():
    model = keras.Sequential()
    model.add(layers.Input(shape=(SIZE, SIZE, 3)))
    model.add(layers.Conv2D(16, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(32, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(len(CLASSES), activation="softmax"))
    model.compile(optimizer="adam",
                  loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model


def classify(model, img):
    probs = model.predict(prepare(img), verbose=0)[0]
    best = int(np.argmax(probs))
    return CLASSES[best], float(probs[best])


if __name__ == "__main__":
    x_train = np.random.rand(120, SIZE, SIZE, 3).astype("float32")
    y_train = np.random.randint(0, len(CLASSES), 120)

    model = make_model()
    model.summary()
    model.fit(x_train, y_train, batch_size=32, epochs=EPOCHS,
              validation_split=0.1, verbose=2)

    for k, photo in enumerate(fake_upload()):
        name, p = classify(model, photo)
        print("photo %d: %s (%.2f)" % (k, name, p))
