import re
import string
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import TextVectorization, Embedding, Conv1D, GlobalMaxPooling1D, Dense, Dropout
from tensorflow.keras.models import Sequential
from tensorflow.keras.utils import to_categorical

# train.csv columns: Class Index, Title, Description
# 1-World, 2-Sports, 3-Business, 4-Sci/Tech
CLASS_NAMES = ["World", "Sports", "Business", "Sci/Tech"]
WORDS = ("oil market team coach election minister chip software goal bank police "
         "league stocks space nasa president court deal profit win").split()

max_features = 500
maxlen = 40
emb_dim = 32


def read_csv(n, seed):
    rs = np.random.RandomState(seed)
    rows = []
    for _ in range(n):
        idx = rs.randint(1, 5)
        title = " ".join(rs.choice(WORDS, 5))
        desc = " ".join(rs.choice(WORDS, 25)) + "."
        rows.append((idx, title, desc))
    return rows


def clean(s):
    s = s.lower()
    s = re.sub(r"https?://\S+", " ", s)
    return re.sub("[%s]" % re.escape(string.punctuation), "", s)


def to_xy(rows):
    texts = [clean(t + " " + d) for _, t, d in rows]
    labels = np.array([r[0] for r in rows])
    return np.array(texts), to_categorical(labels)


train_rows = read_csv(128, 0)
test_rows = read_csv(32, 1)
train_rows[0] = (4,) + train_rows[0][1:]
test_rows[0] = (4,) + test_rows[0][1:]
X_train, y_train = to_xy(train_rows)
X_test, y_test = to_xy(test_rows)

vec = TextVectorization(max_tokens=max_features, output_sequence_length=maxlen)
vec.adapt(X_train)
X_train = vec(X_train).numpy()
X_test = vec(X_test).numpy()

model = Sequential([
    Embedding(max_features, emb_dim),
    Conv1D(64, 5, activation="relu"),
    GlobalMaxPooling1D(),
    Dropout(0.3),
    Dense(32, activation="relu"),
    Dense(len(CLASS_NAMES), activation="softmax"),
])
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

history = model.fit(X_train, y_train, epochs=1, batch_size=32,
                    validation_data=(X_test, y_test), verbose=2)
loss, acc = model.evaluate(X_test, y_test, verbose=0)
print("test acc %.3f" % acc)

headline = "nasa software chip deal"
p = model.predict(vec(np.array([clean(headline)])), verbose=0)[0]
print(headline, "->", CLASS_NAMES[int(np.argmax(p))])
