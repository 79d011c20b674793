import argparse
import torch
from torch import nn
from torch.utils.data import TensorDataset, DataLoader

cfgs = {
    'A': [16, 'M', 32, 'M', 64, 64, 'M'],
    'B': [16, 16, 'M', 32, 32, 'M', 64, 64, 'M'],
}


def make_layers(cfg, batch_norm=True):
    layers = []
    in_channels = 3
    for v in cfg:
        if v == 'M':
            layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
        else:
            conv2d = nn.Conv2d(in_channels, v, kernel_size=3, padding=1)
            if batch_norm:
                layers += [conv2d, nn.BatchNorm2d(v), nn.ReLU(inplace=True)]
            else:
                layers += [conv2d, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class VGG(nn.Module):
    def __init__(self, features, num_classes=10, init_weights=True):
        super(VGG, self).__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Linear(64 * 2 * 2, 128),
            nn.ReLU(True),
            nn.Dropout(),
            nn.Linear(128, num_classes),
        )
        if init_weights:
            self._initialize_weights()

    def forward(self, x):
        x = self.features(x)
        x = self.avgpool(x)
        x = x.view(x.size(0), -1)
        return self.classifier(x)

    def _initialize_weights(self):
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')
                if m.bias is not None:
                    nn.init.constant_(m.bias, 0)
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.01)
                nn.init.constant_(m.bias, 0)


def get_loader(n, bs, train=True):
    x = torch.randn(n, 3, 32, 32)
    y = torch.randint(0, 10, (n,))
    return DataLoader(TensorDataset(x, y), batch_size=bs, shuffle=train)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--arch', default='B')
    parser.add_argument('--epochs', type=int, default=1)
    parser.add_argument('--lr', type=float, default=0.05)
    parser.add_argument('--bs', type=int, default=32)
    args = parser.parse_args()

    torch.manual_seed(0)
    net = VGG(make_layers(cfgs[args.arch]))
    opt = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9, weight_decay=5e-4)
    sched = torch.optim.lr_scheduler.StepLR(opt, 1, gamma=0.5)
    ce = nn.CrossEntropyLoss()
    trainloader = get_loader(128, args.bs)
    testloader = get_loader(64, args.bs, train=False)

    for ep in range(args.epochs):
        net.train()
        for i, (inputs, targets) in enumerate(trainloader):
            opt.zero_grad()
            out = net(inputs)
            loss = ce(out, targets)
            loss.backward()
            opt.step()
        sched.step()
        net.eval()
        total, hit = 0, 0
        with torch.no_grad():
            for inputs, targets in testloader:
                _, pred = net(inputs).max(1)
                total += targets.size(0)
                hit += pred.eq(targets).sum().item()
        print('epoch', ep, 'loss', loss.item(), 'acc', 100. * hit / total)


if __name__ == '__main__':
    main()
