# transfer learning, 5 kinds of waste on the conveyor belt
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, Model
from tensorflow.keras.applications import MobileNetV2

tf.random.set_seed(2)
IMG = (64, 64)
LABELS = ['glass', 'metal', 'paper', 'plastic', 'trash']
NUM_LABELS = len(LABELS)


class WasteSequence(tf.keras.utils.PyDataset):
    def __init__(self, n, batch_size, train=True, **kw):
        super().__init__(**kw)
        rs = np.random.RandomState(0 if train else 1)
        self.x = rs.randint(0, 256, (n,) + IMG + (3,)).astype('float32')
        self.y = rs.randint(0, NUM_LABELS, n)
        self.bs = batch_size

    def __len__(self):
        return int(np.ceil(len(self.x) / self.bs))

    def __getitem__(self, i):
        sl = slice(i * self.bs, (i + 1) * self.bs)
        return self.x[sl] / 127.5 - 1.0, self.y[sl]


def get_model(trainable=False):
    # weights='imagenet' on the server
    base_model = MobileNetV2(input_shape=IMG + (3,), alpha=0.35,
                             include_top=False, weights=None)
    base_model.trainable = trainable

    inputs = tf.keras.Input(shape=IMG + (3,))
    x = base_model(inputs, training=False)
    x = layers.Dense(64, activation='relu')(x)
    x = layers.Dropout(0.2)(x)
    preds = layers.Dense(NUM_LABELS, activation='softmax')(x)
    return Model(inputs, preds)


train_gen = WasteSequence(48, 16)
val_gen = WasteSequence(16, 16, train=False)

model = get_model()
model.compile(optimizer=tf.keras.optimizers.Adam(1e-4),
              loss='sparse_categorical_crossentropy',
              metrics=['accuracy'])
print('trainable weights:', len(model.trainable_weights))

history = model.fit(train_gen, validation_data=val_gen, epochs=1, verbose=2)
print({k: round(float(v[-1]), 3) for k, v in history.history.items()})
