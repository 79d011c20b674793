import torch
import torch.nn as nn
import torch.nn.functional as F


def make_graph(num_nodes=200, num_feats=128, num_classes=7, avg_degree=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = (torch.rand(num_nodes, num_feats, generator=g) < 0.05).float()
    x = x / x.sum(1, keepdim=True).clamp(min=1)
    adj = torch.rand(num_nodes, num_nodes, generator=g) < avg_degree / num_nodes
    adj = (adj | adj.t()).float()
    adj.fill_diagonal_(1.0)
    y = torch.randint(num_classes, (num_nodes,), generator=g)
    perm = torch.randperm(num_nodes, generator=g)
    return x, adj, y, perm[:80], perm[80:120], perm[120:]


class GATLayer(nn.Module):
    """Dense multi-head graph attention (Velickovic et al.)."""

    def __init__(self, in_dim, out_dim, heads=1, concat=True, dropout=0.6, alpha=0.2):
        super().__init__()
        self.heads = heads
        self.out_dim = out_dim
        self.concat = concat
        self.dropout = nn.Dropout(dropout)
        self.lin = nn.Linear(in_dim, heads * out_dim, bias=False)
        self.a_src = nn.Parameter(torch.empty(heads, out_dim))
        self.a_dst = nn.Parameter(torch.empty(heads, out_dim))
        self.leaky = nn.LeakyReLU(alpha)
        nn.init.xavier_uniform_(self.lin.weight)
        nn.init.xavier_uniform_(self.a_src)
        nn.init.xavier_uniform_(self.a_dst)

    def forward(self, x, adj):
        n = x.size(0)
        h = self.lin(self.dropout(x)).view(n, self.heads, self.out_dim)
        src = (h * self.a_src).sum(-1)
        dst = (h * self.a_dst).sum(-1)
        e = self.leaky(src.unsqueeze(1) + dst.unsqueeze(0))
        e = e.masked_fill(adj.unsqueeze(-1) == 0, float("-inf"))
        att = self.dropout(torch.softmax(e, dim=1))
        out = torch.einsum("ijh,jhd->ihd", att, h)
        if self.concat:
            return out.reshape(n, self.heads * self.out_dim)
        return out.mean(dim=1)


class GAT(nn.Module):
    def __init__(self, in_dim, hidden, n_classes, heads):
        super().__init__()
        self.gat1 = GATLayer(in_dim, hidden, heads=heads, concat=True)
        self.gat2 = GATLayer(hidden * heads, n_classes, heads=1, concat=False)

    def forward(self, x, adj):
        x = F.elu(self.gat1(x, adj))
        return F.log_softmax(self.gat2(x, adj), dim=1)


def accuracy(logp, y):
    return (logp.argmax(1) == y).float().mean().item()


def train(args):
    torch.manual_seed(args["seed"])
    x, adj, y, idx_train, idx_val, idx_test = make_graph()
    model = GAT(x.size(1), args["hidden"], int(y.max()) + 1, args["heads"])
    optimizer = torch.optim.Adam(model.parameters(), lr=args["lr"], weight_decay=args["wd"])
    best = 0.0
    for epoch in range(args["epochs"]):
        model.train()
        optimizer.zero_grad()
        out = model(x, adj)
        loss = F.nll_loss(out[idx_train], y[idx_train])
        loss.backward()
        optimizer.step()

        model.eval()
        with torch.no_grad():
            val = accuracy(model(x, adj)[idx_val], y[idx_val])
        best = max(best, val)
        if epoch % 5 == 0:
            print(f"epoch {epoch:03d} loss {loss.item():.4f} val {val:.3f}")
    with torch.no_grad():
        print("test", accuracy(model(x, adj)[idx_test], y[idx_test]), "best val", best)


if __name__ == "__main__":
    train({"seed": 72, "hidden": 8, "heads": 8, "lr": 5e-3, "wd": 5e-4, "epochs": 15})
