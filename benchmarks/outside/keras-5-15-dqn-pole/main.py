import random
from collections import deque, namedtuple
import numpy as np
import tensorflow as tf
from tensorflow import keras

Step = namedtuple("Step", "s a r s2 done")


class TinyPole:
    """cart-pole without gym"""
    n_obs, n_act = 4, 2

    def reset(self):
        self.t = 0
        self.s = np.random.uniform(-0.05, 0.05, 4).astype(np.float32)
        return self.s.copy()

    def step(self, a):
        x, v, th, w = self.s
        f = 10.0 if a == 1 else -10.0
        acc = (9.8 * np.sin(th) - np.cos(th) * f / 1.1) / 0.65
        self.s = np.array([x + .02 * v, v + .02 * f, th + .02 * w, w + .02 * acc], np.float32)
        self.t += 1
        done = bool(abs(self.s[2]) > 0.21 or self.t >= 60)
        return self.s.copy(), 1.0, done


class QNet(tf.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        init = tf.random_normal_initializer(stddev=0.1)
        self.w1 = tf.Variable(init((n_in, n_hidden)))
        self.b1 = tf.Variable(tf.zeros(n_hidden))
        self.w2 = tf.Variable(init((n_hidden, n_out)))
        self.b2 = tf.Variable(tf.zeros(n_out))

    def __call__(self, s):
        h = tf.nn.tanh(tf.matmul(s, self.w1) + self.b1)
        return tf.matmul(h, self.w2) + self.b2


class Agent:
    def __init__(self, env, gamma=0.98, batch=16):
        self.env, self.gamma, self.batch = env, gamma, batch
        self.q = QNet(env.n_obs, 32, env.n_act)
        self.target = QNet(env.n_obs, 32, env.n_act)
        self.sync()
        self.opt = keras.optimizers.Adam(1e-3)
        self.mem = deque(maxlen=2000)
        self.eps = 1.0

    def sync(self):
        for a, b in zip(self.target.variables, self.q.variables):
            a.assign(b)

    def act(self, s):
        if random.random() < self.eps:
            return random.randrange(self.env.n_act)
        return int(tf.argmax(self.q(s[np.newaxis]), axis=1)[0])

    def learn(self):
        batch = random.sample(self.mem, self.batch)
        s, a, r, s2, d = (np.array(c) for c in zip(*batch))
        q_next = tf.reduce_max(self.target(s2), axis=1)
        y = r.astype(np.float32) + self.gamma * q_next * (1.0 - d.astype(np.float32))
        with tf.GradientTape() as tape:
            q = tf.reduce_sum(self.q(s) * tf.one_hot(a, self.env.n_act), axis=1)
            loss = tf.reduce_mean(tf.square(y - q))
        grads = tape.gradient(loss, self.q.trainable_variables)
        self.opt.apply_gradients(zip(grads, self.q.trainable_variables))
        return float(loss)


def evaluate(agent, episodes=3):
    total = 0.0
    for _ in range(episodes):
        state, done = agent.env.reset(), False
        while not done:
            qvals = agent.q(state)
            action = int(np.argmax(qvals.numpy()))
            state, reward, done = agent.env.step(action)
            total += reward
    return total / episodes


if __name__ == "__main__":
    random.seed(1)
    np.random.seed(1)
    tf.random.set_seed(1)
    agent = Agent(TinyPole())
    for ep in range(8):
        s, done, ret = agent.env.reset(), False, 0
        while not done:
            a = agent.act(s)
            s2, r, done = agent.env.step(a)
            agent.mem.append(Step(s, a, r, s2, done))
            s, ret = s2, ret + r
            if len(agent.mem) > 40:
                agent.learn()
        agent.eps = max(0.05, agent.eps * 0.8)
        agent.sync()
    print("mean eval return", evaluate(agent))
