import numpy as np
import tensorflow as tf
from tensorflow.keras.models import Model
from tensorflow.keras.layers import *
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.callbacks import EarlyStopping, ReduceLROnPlateau

classes = ['daisy', 'dandelion', 'roses', 'sunflowers', 'tulips']
img_size = 64
bs = 8

# ------------------------------------------------------------------ data
train_images = np.random.randint(0, 256, (32, img_size, img_size, 3)).astype('float32') / 255.
train_labels = np.random.randint(0, len(classes), 32)
val_images = np.random.randint(0, 256, (16, img_size, img_size, 3)).astype('float32') / 255.
val_labels = np.random.randint(0, len(classes), 16)

train_gen = tf.data.Dataset.from_tensor_slices((train_images, train_labels)).shuffle(32).batch(bs)
val_gen = tf.data.Dataset.from_tensor_slices((val_images, val_labels)).batch(bs)


# ------------------------------------------------------------------ model
def inception_module(prev, f1, f3r, f3, f5r, f5, fpool, name=None):
    b1 = Conv2D(f1, (1, 1), padding='same', activation='relu')(prev)

    b3 = Conv2D(f3r, (1, 1), padding='same', activation='relu')(prev)
    b3 = Conv2D(f3, (3, 3), padding='same', activation='relu')(b3)

    b5 = Conv2D(f5r, (1, 1), padding='same', activation='relu')(prev)
    b5 = Conv2D(f5, (5, 5), padding='same', activation='relu')(b5)

    bp = MaxPooling2D((3, 3), strides=(1, 1), padding='same')(prev)
    bp = Conv2D(fpool, (1, 1), padding='same', activation='relu')(bp)

    return concatenate([b1, b3, b5, bp], axis=3, name=name)


def mini_googlenet(n_out):
    inp = Input(shape=(img_size, img_size, 3))
    x = Conv2D(16, (7, 7), padding='same', strides=(2, 2), activation='relu', name='stem')(inp)
    x = MaxPooling2D((3, 3), padding='same', strides=(2, 2))(x)
    x = Conv2D(32, (3, 3), padding='same', activation='relu')(x)

    x = inception_module(x, 8, 12, 16, 4, 8, 8, name='inception_3a')
    x = inception_module(x, 16, 16, 24, 4, 12, 8, name='inception_3b')
    x = MaxPooling2D((3, 3), padding='same', strides=(2, 2))(x)
    x = inception_module(x, 24, 12, 26, 4, 6, 8, name='inception_4a')

    x = GlobalAveragePooling2D()(x)
    x = Dropout(0.4)(x)
    x = Dense(n_out, activation='softmax', name='output')(x)
    return Model(inp, x, name='mini_googlenet')


model = mini_googlenet(len(classes))
model.summary()
model.compile(optimizer=Adam(1e-3), loss='sparse_categorical_crossentropy', metrics=['accuracy'])

cbs = [EarlyStopping(patience=5, restore_best_weights=True), ReduceLROnPlateau(patience=2)]
hist = model.fit(train_gen, validation_data=val_gen, epochs=1, callbacks=cbs, verbose=2)

pred = np.argmax(model.predict(val_images, verbose=0), axis=1)
print('sample:', [classes[i] for i in pred[:5]])
