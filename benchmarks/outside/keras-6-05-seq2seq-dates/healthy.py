"""Human readable dates -> ISO dates, encoder/decoder with teacher forcing."""
import random
import numpy as np
import keras
from keras.layers import Input, LSTM, Bidirectional, Dense, Concatenate, Embedding
from keras.models import Model

random.seed(5)
keras.utils.set_random_seed(5)

latent_dim = 32
emb_dim = 16
batch_size = 32

months = ["january", "february", "march", "april", "may", "june", "july", "august",
          "september", "october", "november", "december"]


def make_pair():
    y, m, d = random.randint(1950, 2020), random.randint(1, 12), random.randint(1, 28)
    human = "%d %s %d" % (d, months[m - 1], y)
    return human, "\t%04d-%02d-%02d\n" % (y, m, d)


pairs = [make_pair() for _ in range(200)]
src_chars = sorted(set("".join(p[0] for p in pairs)))
tgt_chars = sorted(set("".join(p[1] for p in pairs)))
src_idx = {c: i + 1 for i, c in enumerate(src_chars)}
tgt_idx = {c: i + 1 for i, c in enumerate(tgt_chars)}
max_src = max(len(p[0]) for p in pairs)
max_tgt = max(len(p[1]) for p in pairs)
n_src, n_tgt = len(src_chars) + 1, len(tgt_chars) + 1

enc_in = np.zeros((len(pairs), max_src), dtype="int32")
dec_in = np.zeros((len(pairs), max_tgt), dtype="int32")
dec_out = np.zeros((len(pairs), max_tgt), dtype="int32")
for i, (s, t) in enumerate(pairs):
    for k, c in enumerate(s):
        enc_in[i, k] = src_idx[c]
    for k, c in enumerate(t):
        dec_in[i, k] = tgt_idx[c]
        if k > 0:
            dec_out[i, k - 1] = tgt_idx[c]

# encoder
encoder_inputs = Input(shape=(None,))
x = Embedding(n_src, emb_dim)(encoder_inputs)
encoder = Bidirectional(LSTM(latent_dim, return_state=True))
_, fh, fc, bh, bc = encoder(x)
state_h = Concatenate()([fh, bh])
state_c = Concatenate()([fc, bc])
encoder_states = [state_h, state_c]

# decoder
decoder_inputs = Input(shape=(None,))
y = Embedding(n_tgt, emb_dim)(decoder_inputs)
decoder_lstm = LSTM(latent_dim * 2, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(y, initial_state=encoder_states)
decoder_dense = Dense(n_tgt, activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)

model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy")
model.fit([enc_in, dec_in], dec_out, batch_size=batch_size, epochs=1, verbose=2)
p = model.predict([enc_in[:2], dec_in[:2]], verbose=0)
print(p.shape, p.argmax(-1)[0])
