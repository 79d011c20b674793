# A recommender that joins the vectors of user and film with a list of genres.
#
# fault: the vectors of user and film still have a time axis of length 1
# code: SW4
# named: user_vector | film_vector | genres | ([user_vector, film_vector, genres]) | all
# fix: Flatten() after the two embeddings
import keras
from keras.layers import Concatenate, Dense, Embedding

user = keras.Input((1,), dtype="int32")
film = keras.Input((1,), dtype="int32")
genres = keras.Input((18,), name="genres")
user_vector = Embedding(500, 20, name="user_vector")(user)
film_vector = Embedding(900, 20, name="film_vector")(film)
joined = Concatenate(name="all")([user_vector, film_vector, genres])
model = keras.Model([user, film, genres], Dense(1)(joined))
