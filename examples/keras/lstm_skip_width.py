"""A tagger that adds each word's embedding to what the LSTM says of it, in twice as many numbers.

Fault: the LSTM gives 64 features for each word and the embedding has 32: [?, 12, 64] meets
[?, 12, 32]. One of the two has to be as wide as the other.
"""

import keras
import numpy as np
from keras import layers


def build_tagger(words=100, tags=9):
    tokens = keras.Input((12,), dtype="int32")
    embedded = layers.Embedding(words, 32, name="embed")(tokens)
    read = layers.LSTM(64, return_sequences=True, name="read")(embedded)
    features = layers.Add(name="skip")([read, embedded])
    features = layers.LayerNormalization(name="norm")(features)
    outputs = layers.Dense(tags, name="head")(features)
    return keras.Model(tokens, outputs)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    tokens = np.random.randint(0, 100, (4, 12))
    print("input", tokens.shape)
    model = build_tagger()
    print("output", tuple(model(tokens).shape))
