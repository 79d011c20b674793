# A model of two inputs is given one array.
#
# fault: the second input is missing in fit
# code: SW6
# named: input | inputs | functional | question | model
# fix: model.fit([questions, answers], labels)
import numpy as np
from keras import Input, Model, layers

question = Input((10,), name="question")
answer = Input((10,), name="answer")
match = layers.Dense(1, activation="sigmoid")(layers.concatenate([question, answer]))
model = Model([question, answer], match)
model.compile("adam", "binary_crossentropy")
questions, labels = np.random.rand(50, 10), np.random.randint(0, 2, 50)
model.fit(questions, labels, epochs=1, verbose=0)
