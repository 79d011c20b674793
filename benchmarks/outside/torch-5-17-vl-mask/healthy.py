import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, DataLoader

PAD_ID = 0
VOCAB = 200
N_ANSWERS = 15


class ToyVQA(Dataset):
    def __init__(self, n=48, img_size=32):
        g = torch.Generator().manual_seed(5)
        self.images = torch.rand(n, 3, img_size, img_size, generator=g)
        self.questions = [torch.randint(1, VOCAB, (int(l),), generator=g)
                          for l in torch.randint(4, 14, (n,), generator=g)]
        self.answers = torch.randint(N_ANSWERS, (n,), generator=g)

    def __len__(self):
        return len(self.questions)

    def __getitem__(self, i):
        return {"image": self.images[i], "question": self.questions[i], "answer": self.answers[i]}


def vqa_collate(samples):
    q = pad_sequence([s["question"] for s in samples], batch_first=True, padding_value=PAD_ID)
    return {
        "image": torch.stack([s["image"] for s in samples]),
        "input_ids": q,
        "attention_mask": (q != PAD_ID).long(),
        "answer": torch.stack([s["answer"] for s in samples]),
    }


class PatchEmbed(nn.Module):
    def __init__(self, patch, dim):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, img):
        return self.proj(img).flatten(2).transpose(1, 2)


class VLTransformer(nn.Module):
    """single-stream (ViLT like) model"""

    def __init__(self, dim=48, heads=4, depth=2, patch=8, img_size=32, max_text=32):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, dim, padding_idx=PAD_ID)
        self.text_pos = nn.Embedding(max_text, dim)
        self.patch = PatchEmbed(patch, dim)
        n_patches = (img_size // patch) ** 2
        self.img_pos = nn.Parameter(torch.zeros(1, n_patches, dim))
        self.type_emb = nn.Embedding(2, dim)
        layer = nn.TransformerEncoderLayer(dim, heads, dim * 4, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, N_ANSWERS))

    def embed_text(self, ids):
        pos = torch.arange(ids.size(1), device=ids.device)
        return self.tok(ids) + self.text_pos(pos) + self.type_emb.weight[0]

    def embed_image(self, image):
        return self.patch(image) + self.img_pos + self.type_emb.weight[1]

    def forward(self, image, input_ids, attention_mask):
        text = self.embed_text(input_ids)
        vis = self.embed_image(image)
        x = torch.cat([text, vis], dim=1)
        pad_mask = torch.cat([attention_mask == 0, torch.zeros(vis.shape[:2], dtype=torch.bool)], dim=1)
        x = self.encoder(x, src_key_padding_mask=pad_mask)
        return self.head(x[:, 0])


def step(model, batch, loss_fn):
    target = batch.pop("answer")
    logits = model(**batch)
    return loss_fn(logits, target), (logits.argmax(-1) == target).float().mean().item()


def main():
    torch.manual_seed(0)
    loader = DataLoader(ToyVQA(), batch_size=12, shuffle=True, collate_fn=vqa_collate)
    model = VLTransformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.01)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(2):
        model.train()
        for batch in loader:
            loss, acc = step(model, batch, loss_fn)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} | loss {loss.item():.3f} | acc {acc:.2f}")


if __name__ == "__main__":
    main()
