# Keypoint heatmaps with a small high-resolution net.
# Branch i works at 1/(4 * 2^i) of the input and has C * 2^i channels.
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader

BN_MOMENTUM = 0.1

cfg = {
    'C': 8,
    'num_stages': 4,          # stage s has s branches
    'blocks_per_branch': 1,
    'num_joints': 17,
    'image_size': (128, 96),
    'sigma': 2.0,
    'batch_size': 2,
    'steps': 2,
    'lr': 1e-3,
}


class BasicBlock(nn.Module):
    def __init__(self, ch):
        super().__init__()
        self.conv1 = nn.Conv2d(ch, ch, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(ch, momentum=BN_MOMENTUM)
        self.conv2 = nn.Conv2d(ch, ch, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(ch, momentum=BN_MOMENTUM)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + x)


def down_path(cin, cout, times):
    """`times` strided 3x3 convs, channels change in the last one"""
    mods = []
    for t in range(times):
        last = t == times - 1
        mods += [nn.Conv2d(cin, cout if last else cin, 3, 2, 1, bias=False),
                 nn.BatchNorm2d(cout if last else cin, momentum=BN_MOMENTUM)]
        if not last:
            mods.append(nn.ReLU(inplace=True))
    return nn.Sequential(*mods)


def up_path(cin, cout, times):
    return nn.Sequential(
        nn.Conv2d(cin, cout, 1, bias=False),
        nn.BatchNorm2d(cout, momentum=BN_MOMENTUM),
        nn.Upsample(scale_factor=2 * times, mode='nearest'),
    )


class HRStage(nn.Module):
    def __init__(self, channels, n_blocks):
        super().__init__()
        n = len(channels)
        self.branches = nn.ModuleList(
            nn.Sequential(*[BasicBlock(c) for _ in range(n_blocks)]) for c in channels)
        self.fuse = nn.ModuleList()
        for i in range(n):
            row = nn.ModuleList()
            for j in range(n):
                if j == i:
                    row.append(nn.Identity())
                elif j > i:
                    row.append(up_path(channels[j], channels[i], j - i))
                else:
                    row.append(down_path(channels[j], channels[i], i - j))
            self.fuse.append(row)

    def forward(self, xs):
        xs = [b(x) for b, x in zip(self.branches, xs)]
        out = []
        for row in self.fuse:
            y = sum(f(x) for f, x in zip(row, xs))
            out.append(F.relu(y))
        return out


class HRNet(nn.Module):
    def __init__(self, C, num_stages, blocks_per_branch, num_joints):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, C, 3, 2, 1, bias=False), nn.BatchNorm2d(C), nn.ReLU(inplace=True),
            nn.Conv2d(C, C, 3, 2, 1, bias=False), nn.BatchNorm2d(C), nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList()
        self.new_branch = nn.ModuleList()
        for s in range(1, num_stages + 1):
            channels = [C * 2 ** b for b in range(s)]
            self.stages.append(HRStage(channels, blocks_per_branch))
            if s < num_stages:
                self.new_branch.append(down_path(channels[-1], channels[-1] * 2, 1))
        self.final = nn.Conv2d(C, num_joints, 1)

    def forward(self, x):
        xs = [self.stem(x)]
        for k, stage in enumerate(self.stages):
            xs = stage(xs)
            if k < len(self.new_branch):
                xs = xs + [F.relu(self.new_branch[k](xs[-1]))]
        return self.final(xs[0])


class Joints(Dataset):
    def __init__(self, n):
        H, W = cfg['image_size']
        self.img = torch.rand(n, 3, H, W)
        self.kp = torch.rand(n, cfg['num_joints'], 2) * torch.tensor([W // 4 - 1., H // 4 - 1.])
        self.vis = (torch.rand(n, cfg['num_joints']) > 0.2).float()

    def __len__(self):
        return len(self.img)

    def heatmap(self, kp):
        H, W = cfg['image_size'][0] // 4, cfg['image_size'][1] // 4
        ys = torch.arange(H).view(1, H, 1)
        xs = torch.arange(W).view(1, 1, W)
        d = (xs - kp[:, 0].view(-1, 1, 1)) ** 2 + (ys - kp[:, 1].view(-1, 1, 1)) ** 2
        return torch.exp(-d / (2 * cfg['sigma'] ** 2))

    def __getitem__(self, i):
        return self.img[i], self.heatmap(self.kp[i]), self.vis[i]


torch.manual_seed(7)
net = HRNet(cfg['C'], cfg['num_stages'], cfg['blocks_per_branch'], cfg['num_joints'])
opt = torch.optim.Adam(net.parameters(), lr=cfg['lr'])
loader = DataLoader(Joints(cfg['batch_size'] * cfg['steps']), cfg['batch_size'])

for step, (img, hm, vis) in enumerate(loader):
    pred = net(img)
    loss = (((pred - hm) ** 2).mean((2, 3)) * vis).sum() / vis.sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print('step', step, 'heatmap', tuple(pred.shape), 'mse', round(loss.item(), 5))
