import argparse
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--n_epochs", type=int, default=1)
parser.add_argument("--batch_size", type=int, default=32)
parser.add_argument("--latent_dim", type=int, default=50)
parser.add_argument("--n_classes", type=int, default=10)
parser.add_argument("--img_size", type=int, default=16)
parser.add_argument("--channels", type=int, default=1)
parser.add_argument("--n_row", type=int, default=8, help="samples per class in the preview grid")
opt = parser.parse_args()

img_shape = (opt.channels, opt.img_size, opt.img_size)
n_pix = opt.channels * opt.img_size * opt.img_size


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.label_emb = nn.Embedding(opt.n_classes, opt.n_classes)

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(
            *block(opt.latent_dim + opt.n_classes, 64, normalize=False),
            *block(64, 128),
            nn.Linear(128, n_pix),
            nn.Tanh(),
        )

    def forward(self, noise, labels):
        gen_input = torch.cat((self.label_emb(labels), noise), -1)
        img = self.model(gen_input)
        return img.view(img.size(0), *img_shape)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.label_embedding = nn.Embedding(opt.n_classes, opt.n_classes)
        self.model = nn.Sequential(
            nn.Linear(opt.n_classes + n_pix, 128), nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(128, 64), nn.Dropout(0.4), nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(64, 1),
        )

    def forward(self, img, labels):
        d_in = torch.cat((img.view(img.size(0), -1), self.label_embedding(labels)), -1)
        return self.model(d_in)


adversarial_loss = nn.MSELoss()
generator, discriminator = Generator(), Discriminator()
dataset = TensorDataset(torch.rand(160, *img_shape) * 2 - 1, torch.randint(0, opt.n_classes, (160,)))
dataloader = DataLoader(dataset, batch_size=opt.batch_size, shuffle=True)
optimizer_G = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))


def sample_image(n_row):
    """Grid of generated digits, one column per class."""
    z = torch.randn(n_row * opt.n_classes, opt.latent_dim)
    labels = torch.arange(opt.n_classes).repeat(n_row)
    generator.eval()
    with torch.no_grad():
        gen_imgs = generator(z, labels)
    generator.train()
    rows = gen_imgs.view(n_row, -1, opt.img_size, opt.img_size)
    return torch.cat([torch.cat(list(r), dim=1) for r in rows], dim=0)


for epoch in range(opt.n_epochs):
    for i, (imgs, labels) in enumerate(dataloader):
        bs = imgs.shape[0]
        valid = torch.ones(bs, 1)
        fake = torch.zeros(bs, 1)

        optimizer_G.zero_grad()
        z = torch.randn(bs, opt.latent_dim)
        gen_labels = torch.randint(0, opt.n_classes, (bs,))
        gen_imgs = generator(z, gen_labels)
        g_loss = adversarial_loss(discriminator(gen_imgs, gen_labels), valid)
        g_loss.backward()
        optimizer_G.step()

        optimizer_D.zero_grad()
        d_real = adversarial_loss(discriminator(imgs, labels), valid)
        d_fake = adversarial_loss(discriminator(gen_imgs.detach(), gen_labels), fake)
        d_loss = (d_real + d_fake) / 2
        d_loss.backward()
        optimizer_D.step()
    print("[Epoch %d/%d] [D loss: %f] [G loss: %f]" % (epoch, opt.n_epochs, d_loss.item(), g_loss.item()))
    grid = sample_image(n_row=opt.n_row)
    print("grid", tuple(grid.shape))
