import torch
import torch.nn as nn
import torch.nn.functional as F


class GATLayer(nn.Module):
    """Dense multi-head graph attention (Velickovic et al.)"""

    def __init__(self, in_features, out_features, n_heads, is_concat=True, dropout=0.4, leaky=0.2):
        super().__init__()
        self.is_concat = is_concat
        self.n_heads = n_heads
        if is_concat:
            assert out_features % n_heads == 0
            self.n_hidden = out_features // n_heads
        else:
            self.n_hidden = out_features
        self.W = nn.Parameter(torch.empty(in_features, self.n_hidden * n_heads))
        self.a = nn.Parameter(torch.empty(n_heads, 2 * self.n_hidden, 1))
        self.act = nn.LeakyReLU(leaky)
        self.dropout = dropout
        nn.init.xavier_normal_(self.W)
        nn.init.xavier_normal_(self.a)

    def forward(self, h, adj):
        n = h.shape[0]
        wh = torch.mm(h, self.W)
        wh = F.dropout(wh, self.dropout, self.training)
        wh = wh.view(n, self.n_heads, self.n_hidden).permute(1, 0, 2)      # H, N, F
        src = wh @ self.a[:, :self.n_hidden]
        dst = wh @ self.a[:, self.n_hidden:]
        e = self.act(src + dst.transpose(1, 2))                            # H, N, N
        e = e.masked_fill(adj == 0, -9e16)
        alpha = F.dropout(torch.softmax(e, dim=-1), self.dropout, self.training)
        out = alpha @ wh
        if self.is_concat:
            return out.permute(1, 0, 2).reshape(n, self.n_heads * self.n_hidden)
        return out.mean(dim=0)


class GAT(nn.Module):
    def __init__(self, n_feat, n_hidden, n_class, n_heads):
        super().__init__()
        self.gat1 = GATLayer(n_feat, n_hidden, n_heads)
        self.gat2 = GATLayer(n_hidden, n_class, n_heads=1, is_concat=False)

    def forward(self, x, adj):
        x = F.elu(self.gat1(x, adj))
        return F.log_softmax(self.gat2(x, adj), dim=1)


def fake_cora(n=120, d=70, c=7, seed=0):
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(c, (n,), generator=g)
    x = torch.rand(n, d, generator=g)
    x[torch.arange(n), y] += 2.0
    src = torch.randint(n, (500,), generator=g)
    dst = torch.randint(n, (500,), generator=g)
    adj = torch.eye(n)
    adj[src, dst] = 1
    adj[dst, src] = 1
    idx = torch.randperm(n, generator=g)
    return x / x.sum(1, keepdim=True), adj, y, idx[:60], idx[60:90], idx[90:]


def acc(out, y):
    return (out.argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(12)
    x, adj, y, idx_train, idx_val, idx_test = fake_cora()
    model = GAT(x.shape[1], 16, int(y.max()) + 1, n_heads=4)
    opt = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=5e-4)
    for ep in range(20):
        model.train()
        opt.zero_grad()
        out = model(x, adj)
        loss = F.nll_loss(out[idx_train], y[idx_train])
        loss.backward()
        opt.step()
        if ep % 10 == 9:
            model.eval()
            with torch.no_grad():
                out = model(x, adj)
            print(f"ep {ep + 1} loss {loss.item():.3f} val {acc(out[idx_val], y[idx_val]):.3f}")
    model.eval()
    with torch.no_grad():
        print("test", acc(model(x, adj)[idx_test], y[idx_test]))
