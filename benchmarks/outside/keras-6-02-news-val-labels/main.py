import numpy as np
import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras.utils import to_categorical, pad_sequences

np.random.seed(0)
tf.random.set_seed(0)

VOCAB = 2000
MAXLEN = 50
NB_CLASSES = 8
BATCH = 32


def load_news(n, vocab=VOCAB):
    """same format as the csv export: list of token id lists + topic id"""
    texts, topics = [], []
    for _ in range(n):
        L = np.random.randint(10, 90)
        texts.append(np.random.randint(1, vocab, L).tolist())
        topics.append(np.random.randint(0, NB_CLASSES))
    return texts, np.array(topics)


class NewsNet(tf.keras.Model):
    def __init__(self, vocab, n_classes, emb=32, filters=48):
        super().__init__()
        self.emb = layers.Embedding(vocab, emb)
        self.convs = [layers.Conv1D(filters, k, activation="relu") for k in (3, 4, 5)]
        self.pool = layers.GlobalMaxPooling1D()
        self.drop = layers.Dropout(0.5)
        self.out = layers.Dense(n_classes, activation="softmax")

    def call(self, ids, training=False):
        x = self.emb(ids)
        feats = [self.pool(conv(x)) for conv in self.convs]
        x = tf.concat(feats, axis=-1)
        x = self.drop(x, training=training)
        return self.out(x)


train_texts, train_topics = load_news(256)
val_texts, val_topics = load_news(64)
test_texts, test_topics = load_news(64)

x_train = pad_sequences(train_texts, maxlen=MAXLEN)
x_val = pad_sequences(val_texts, maxlen=MAXLEN)
x_test = pad_sequences(test_texts, maxlen=MAXLEN)

y_train = to_categorical(train_topics, NB_CLASSES)
y_val = val_topics
y_test = to_categorical(test_topics, NB_CLASSES)

print("train", x_train.shape, "val", x_val.shape, "test", x_test.shape)

model = NewsNet(VOCAB, NB_CLASSES)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

history = model.fit(x_train, y_train,
                    batch_size=BATCH,
                    epochs=1,
                    validation_data=(x_val, y_val),
                    verbose=2)

score = model.evaluate(x_test, y_test, verbose=0)
print("test loss / acc:", score)
