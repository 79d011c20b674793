import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class _DenseLayer(nn.Module):
    def __init__(self, n_in, growth_rate, bn_size=4, drop=0.0):
        super(_DenseLayer, self).__init__()
        self.norm1 = nn.BatchNorm2d(n_in)
        self.conv1 = nn.Conv2d(n_in, bn_size * growth_rate, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, padding=1, bias=False)
        self.drop = drop

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        if self.drop > 0:
            y = F.dropout(y, p=self.drop, training=self.training)
        return torch.cat((x, y), 1)


class _Transition(nn.Sequential):
    def __init__(self, n_in, n_out):
        super(_Transition, self).__init__()
        self.add_module('norm', nn.BatchNorm2d(n_in))
        self.add_module('relu', nn.ReLU(inplace=True))
        self.add_module('conv', nn.Conv2d(n_in, n_out, kernel_size=1, bias=False))
        self.add_module('pool', nn.AvgPool2d(2))


class DenseNet(nn.Module):
    def __init__(self, growth_rate=8, block_config=(3, 4, 3), init_features=16, num_classes=10):
        super(DenseNet, self).__init__()
        self.features = nn.Sequential()
        self.features.add_module('conv0', nn.Conv2d(3, init_features, 3, padding=1, bias=False))

        num_features = init_features
        for i, num_layers in enumerate(block_config):
            block = nn.Sequential()
            for j in range(num_layers):
                block.add_module('denselayer%d' % (j + 1),
                                 _DenseLayer(num_features + j * growth_rate, growth_rate))
            self.features.add_module('denseblock%d' % (i + 1), block)
            num_features = num_features + num_layers * growth_rate
            if i != len(block_config) - 1:
                trans = _Transition(num_features, num_features // 2)
                self.features.add_module('transition%d' % (i + 1), trans)

        self.features.add_module('norm_final', nn.BatchNorm2d(num_features))
        self.classifier = nn.Linear(num_features, num_classes)

        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight)
            elif isinstance(m, nn.Linear):
                nn.init.constant_(m.bias, 0)

    def forward(self, x):
        f = F.relu(self.features(x))
        f = F.adaptive_avg_pool2d(f, (1, 1)).flatten(1)
        return self.classifier(f)


def train(model, loader, device, n_epochs=1):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_epochs * len(loader))
    for ep in range(n_epochs):
        model.train()
        for step, (inputs, targets) in enumerate(loader):
            inputs, targets = inputs.to(device), targets.to(device)
            outputs = model(inputs)
            loss = F.cross_entropy(outputs, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sched.step()
        print('epoch', ep, 'loss', loss.item())


if __name__ == '__main__':
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    x = torch.randn(64, 3, 32, 32)
    y = torch.randint(0, 10, (64,))
    net = DenseNet().to(device)
    print('params: %.2fM' % (sum(p.numel() for p in net.parameters()) / 1e6))
    train(net, DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True), device)
