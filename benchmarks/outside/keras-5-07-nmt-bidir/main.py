import numpy as np
from keras.models import Model
from keras.layers import Input, LSTM, Dense, Embedding, Bidirectional, Concatenate, Attention

MAX_SRC, MAX_TGT = 14, 17
src_vocab, tgt_vocab = 120, 150
EMB = 24
LATENT = 32


class Corpus:
    """toy en-de pairs, already integer encoded"""

    def __init__(self, n=64, seed=3):
        r = np.random.default_rng(seed)
        self.src = r.integers(1, src_vocab, (n, MAX_SRC))
        tgt = r.integers(3, tgt_vocab, (n, MAX_TGT))
        tgt[:, 0] = 1
        tgt[:, -1] = 2
        self.dec_in = tgt[:, :-1]
        self.dec_out = tgt[:, 1:]


def build_training_model():
    # encoder
    enc_in = Input(shape=(None,), name='enc_in')
    enc_emb = Embedding(src_vocab, EMB, mask_zero=False)(enc_in)
    encoder = Bidirectional(LSTM(LATENT, return_sequences=True, return_state=True), name='encoder')
    enc_out, fh, fc, bh, bc = encoder(enc_emb)
    state_h = Concatenate()([fh, bh])
    state_c = Concatenate()([fc, bc])
    enc_states = [state_h, state_c]

    # decoder
    dec_in = Input(shape=(None,), name='dec_in')
    dec_emb_layer = Embedding(tgt_vocab, EMB)
    dec_lstm = LSTM(LATENT, return_sequences=True, return_state=True, name='decoder')
    dec_out, _, _ = dec_lstm(dec_emb_layer(dec_in), initial_state=enc_states)

    ctx = Attention()([dec_out, enc_out])
    merged = Concatenate(axis=-1)([dec_out, ctx])
    dense = Dense(tgt_vocab, activation='softmax')
    pred = dense(merged)
    model = Model([enc_in, dec_in], pred)

    parts = dict(enc_in=enc_in, enc_out=enc_out, states=enc_states, emb=dec_emb_layer,
                 lstm=dec_lstm, dense=dense)
    return model, parts


def greedy(model, src, max_len=6):
    out = np.ones((len(src), 1), dtype=int)
    for _ in range(max_len):
        p = model.predict([src, out], verbose=0)
        nxt = p[:, -1].argmax(-1)
        out = np.concatenate([out, nxt[:, None]], axis=1)
    return out


if __name__ == '__main__':
    c = Corpus()
    model, parts = build_training_model()
    model.compile(optimizer='rmsprop', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    model.summary()
    model.fit([c.src, c.dec_in], c.dec_out, batch_size=16, epochs=1, validation_split=0.2, verbose=2)
    print(greedy(model, c.src[:2], 3))
