# A residual around an attention whose output projection has another width.
#
# fault: output_shape=128 in the attention, the input has 64
# code: SW2
# named: attend
# fix: leave output_shape out
import keras
from keras import layers

tokens = keras.Input((40,))
x = layers.Embedding(5000, 64, name="embed")(keras.Input((40,), dtype="int32"))
attended = layers.MultiHeadAttention(4, 16, output_shape=128, name="attend")(x, x)
x = layers.LayerNormalization()(x + attended)
