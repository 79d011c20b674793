# A skip connection around a two-way recurrent layer.
#
# fault: Bidirectional doubles 64 units to 128, the skip has 64
# code: SW2
# named: both_ways | Bidirectional(GRU(64 | project | residual
# fix: GRU(32, …) inside Bidirectional, or Dense(128) before it
import keras
from keras.layers import GRU, Add, Bidirectional, Dense, LayerNormalization

inputs = keras.Input((25, 10))
x = Dense(64, name="project")(inputs)
y = Bidirectional(GRU(64, return_sequences=True), name="both_ways")(x)
x = LayerNormalization()(Add(name="residual")([x, y]))
model = keras.Model(inputs, Dense(1)(x))
