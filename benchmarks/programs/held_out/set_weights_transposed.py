# Weights from PyTorch are put into a Dense layer as they are.
#
# fault: the matrix is [out, in], Keras wants [in, out]
# code: SW9
# named: classify | kernel | matrix
# fix: matrix.T
import numpy as np
from keras import Input, Sequential, layers

matrix, bias = np.random.rand(10, 64), np.random.rand(10)
model = Sequential([Input((64,)), layers.Dense(10, name="classify")])
model.get_layer("classify").set_weights([matrix, bias])
