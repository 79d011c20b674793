# A tagger: one label for every word, and one answer for every sentence.
#
# fault: the LSTM does not return sequences
# code: SW8
# named: tagger | LSTM(32, name="tagger") | target | labels | tags
# fix: return_sequences=True
import keras
import numpy as np
from keras import layers

words = np.random.randint(0, 200, (32, 12))
tags = np.random.randint(0, 7, (32, 12))

model = keras.Sequential()
model.add(layers.Embedding(200, 16))
model.add(layers.LSTM(32, name="tagger"))
model.add(layers.Dense(7, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
model.fit(words, tags, epochs=1, verbose=0)
