"""Norms, recurrent layers, and the rest that has a size of its own."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

NORM = (
    Template(
        "{parameter:running_mean|running_var|weight|bias} should contain {got:n} elements not {expected:n}",
        "norm",
        example="nn.BatchNorm2d(64)(torch.randn(2, 128, 4, 4))",
    ),
    Template(
        "Given normalized_shape={normalized_shape:shape}, expected input with shape {_wanted:text}], but got input of"
        " size {input:shape}",
        "norm",
        example="nn.LayerNorm(768)(torch.randn(1, 196, 1024))",
    ),
    Template(
        "expected input's size at dim={axis:axis} to match num_features ({expected:n}), but got: {got:n}",
        "norm",
        example="nn.InstanceNorm2d(3, affine=True)(torch.randn(2, 4, 8, 8))",
    ),
    Template(
        "Expected {parameter:weight|bias} to be a vector of size equal to the number of channels in input, but got"
        " {_same:weight|bias} of shape [{expected:n}] and input of shape {input:shape}",
        "norm",
        {"op": "group_norm"},
        example="nn.GroupNorm(4, 64)(torch.randn(2, 32, 8, 8))",
    ),
    Template(
        "Expected {parameter:weight|bias} to be of same shape as normalized_shape, but got {_same:weight|bias} of shape"
        " {given:shape} and normalized_shape = {expected_shape:shape}",
        "norm",
        {"op": "layer_norm"},
        example="F.layer_norm(torch.randn(2, 3), (3,), weight=torch.ones(4))",
    ),
    Template(
        "Expected more than 1 value per channel when training, got input size {input:shape}",
        "norm-one-value",
        example="nn.BatchNorm1d(512)(torch.randn(1, 512))",
    ),
    Template(
        "Expected more than 1 value per channel when training",
        "norm-one-value",
        seen="Expected more than 1 value per channel when training",
        release="all, cut off",
    ),
    Template(
        "Expected more than 1 spatial element when training, got input size {input:shape}",
        "norm-one-value",
        {"op": "instance_norm"},
        example="nn.InstanceNorm2d(64)(torch.randn(2, 64, 1, 1))",
    ),
    Template(
        "Mismatch of parameter numbers and input channel size. Found parameter numbers = {expected:n} and channel size"
        " = {got:n}",
        "layer-width",
        {"layer_type": "PReLU", "axis": 1},
        example="nn.PReLU(3)(torch.randn(1, 4, 8, 8))",
    ),
    Template(
        "Wrong number of input planes. Expected {expected:n} but got {got:n}",
        "layer-width",
        {"layer_type": "PReLU", "axis": 1},
        seen="Wrong number of input planes. Expected 3 but got 4. at /pytorch/torch/lib/THNN/generic/PReLU.c:29",
        release="0.1 to 0.4",
    ),
)

EMBEDDING = (
    Template(
        "Shape of weight does not match num_embeddings and embedding_dim",
        "only-dress",
        {"op": "embedding"},
        example="nn.Embedding(10, 4, _weight=torch.randn(8, 4))",
    ),
    Template(
        "embedding_bag: If per_sample_weights ({right:shape}) is not None, then it must have the same shape as the"
        " input"
        " ({left:shape})",
        "elementwise",
        {"op": "embedding_bag"},
        example="bag = nn.EmbeddingBag(10, 4, mode='sum')\n"
        "bag(torch.zeros(2, 3).long(), per_sample_weights=torch.ones(2, 5))",
    ),
    Template(
        "The in_features inferred from input: {got:n} is not equal to in_features from self.weight: {expected:n}",
        "layer-width",
        {"layer_type": "LazyLinear", "axis": -1},
        seen="The in_features inferred from input: 12 is not equal to in_features from self.weight: 8",
        release="2.7 to 2.13",
    ),
)

RECURRENT = (
    Template(
        "input.size(-1) must be equal to input_size. Expected {expected:n}, got {got:n}",
        "recurrent",
        example="nn.LSTM(300, 64)(torch.randn(5, 2, 100))",
    ),
    Template(
        "input has inconsistent input_size: got {got:n} expected {expected:n}",
        "recurrent",
        example="nn.LSTMCell(8, 16)(torch.randn(2, 5))",
    ),
    Template(
        "input has inconsistent input_size: got {got:n}, expected {expected:n}",
        "recurrent",
        seen="input has inconsistent input_size: got 5, expected 8",
        release="0.1 to 1.12",
    ),
    Template(
        "{what:hidden0|hidden1|hidden} has inconsistent hidden_size: got {state_width:n}, expected {hidden_size:n}",
        "recurrent-state",
        example="nn.LSTMCell(8, 16)(torch.randn(2, 8), (torch.zeros(2, 15), torch.zeros(2, 15)))",
    ),
    Template(
        "Input batch size {batch:n} doesn't match {what:hidden0|hidden1|hidden} batch size {state_batch:n}",
        "recurrent-state",
        example="nn.LSTMCell(8, 16)(torch.randn(2, 8), (torch.zeros(3, 16), torch.zeros(3, 16)))",
    ),
    Template(
        "Input batch size {batch:n} doesn't match hidden[{_part:n}] batch size {state_batch:n}",
        "recurrent-state",
        {"what": "hidden"},
        seen="Input batch size 2 doesn't match hidden[0] batch size 3",
        release="0.2 and 0.3",
    ),
    Template(
        "Expected hidden[0] size {expected:shape}, got {got:shape}",
        "recurrent-state",
        {"what": "hidden[0]"},
        example="nn.LSTM(8, 16)(torch.randn(5, 2, 8), (torch.zeros(1, 3, 16), torch.zeros(1, 2, 16)))",
    ),
    Template(
        "Expected hidden[1] size {expected:shape}, got {got:shape}",
        "recurrent-state",
        {"what": "hidden[1]"},
        example="nn.LSTM(8, 16)(torch.randn(5, 2, 8), (torch.zeros(1, 2, 16), torch.zeros(1, 3, 16)))",
    ),
    Template(
        "Expected hidden size {expected:shape}, got {got:shape}",
        "recurrent-state",
        {"what": "hidden"},
        example="nn.GRU(8, 16)(torch.randn(5, 2, 8), torch.zeros(1, 3, 16))",
    ),
    Template(
        "Expected `len(lengths)` to be equal to batch_size, but got {y:n} (batch_size={x:n})",
        "data-lengths",
        {"op": "pack_padded_sequence"},
        example="nn.utils.rnn.pack_padded_sequence(torch.randn(5, 3, 8), [5, 4])",
    ),
    Template(
        "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0",
        "only-dress",
        {"op": "pack_padded_sequence"},
        example="nn.utils.rnn.pack_padded_sequence(torch.randn(5, 2, 8), [5, 0])",
    ),
    Template(
        "Expected sequence length to be larger than 0 in RNN",
        "only-dress",
        {"op": "recurrent"},
        example="nn.LSTM(8, 16)(torch.randn(0, 2, 8))",
    ),
)

TEMPLATES = NORM + EMBEDDING + RECURRENT
