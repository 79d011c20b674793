import random
from collections import deque

import numpy as np
import tensorflow as tf

random.seed(1); np.random.seed(1); tf.random.set_seed(1)


class FakeLander:
    """LunarLander-like: 8 observations, 4 actions"""
    n_obs, n_actions = 8, 4

    def reset(self):
        self.t = 0
        return np.random.randn(self.n_obs).astype(np.float32)

    def step(self, a):
        self.t += 1
        obs = np.random.randn(self.n_obs).astype(np.float32)
        return obs, float(np.random.randn()), self.t >= 20, {}


class QNet(tf.Module):
    def __init__(self, n_in, n_out, hidden=32):
        super().__init__()
        self.w1 = tf.Variable(tf.random.normal([n_in, hidden], stddev=0.1))
        self.b1 = tf.Variable(tf.zeros([hidden]))
        self.w2 = tf.Variable(tf.random.normal([hidden, n_out], stddev=0.1))
        self.b2 = tf.Variable(tf.zeros([n_out]))

    def __call__(self, s):
        h = tf.nn.relu(tf.matmul(s, self.w1) + self.b1)
        return tf.matmul(h, self.w2) + self.b2


class Agent:
    def __init__(self, env, gamma=0.99, lr=1e-3):
        self.env, self.gamma, self.lr = env, gamma, lr
        self.memory = deque(maxlen=2000)
        self.epsilon = 1.0
        self.online = QNet(env.n_obs, env.n_actions)
        self.target = QNet(env.n_obs, env.n_actions)
        self.sync()

    def sync(self):
        for t, o in zip(self.target.variables, self.online.variables):
            t.assign(o)

    def act(self, state):
        if random.random() < self.epsilon:
            return random.randrange(self.env.n_actions)
        return int(tf.argmax(self.online(state), axis=1)[0])

    def remember(self, state, action, reward, next_state, done):
        self.memory.append((state, action, reward, next_state, float(done)))

    def replay(self, batch_size=16):
        batch = random.sample(self.memory, batch_size)
        states, actions, rewards, next_states, dones = map(np.array, zip(*batch))
        rewards, dones = rewards.astype(np.float32), dones.astype(np.float32)
        q_next = tf.reduce_max(self.target(next_states), axis=1)
        target = rewards + self.gamma * q_next * (1.0 - dones)
        with tf.GradientTape() as tape:
            q = self.online(states)
            q_taken = tf.reduce_sum(q * tf.one_hot(actions, self.env.n_actions), axis=1)
            loss = tf.reduce_mean(tf.square(target - q_taken))
        for v, g in zip(self.online.trainable_variables,
                        tape.gradient(loss, self.online.trainable_variables)):
            v.assign_sub(self.lr * g)
        return float(loss)


env = FakeLander()
agent = Agent(env)
for episode in range(3):
    state = np.reshape(env.reset(), [1, env.n_obs])
    done, total, loss = False, 0.0, None
    while not done:
        action = agent.act(state)
        next_state, reward, done, _ = env.step(action)
        next_state = np.reshape(next_state, [1, env.n_obs])
        agent.remember(state, action, reward, next_state, done)
        state = next_state
        total += reward
        if len(agent.memory) >= 32:
            loss = agent.replay()
    agent.epsilon *= 0.9
    agent.sync()
    print("episode", episode, "return %.2f" % total, "loss", loss)
