"""Weights that are loaded, samples that are collected, processes that have to agree."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

WEIGHTS = (
    Template(
        "size mismatch for {parameter:word}: copying a param with shape {checkpoint:shape} from checkpoint, the shape"
        " in"
        " current model is {model:shape}",
        "weights",
        example="nn.Linear(8, 10).load_state_dict(nn.Linear(8, 1000).state_dict())",
    ),
    Template(
        "size mismatch for {parameter:word}: copying a param of {checkpoint:shape} from checkpoint, where the shape is"
        " {model:shape} in current model",
        "weights",
        seen="size mismatch for fc.weight: copying a param of torch.Size([1000, 2048]) from checkpoint, where the shape"
        " is torch.Size([3, 2048]) in current model.",
        release="0.4 and 1.0",
    ),
    Template(
        "While copying the parameter named {parameter:word}, whose dimensions in the model are {model:shape} and whose"
        " dimensions in the checkpoint are {checkpoint:shape}",
        "weights",
        seen="While copying the parameter named fc.weight, whose dimensions in the model are torch.Size([3, 2048]) and"
        " whose dimensions in the checkpoint are torch.Size([1000, 2048]), ...",
        release="0.1 to 0.4, and today where copying fails otherwise",
    ),
    Template(
        "Size mismatch between saved {checkpoint:shape} and current: {model:shape} for {parameter:text}",
        "weights",
        seen="Size mismatch between saved torch.Size([1000, 8]) and current: torch.Size([10, 8]) for fc.weight",
        release="2.4 to 2.13, torch.distributed.checkpoint",
    ),
    Template(
        'Missing key(s) in state_dict: "{missing:word}"',
        "weight-names",
        example="nn.Sequential(nn.Linear(2, 2)).load_state_dict({})",
    ),
    Template(
        'Unexpected key(s) in state_dict: "{unexpected:word}"',
        "weight-names",
        example="nn.Linear(2, 2).load_state_dict({**nn.Linear(2, 2).state_dict(), 'scale': torch.ones(2)})",
    ),
    Template(
        'unexpected key "{unexpected:word}" in state_dict',
        "weight-names",
        seen='unexpected key "module.conv1.weight" in state_dict',
        release="0.1 to 0.3",
    ),
    Template(
        "missing keys in state_dict: \"{'{missing:word}'",
        "weight-names",
        seen="missing keys in state_dict: \"{'conv1.weight', 'conv1.bias'}\"",
        release="0.1 to 0.3",
    ),
    Template(
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
        "weight-names",
        {"what": "optimizer"},
        example="a = nn.Linear(2, 2).parameters()\nb = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).parameters()\n"
        "torch.optim.Adam(a).load_state_dict(torch.optim.Adam(b).state_dict())",
    ),
    Template(
        "loaded state dict has a different number of parameter groups",
        "weight-names",
        {"what": "optimizer"},
        example="p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))\n"
        "torch.optim.SGD([p]).load_state_dict(torch.optim.SGD([{'params': [p]}, {'params': [q]}]).state_dict())",
    ),
)

SAMPLES = (
    Template(
        "each element in list of batch should be of equal size",
        "samples",
        example="torch.utils.data.default_collate([[1, 2], [1, 2, 3]])",
    ),
    Template(
        "Trying to resize storage that is not resizable",
        "samples",
        example="torch.from_numpy(np.zeros(4)).resize_(8)",
    ),
    Template(
        "expected sequence of length {expected:n} at dim {axis:axis} (got {got:n})",
        "samples",
        {"what": "a sequence"},
        example="torch.tensor([[1, 2], [1, 2, 3]])",
    ),
    Template(
        "Size mismatch between tensors",
        "data-lengths",
        {"op": "TensorDataset"},
        example="torch.utils.data.TensorDataset(torch.randn(10, 3), torch.zeros(9))",
    ),
    Template(
        "Sum of input lengths does not equal the length of the input dataset",
        "only-dress",
        {"op": "random_split", "releases": "fractions in place of lengths are taken from PyTorch 1.13 on"},
        example="torch.utils.data.random_split(range(10), [6, 3])",
    ),
)

RANKS = (
    Template(
        "Detected mismatch between collectives on ranks. Rank {rank:n} is running collective:{_of:lines}TensorShape="
        "{first:shape}{_between:lines}Rank {other_rank:n} is running collective:{_to:lines}TensorShape={other:shape}",
        "ranks",
        {"what": "collective"},
        seen="Detected mismatch between collectives on ranks. Rank 0 is running collective: CollectiveFingerPrint("
        "SequenceNumber=7, OpType=ALLREDUCE, TensorShape=[3], TensorDtypes=Float), but Rank 1 is running collective:"
        " CollectiveFingerPrint(SequenceNumber=7, OpType=ALLREDUCE, TensorShape=[4], TensorDtypes=Float)."
        "Collectives differ in the following aspects:  Tensor Tensor shapes: 3vs 4",
        release="1.9 to 2.13, on several processes",
    ),
    Template(
        "Detected mismatch between collectives on ranks",
        "ranks",
        {"what": "collective"},
        seen="Detected mismatch between collectives on ranks. Rank 1 is running inconsistent collective",
        release="1.9, on several processes",
    ),
    Template(
        "invalid tensor size at index {index:n} (expected {expected:shape}, got {got:shape})",
        "ranks",
        {"what": "collective"},
        seen="ProcessGroupGloo::allgather: invalid tensor size at index 0 (expected (4), got (3))",
        release="1.0 to 2.13, on several processes",
    ),
    Template(
        "op.preamble.length <= op.nbytes. {got:n} vs {expected:n}",
        "ranks",
        {"what": "bytes"},
        seen="[enforce fail at ../third_party/gloo/gloo/transport/tcp/pair.cc:446] op.preamble.length <= op.nbytes. 20"
        " vs 16",
        release="1.0 to 2.13, on several processes",
    ),
    Template(
        "Received data size doesn't match expected size. Is there a distributed collective mismatch",
        "ranks",
        {"what": "bytes"},
        seen="Received data size doesn't match expected size. Is there a distributed collective mismatch in your code?",
        release="2.8 to 2.13, on several processes",
    ),
    Template(
        "Check failed: outputShape[{axis:axis}] * worldSize == inputShape[{_same:axis}] ({expected:n} vs. {got:n})",
        "ranks",
        {"what": "collective"},
        seen="Check failed: outputShape[0] * worldSize == inputShape[0] (6 vs. 5).",
        release="2.x, on several processes",
    ),
    Template(
        "Split sizes doesn't match total dim {axis:axis} size",
        "ranks",
        {"what": "split sizes"},
        seen="Split sizes doesn't match total dim 0 size",
        release="1.4 to 2.13, on several processes",
    ),
    Template(
        "All tensor operands to scatter/gather must have the same {_what:size|number}",
        "ranks",
        {"what": "collective"},
        seen="All tensor operands to scatter/gather must have the same size",
        release="0.4 to 1.12, on several processes",
    ),
    Template(
        "output tensor size must be equal to world_size times input tensor size",
        "ranks",
        {"what": "collective"},
        seen="output tensor size must be equal to world_size times input tensor size",
        release="1.11 to 2.13, on several processes",
    ),
    Template(
        "params[{index:n}] in this process with sizes {first:shape} appears not to match sizes of the same param in"
        " process {other_rank:n}",
        "ranks",
        {"what": "parameter"},
        seen="[1]: params[0] in this process with sizes [2, 4] appears not to match sizes of the same param in process"
        " 0.",
        release="1.9 to 2.13, on several processes",
    ),
    Template(
        "DDP expects same model across all ranks, but Rank {rank:n} has {first:n} params, while rank {other_rank:n} has"
        " inconsistent {other:n} params",
        "ranks",
        {"what": "parameters"},
        seen="DDP expects same model across all ranks, but Rank 0 has 2 params, while rank 1 has inconsistent 4"
        " params.",
        release="1.10 to 2.13, on several processes",
    ),
    Template(
        "Mesh should not be bigger than default world size {expected:n}, but found {got:n} ranks",
        "ranks",
        {"what": "mesh"},
        seen="Mesh should not be bigger than default world size 2, but found 3 ranks!",
        release="2.3 to 2.13, on several processes",
    ),
)

TEMPLATES = WEIGHTS + SAMPLES + RANKS
