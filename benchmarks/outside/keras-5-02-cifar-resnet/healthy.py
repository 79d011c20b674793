import numpy as np
import keras
from keras import layers, regularizers

NUM_CLASSES = 10
WEIGHT_DECAY = 5e-4


def conv_bn(x, filters, k=3, stride=1, act=True):
    x = layers.Conv2D(filters, k, strides=stride, padding='same', use_bias=False,
                      kernel_initializer='he_normal',
                      kernel_regularizer=regularizers.l2(WEIGHT_DECAY))(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x) if act else x


def res_unit(x, filters, stride=1):
    y = conv_bn(x, filters, stride=stride)
    y = conv_bn(y, filters, act=False)
    if stride != 1 or x.shape[-1] != filters:
        x = conv_bn(x, filters, k=1, stride=stride, act=False)
    y = layers.Add()([x, y])
    return layers.ReLU()(y)


def stage(x, filters, blocks, first_stride):
    x = res_unit(x, filters, first_stride)
    for _ in range(blocks - 1):
        x = res_unit(x, filters)
    return x


def wide_resnet(input_shape=(32, 32, 3), n=1, widen=2):
    img = keras.Input(input_shape)
    x = conv_bn(img, 16)
    x = stage(x, 16 * widen, n, 1)
    x = stage(x, 32 * widen, n, 2)
    x = stage(x, 64 * widen, n, 2)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(NUM_CLASSES, activation='softmax')(x)
    return keras.Model(img, x, name='wrn-%d-%d' % (6 * n + 4, widen))


class StepDecay(keras.callbacks.Callback):
    def __init__(self, lr, drops):
        super().__init__()
        self.lr, self.drops = lr, drops

    def on_epoch_begin(self, epoch, logs=None):
        lr = self.lr * 0.2 ** sum(epoch >= d for d in self.drops)
        self.model.optimizer.learning_rate.assign(lr)


# ---- data
rng = np.random.RandomState(1337)
x_train = rng.rand(96, 32, 32, 3).astype('float32')
y_train = rng.randint(0, NUM_CLASSES, (96, 1))
x_test = rng.rand(32, 32, 32, 3).astype('float32')
y_test = rng.randint(0, NUM_CLASSES, (32, 1))
mean = x_train.mean(axis=(0, 1, 2))
std = x_train.std(axis=(0, 1, 2))
x_train = (x_train - mean) / std
x_test = (x_test - mean) / std

net = wide_resnet()
print('params:', net.count_params())
net.compile(keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
            'sparse_categorical_crossentropy', metrics=['accuracy'])
net.fit(x_train, y_train, batch_size=32, epochs=1, verbose=2,
        validation_data=(x_test, y_test),
        callbacks=[StepDecay(0.1, [60, 120])])
