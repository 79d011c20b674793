"""DQN on a small grid world."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow import keras

GAMMA = 0.95
BATCH = 16


class GridWorld:
    SIZE = 5
    MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def reset(self):
        self.pos = np.array([0, 0])
        self.t = 0
        return self._obs()

    def _obs(self):
        return np.concatenate([self.pos / self.SIZE, (self.SIZE - 1 - self.pos) / self.SIZE]).astype("float32")

    def step(self, action):
        self.pos = np.clip(self.pos + self.MOVES[action], 0, self.SIZE - 1)
        self.t += 1
        goal = bool((self.pos == self.SIZE - 1).all())
        return self._obs(), (1.0 if goal else -0.01), goal or self.t >= 30


class ReplayBuffer:
    def __init__(self, capacity, obs_dim):
        self.obs = np.zeros((capacity, obs_dim), dtype=np.float32)
        self.next_obs = np.zeros((capacity, obs_dim), dtype=np.float32)
        self.actions = np.zeros((capacity,), dtype=np.int32)
        self.rewards = np.zeros((capacity,), dtype=np.float32)
        self.dones = np.zeros((capacity,), dtype=np.float32)
        self.capacity = capacity
        self.ptr = 0
        self.size = 0

    def add(self, o, a, r, o2, d):
        i = self.ptr
        self.obs[i], self.actions[i], self.rewards[i] = o, a, r
        self.next_obs[i], self.dones[i] = o2, float(d)
        self.ptr = (i + 1) % self.capacity
        self.size = min(self.size + 1, self.capacity)

    def sample(self, n):
        idx = np.random.randint(0, self.size, size=n)
        return self.obs[idx], self.actions[idx], self.rewards[idx], self.next_obs[idx], self.dones[idx]


def q_network(obs_dim, n_actions):
    return keras.Sequential(
        [
            keras.Input((obs_dim,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(n_actions),
        ]
    )


class DQNAgent:
    def __init__(self, obs_dim, n_actions):
        self.n_actions = n_actions
        self.q = q_network(obs_dim, n_actions)
        self.target = q_network(obs_dim, n_actions)
        self.target.set_weights(self.q.get_weights())
        self.opt = keras.optimizers.Adam(1e-3)

    def act(self, obs, eps):
        if np.random.rand() < eps:
            return np.random.randint(self.n_actions)
        return int(tf.argmax(self.q(obs[None])[0]))

    @tf.function
    def learn(self, obs, actions, rewards, next_obs, dones):
        next_q = tf.reduce_max(self.target(next_obs), axis=1)
        y = rewards + GAMMA * (1.0 - dones) * next_q
        with tf.GradientTape() as tape:
            q = self.q(obs)
            index = tf.stack([tf.range(BATCH), actions], axis=1)
            chosen = tf.gather_nd(q, index)
            loss = tf.reduce_mean(tf.square(y - chosen))
        grads = tape.gradient(loss, self.q.trainable_variables)
        self.opt.apply_gradients(zip(grads, self.q.trainable_variables))
        return loss


env = GridWorld()
agent = DQNAgent(4, len(env.MOVES))
buffer = ReplayBuffer(500, 4)
step = 0
for episode in range(5):
    obs, done, total = env.reset(), False, 0.0
    while not done:
        action = agent.act(obs, eps=max(0.1, 1 - episode * 0.2))
        nxt, reward, done = env.step(action)
        buffer.add(obs, action, reward, nxt, done)
        obs, total, step = nxt, total + reward, step + 1
        if buffer.size >= BATCH:
            loss = agent.learn(*map(tf.convert_to_tensor, buffer.sample(BATCH)))
        if step % 50 == 0:
            agent.target.set_weights(agent.q.get_weights())
    print(f"episode {episode}: return {total:.2f} loss {float(loss):.4f}")
