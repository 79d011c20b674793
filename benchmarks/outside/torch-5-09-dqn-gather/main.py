import random
from collections import deque, namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

Transition = namedtuple("Transition", ("state", "action", "reward", "next_state", "done"))

GAMMA = 0.99
BATCH_SIZE = 32
TARGET_UPDATE = 50


class GridEnv:
    """5x5 grid, reach the corner."""
    actions = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def reset(self):
        self.pos = [0, 0]
        self.t = 0
        return self._obs()

    def _obs(self):
        return np.array([self.pos[0] / 4, self.pos[1] / 4, 1.0, self.t / 30], dtype=np.float32)

    def step(self, a):
        dx, dy = self.actions[a]
        self.pos[0] = min(4, max(0, self.pos[0] + dx))
        self.pos[1] = min(4, max(0, self.pos[1] + dy))
        self.t += 1
        win = self.pos == [4, 4]
        return self._obs(), (1.0 if win else -0.01), win or self.t >= 30


class ReplayBuffer:
    def __init__(self, capacity):
        self.buffer = deque(maxlen=capacity)

    def push(self, *args):
        self.buffer.append(Transition(*args))

    def sample(self, n):
        batch = Transition(*zip(*random.sample(self.buffer, n)))
        states = torch.from_numpy(np.stack(batch.state))
        actions = torch.tensor(batch.action, dtype=torch.int64)
        rewards = torch.tensor(batch.reward, dtype=torch.float32)
        next_states = torch.from_numpy(np.stack(batch.next_state))
        dones = torch.tensor(batch.done, dtype=torch.float32)
        return states, actions, rewards, next_states, dones

    def __len__(self):
        return len(self.buffer)


class QNet(nn.Module):
    def __init__(self, n_obs, n_act, hidden=64):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_obs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.value = nn.Linear(hidden, 1)
        self.adv = nn.Linear(hidden, n_act)

    def forward(self, x):
        h = self.body(x)
        a = self.adv(h)
        return self.value(h) + a - a.mean(dim=-1, keepdim=True)


class Agent:
    def __init__(self, n_obs, n_act):
        self.n_act = n_act
        self.policy = QNet(n_obs, n_act)
        self.target = QNet(n_obs, n_act)
        self.target.load_state_dict(self.policy.state_dict())
        self.opt = optim.Adam(self.policy.parameters(), lr=1e-3)
        self.memory = ReplayBuffer(5000)
        self.steps = 0

    def act(self, s, eps):
        if random.random() < eps:
            return random.randrange(self.n_act)
        with torch.no_grad():
            return self.policy(torch.from_numpy(s)).argmax().item()

    def learn(self):
        s, a, r, s2, d = self.memory.sample(BATCH_SIZE)
        q = self.policy(s).gather(1, a)
        with torch.no_grad():
            next_q = self.target(s2).max(1)[0]
            expected = r + GAMMA * next_q * (1 - d)
        loss = nn.functional.smooth_l1_loss(q, expected)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.steps += 1
        if self.steps % TARGET_UPDATE == 0:
            self.target.load_state_dict(self.policy.state_dict())
        return loss.item()


random.seed(0); np.random.seed(0); torch.manual_seed(0)
env = GridEnv()
agent = Agent(4, 4)
for ep in range(8):
    s, done, ret = env.reset(), False, 0.0
    while not done:
        a = agent.act(s, eps=max(0.1, 1 - ep / 6))
        s2, r, done = env.step(a)
        agent.memory.push(s, a, r, s2, float(done))
        s, ret = s2, ret + r
        if len(agent.memory) >= BATCH_SIZE:
            agent.learn()
    print("episode", ep, "return %.2f" % ret)
