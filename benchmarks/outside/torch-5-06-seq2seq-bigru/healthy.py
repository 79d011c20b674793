import random
import torch
import torch.nn as nn
import torch.nn.functional as F

PAD, SOS, EOS = 0, 1, 2
SRC_VOCAB, TRG_VOCAB = 60, 50
MAX_LEN = 18


class Encoder(nn.Module):
    def __init__(self, vocab, emb_dim, enc_hid, dec_hid, dropout):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb_dim, padding_idx=PAD)
        self.rnn = nn.GRU(emb_dim, enc_hid, bidirectional=True)
        self.fc = nn.Linear(enc_hid * 2, dec_hid)
        self.dropout = nn.Dropout(dropout)

    def forward(self, src, src_len):
        embedded = self.dropout(self.embedding(src))
        packed = nn.utils.rnn.pack_padded_sequence(embedded, src_len, enforce_sorted=False)
        outputs, hidden = self.rnn(packed)
        outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs, total_length=src.shape[0])
        hidden = torch.tanh(self.fc(torch.cat((hidden[-2], hidden[-1]), dim=1)))
        return outputs, hidden


class Attention(nn.Module):
    def __init__(self, enc_hid, dec_hid):
        super().__init__()
        self.attn = nn.Linear(enc_hid * 2 + dec_hid, dec_hid)
        self.v = nn.Linear(dec_hid, 1, bias=False)

    def forward(self, hidden, encoder_outputs, mask):
        src_len = encoder_outputs.shape[0]
        hidden = hidden.unsqueeze(1).repeat(1, src_len, 1)
        encoder_outputs = encoder_outputs.permute(1, 0, 2)
        energy = torch.tanh(self.attn(torch.cat((hidden, encoder_outputs), dim=2)))
        scores = self.v(energy).squeeze(2)
        scores = scores.masked_fill(mask == 0, -1e10)
        return F.softmax(scores, dim=1)


class Decoder(nn.Module):
    def __init__(self, vocab, emb_dim, enc_hid, dec_hid, dropout, attention):
        super().__init__()
        self.vocab = vocab
        self.attention = attention
        self.embedding = nn.Embedding(vocab, emb_dim)
        self.rnn = nn.GRU(enc_hid * 2 + emb_dim, dec_hid)
        self.fc_out = nn.Linear(enc_hid * 2 + dec_hid + emb_dim, vocab)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tok, hidden, encoder_outputs, mask):
        embedded = self.dropout(self.embedding(tok.unsqueeze(0)))
        a = self.attention(hidden, encoder_outputs, mask).unsqueeze(1)
        weighted = torch.bmm(a, encoder_outputs.permute(1, 0, 2)).permute(1, 0, 2)
        output, hidden = self.rnn(torch.cat((embedded, weighted), dim=2), hidden.unsqueeze(0))
        pred = self.fc_out(torch.cat((output.squeeze(0), weighted.squeeze(0), embedded.squeeze(0)), dim=1))
        return pred, hidden.squeeze(0)


class Seq2Seq(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, src, src_len, trg, tf_ratio=0.5):
        T, B = trg.shape
        outs = torch.zeros(T, B, self.decoder.vocab)
        enc_out, hidden = self.encoder(src, src_len)
        mask = (src != PAD).permute(1, 0)
        tok = trg[0]
        for t in range(1, T):
            pred, hidden = self.decoder(tok, hidden, enc_out, mask)
            outs[t] = pred
            tok = trg[t] if random.random() < tf_ratio else pred.argmax(1)
        return outs


def get_batch(bs=16):
    lens = torch.randint(4, MAX_LEN + 1, (bs,))
    src = torch.randint(3, SRC_VOCAB, (MAX_LEN, bs))
    for i, l in enumerate(lens):
        src[l:, i] = PAD
    trg = torch.randint(3, TRG_VOCAB, (9, bs))
    trg[0], trg[-1] = SOS, EOS
    return src, lens, trg


torch.manual_seed(1234)
random.seed(1234)
attn = Attention(32, 40)
model = Seq2Seq(Encoder(SRC_VOCAB, 24, 32, 40, 0.3), Decoder(TRG_VOCAB, 24, 32, 40, 0.3, attn))
optimizer = torch.optim.Adam(model.parameters())
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
for step in range(6):
    src, lens, trg = get_batch()
    output = model(src, lens, trg)
    loss = criterion(output[1:].reshape(-1, output.shape[-1]), trg[1:].reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
    optimizer.step()
print("final loss", round(loss.item(), 3))
