# Two embeddings of different widths are compared by their inner product.
#
# fault: the towers end in 64 and 32 units
# code: SW1 SW2
# named: user_vector | item_vector
# fix: Dense(64) in both towers
from keras import Input, Model
from keras.layers import Dense, Dot

user, item = Input((40,)), Input((25,))
user_vector = Dense(64, name="user_vector")(Dense(128, activation="relu")(user))
item_vector = Dense(32, name="item_vector")(Dense(128, activation="relu")(item))
score = Dot(axes=1, normalize=True, name="score")([user_vector, item_vector])
model = Model([user, item], score)
