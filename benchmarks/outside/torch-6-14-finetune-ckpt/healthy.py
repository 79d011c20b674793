import os
import tempfile
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

CKPT = os.path.join(tempfile.gettempdir(), 's19b_pretrained_backbone.pt')


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.down = None
        if stride != 1 or cin != cout:
            self.down = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        idt = x if self.down is None else self.down(x)
        out = torch.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return torch.relu(out + idt)


class SmallResNet(nn.Module):
    def __init__(self, num_classes=100):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.layer1 = BasicBlock(16, 16)
        self.layer2 = BasicBlock(16, 32, 2)
        self.layer3 = BasicBlock(32, 64, 2)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, num_classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.stem(x))))
        return self.fc(self.gap(x).flatten(1))


def pretrain():
    # normally done on the cluster on cifar100
    net = SmallResNet(100)
    torch.save({'epoch': 90, 'state_dict': net.state_dict()}, CKPT)


def build_model(num_classes):
    model = SmallResNet(num_classes=num_classes)
    ckpt = torch.load(CKPT, map_location='cpu')
    state = {k.replace('module.', ''): v for k, v in ckpt['state_dict'].items()}
    state = {k: v for k, v in state.items() if not k.startswith('fc.')}
    model.load_state_dict(state, strict=False)
    print('loaded checkpoint from epoch', ckpt['epoch'])
    for name, p in model.named_parameters():
        if not name.startswith('fc') and not name.startswith('layer3'):
            p.requires_grad = False
    return model


def finetune(model, loader, epochs=2):
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.SGD(params, lr=0.01, momentum=0.9)
    lossf = nn.CrossEntropyLoss()
    for e in range(epochs):
        s = 0.
        for x, y in loader:
            opt.zero_grad()
            l = lossf(model(x), y)
            l.backward()
            opt.step()
            s += l.item()
        print('epoch', e, 'loss', s / len(loader))


if __name__ == '__main__':
    torch.manual_seed(0)
    pretrain()
    n_classes = 8     # our own bird species
    ds = TensorDataset(torch.randn(64, 3, 32, 32), torch.randint(0, n_classes, (64,)))
    model = build_model(n_classes)
    finetune(model, DataLoader(ds, batch_size=16, shuffle=True))
