import random
from collections import deque, namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

Transition = namedtuple("Transition", ("state", "action", "reward", "next_state", "done"))

BATCH_SIZE = 32
GAMMA = 0.95
TARGET_EVERY = 50


class GridWorld:
    def __init__(self, size=5):
        self.size = size
        self.moves = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def reset(self):
        self.pos = [0, 0]
        self.t = 0
        return self._obs()

    def _obs(self):
        goal = self.size - 1
        return np.array([*self.pos, goal - self.pos[0], goal - self.pos[1]], dtype=np.float32) / self.size

    def step(self, a):
        for i, d in enumerate(self.moves[a]):
            self.pos[i] = min(max(self.pos[i] + d, 0), self.size - 1)
        self.t += 1
        won = self.pos == [self.size - 1] * 2
        return self._obs(), 1.0 if won else -0.02, won or self.t >= 30


class ReplayMemory:
    def __init__(self, capacity):
        self.memory = deque(maxlen=capacity)

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, n):
        return Transition(*zip(*random.sample(self.memory, n)))

    def __len__(self):
        return len(self.memory)


class DQN(nn.Module):
    def __init__(self, n_obs, n_actions):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_obs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, n_actions)
        )

    def forward(self, x):
        return self.net(x)


env = GridWorld()
policy, target = DQN(4, 4), DQN(4, 4)
target.load_state_dict(policy.state_dict())
optimizer = optim.Adam(policy.parameters(), lr=1e-3)
memory = ReplayMemory(2000)


def select_action(state, eps):
    if random.random() < eps:
        return random.randrange(4)
    with torch.no_grad():
        return policy(torch.from_numpy(state).unsqueeze(0)).argmax(1).item()


def optimize():
    if len(memory) < BATCH_SIZE:
        return None
    batch = memory.sample(BATCH_SIZE)
    states = torch.from_numpy(np.stack(batch.state))
    actions = torch.tensor(batch.action)
    rewards = torch.tensor(batch.reward)
    next_states = torch.from_numpy(np.stack(batch.next_state))
    done = torch.tensor(batch.done, dtype=torch.float32)

    q = policy(states).gather(1, actions.unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        next_q = target(next_states).max(1).values
    expected = rewards + GAMMA * next_q * (1 - done)
    loss = nn.functional.smooth_l1_loss(q, expected)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(policy.parameters(), 100)
    optimizer.step()
    return loss.item()


if __name__ == "__main__":
    random.seed(0)
    torch.manual_seed(0)
    steps = 0
    for episode in range(15):
        state, total, done = env.reset(), 0.0, False
        while not done:
            action = select_action(state, max(0.1, 1 - episode / 10))
            nxt, reward, done = env.step(action)
            memory.push(state, action, reward, nxt, done)
            state = nxt
            total += reward
            loss = optimize()
            steps += 1
            if steps % TARGET_EVERY == 0:
                target.load_state_dict(policy.state_dict())
        print(f"episode {episode} return {total:.2f} loss {loss}")
