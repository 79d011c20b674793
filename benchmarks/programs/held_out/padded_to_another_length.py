# Texts are padded to 100 words for a network that was built for 80.
#
# fault: maxlen=100 for a network that takes 80 words
# code: SW6 SW7 SW102
# named: input | texts | keras.Input((80,) | data | sequential | model | x | words
# fix: maxlen=80
import keras
import numpy as np

model = keras.Sequential(
    [
        keras.Input((80,), name="words"),
        keras.layers.Embedding(1000, 8, name="embedding"),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid", name="sentiment"),
    ]
)
model.compile("adam", "binary_crossentropy")
sequences = [list(range(length)) for length in np.random.randint(5, 60, 32)]
texts = keras.utils.pad_sequences(sequences, maxlen=100)
model.fit(texts, np.random.randint(0, 2, (32, 1)), epochs=1, verbose=0)
