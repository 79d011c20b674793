# A sequence-to-sequence model: the states of a two-way encoder are concatenated for a decoder of half the size.
#
# fault: the decoder has 64 units, the states that it starts from have 128
# code: SW6 SW1
# named: decoder | LSTM(latent, return_sequences=True, name="decoder")
# fix: LSTM(2 * latent, …) as the decoder
import keras
import numpy as np
from keras.layers import LSTM, Bidirectional, Concatenate, Dense

latent = 64
encoder_inputs = keras.Input((None, 30))
_, fh, fc, bh, bc = Bidirectional(LSTM(latent, return_state=True), name="encoder")(encoder_inputs)
state_h = Concatenate()([fh, bh])
state_c = Concatenate()([fc, bc])
decoder_inputs = keras.Input((None, 40))
decoded = LSTM(latent, return_sequences=True, name="decoder")(decoder_inputs, initial_state=[state_h, state_c])
outputs = Dense(40, activation="softmax")(decoded)
model = keras.Model([encoder_inputs, decoder_inputs], outputs)
model.compile("adam", "categorical_crossentropy")
source, heard, said = np.random.rand(16, 9, 30), np.random.rand(16, 7, 40), np.random.rand(16, 7, 40)
model.fit([source, heard], said, epochs=1, verbose=0)
