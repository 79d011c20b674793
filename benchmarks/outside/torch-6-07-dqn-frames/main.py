import random
from collections import deque, namedtuple
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

Transition = namedtuple('Transition', ('state', 'action', 'reward', 'next_state', 'done'))


class FakeAtari:
    """4 stacked gray frames, tiny replacement of gym env so this runs anywhere"""
    n_actions = 4

    def reset(self):
        self.t = 0
        self.buf = np.random.rand(4, 84, 84).astype(np.float32)
        return self.buf

    def step(self, a):
        self.t += 1
        self.buf = np.concatenate([self.buf[1:], np.random.rand(1, 84, 84).astype(np.float32)])
        return self.buf, random.random(), self.t >= 12


class DQN(nn.Module):
    def __init__(self, n_actions):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(4, 16, 8, stride=4), nn.ReLU(),
            nn.Conv2d(16, 32, 4, stride=2), nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=1), nn.ReLU(),
        )
        self.fc1 = nn.Linear(32 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, n_actions)

    def forward(self, x):
        x = self.conv(x)
        x = torch.flatten(x, start_dim=1)
        return self.fc2(F.relu(self.fc1(x)))


class Agent:
    def __init__(self, n_actions, gamma=0.99, eps=0.5):
        self.n_actions = n_actions
        self.gamma, self.eps = gamma, eps
        self.q = DQN(n_actions)
        self.target = DQN(n_actions)
        self.target.load_state_dict(self.q.state_dict())
        self.memory = deque(maxlen=1000)
        self.opt = torch.optim.RMSprop(self.q.parameters(), lr=2.5e-4)

    def act(self, state):
        if random.random() < self.eps:
            return random.randrange(self.n_actions)
        state = torch.from_numpy(state)
        with torch.no_grad():
            return self.q(state).max(1)[1].item()

    def learn(self, batch_size=8):
        if len(self.memory) < batch_size:
            return None
        batch = Transition(*zip(*random.sample(self.memory, batch_size)))
        s = torch.from_numpy(np.stack(batch.state))
        s2 = torch.from_numpy(np.stack(batch.next_state))
        a = torch.tensor(batch.action).unsqueeze(1)
        r = torch.tensor(batch.reward, dtype=torch.float32)
        d = torch.tensor(batch.done, dtype=torch.float32)
        q = self.q(s).gather(1, a).squeeze(1)
        with torch.no_grad():
            y = r + self.gamma * (1 - d) * self.target(s2).max(1)[0]
        loss = F.smooth_l1_loss(q, y)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.item()


random.seed(0); np.random.seed(0); torch.manual_seed(0)
env = FakeAtari()
agent = Agent(env.n_actions)
for ep in range(3):
    s, done, total = env.reset(), False, 0.
    while not done:
        a = agent.act(s)
        s2, r, done = env.step(a)
        agent.memory.append(Transition(s, a, r, s2, float(done)))
        s = s2
        total += r
        l = agent.learn()
    agent.target.load_state_dict(agent.q.state_dict())
    print('episode', ep, 'return %.2f' % total, 'loss', l)
