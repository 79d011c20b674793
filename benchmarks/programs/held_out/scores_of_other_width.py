# Scores of attention from queries and keys of different sizes.
#
# fault: queries have 32 numbers, keys 64
# code: SW1
# named: queries | keys
# fix: Dense(64, …) for both
import keras
from keras import layers

text = keras.Input((20, 128))
question = keras.Input((8, 128))
queries = layers.Dense(32, name="queries")(question)
keys = layers.Dense(64, name="keys")(text)
values = layers.Dense(64, name="values")(text)
scores = layers.Dot(axes=(2, 2), name="scores")([queries, keys])
weights = layers.Softmax()(scores)
attended = layers.Dot(axes=(2, 1))([weights, values])
model = keras.Model([text, question], attended)
