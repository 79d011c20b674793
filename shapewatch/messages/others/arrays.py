"""NumPy, einops and JAX with Flax."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

NUMPY: tuple[Template, ...] = (
    Template(
        "operands could not be broadcast together with shapes {left:shape} {right:shape} {third:shape}",
        "elementwise",
        example="x = np.zeros((3, 4))\nx -= np.zeros(5)",
    ),
    Template(
        "operands could not be broadcast together with shapes {left:shape} {right:shape}",
        "elementwise",
        example="np.zeros((3, 4)) + np.zeros((3, 5))",
    ),
    Template(
        "operands could not be broadcast together with remapped shapes [original->remapped]: "
        "{left:shape}->{_:shape} {right:shape}->",
        "elementwise",
        seen="operands could not be broadcast together with remapped shapes [original->remapped]: (3,4)->(3,4) "
        "(3,5)->(3,5)",
        release="numpy 1",
    ),
    Template(
        "non-broadcastable output operand with shape {target:shape} doesn't match the broadcast shape {given:shape}",
        "expand",
        example="x = np.zeros((1, 4)); x += np.zeros((3, 4))",
    ),
    Template(
        "could not broadcast input array from shape {given:shape} into shape {target:shape}",
        "expand",
        example="x = np.zeros((3, 4)); x[0] = np.zeros(5)  # into 4",
    ),
    Template(
        "shape mismatch: value array of shape {value:shape} could not be broadcast to indexing result of shape "
        "{selected:shape}",
        "index-shape",
        example="x = np.zeros((3, 4)); x[np.array([0, 1])] = np.zeros((2, 5))",
    ),
    Template(
        "shape mismatch: indexing arrays could not be broadcast together with shapes {index:shape} {other:shape}",
        "index-shape",
        example="np.zeros((3, 4))[np.array([0, 1]), np.array([0, 1, 2])]  # 2 and 3",
    ),
    Template(
        "shape mismatch: objects cannot be broadcast to a single shape. Mismatch is between arg {_:n} with shape "
        "{left:shape} and arg {__:n} with shape {right:shape}",
        "elementwise",
        example="np.broadcast(np.zeros((3, 4)), np.zeros((3, 5)))",
    ),
    Template(
        "shape mismatch: objects cannot be broadcast to a single shape",
        "only-dress",
        {"op": "broadcast"},
        seen="shape mismatch: objects cannot be broadcast to a single shape",
        release="numpy 1",
    ),
    Template(
        "boolean index did not match indexed array along axis {axis:axis}; size of axis is {b:n} but size of "
        "corresponding boolean axis is {a:n}",
        "index-shape",
        example="np.zeros((3, 4))[np.zeros(5, bool)]  # axis 0",
    ),
    Template(
        "boolean index did not match indexed array along dimension {axis:axis}; dimension is {b:n} but "
        "corresponding boolean dimension is {a:n}",
        "index-shape",
        seen="boolean index did not match indexed array along dimension 0; dimension is 3 but corresponding "
        "boolean dimension is 5",
        release="numpy 1",
    ),
    Template(
        "shapes {left:shape} and {right:shape} not aligned: {a:n} (dim {_:n}) != {b:n} (dim {__:n})",
        "matmul",
        example="np.dot(np.zeros((3, 4)), np.zeros((5, 6)))",
    ),
    Template(
        "matmul: Input operand {_:n} has a mismatch in its core dimension {__:n}, with gufunc signature "
        "(n?,k),(k,m?)->(n?,m?) (size {b:n} is different from {a:n})",
        "matmul",
        example="np.matmul(np.zeros((3, 4)), np.zeros((5, 6)))",
    ),
    Template(
        "operand {operand:n} has a mismatch in its core dimension {_:n}, with gufunc signature {__:text} (size "
        "{b:n} is different from {a:n})",
        "matmul",
        seen="matvec: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (m,n),(n)->(m) "
        "(size 5 is different from 4)",
        release="numpy 2",
    ),
    Template(
        "matrices are not aligned",
        "only-dress",
        {"op": "dot"},
        seen="matrices are not aligned",
        release="numpy 1",
    ),
    Template(
        "all the input array dimensions except for the concatenation axis must match exactly, but along dimension "
        "{differs:n}, the array at index {_first:n} has size {expected:n} and the array at index {index:n} has size "
        "{got:n}",
        "concat",
        example="np.concatenate([np.zeros((2, 3)), np.zeros((4, 5))], axis=1)",
    ),
    Template(
        "all the input array dimensions for the concatenation axis must match exactly, but along dimension "
        "{differs:n}, the array at index {_first:n} has size {expected:n} and the array at index {index:n} has size "
        "{got:n}",
        "concat",
        seen="all the input array dimensions for the concatenation axis must match exactly, but along dimension 0, "
        "the array at index 0 has size 2 and the array at index 1 has size 4",
        release="numpy 1.17 to 1.25",
    ),
    Template(
        "all the input arrays must have same number of dimensions, but the array at index {_:n} has {left_rank:n} "
        "dimension(s) and the array at index {index:n} has {right_rank:n} dimension(s)",
        "concat",
        example="np.concatenate([np.zeros((2, 3)), np.zeros(1)])",
    ),
    Template(
        "all the input array dimensions except for the concatenation axis must match exactly",
        "only-dress",
        {"op": "concatenate"},
        seen="all the input array dimensions except for the concatenation axis must match exactly",
        release="numpy 1",
    ),
    Template(
        "all input arrays must have the same shape",
        "stack",
        {"op": "stack"},
        example="np.stack([np.zeros(3), np.zeros(4)])",
    ),
    Template(
        "cannot reshape array of size {count:n} into shape {shape:shape}",
        "reshape",
        example="np.zeros((4, 6)).reshape(5, 5)  # 24",
    ),
    Template(
        "total size of new array must be unchanged",
        "only-dress",
        {"op": "reshape"},
        seen="total size of new array must be unchanged",
        release="numpy 1, Keras 1 and 2",
    ),
    Template(
        "axes don't match array",
        "only-dress",
        {"op": "transpose"},
        example="np.zeros((2, 3, 4)).transpose(0, 1)",
    ),
    Template(
        "cannot select an axis to squeeze out which has size not equal to one",
        "only-dress",
        {"op": "squeeze"},
        example="np.squeeze(np.zeros((2, 3)), axis=0)",
    ),
    Template(
        "axis {axis:axis} is out of bounds for array of dimension {rank:n}",
        "axis-range",
        example="np.zeros((5, 6)).sum(axis=2)  # rank 2",
    ),
    Template(
        "too many indices for array: array is {rank:n}-dimensional, but {got:n} were indexed",
        "axis-range",
        {"op": "indexing"},
        example="np.zeros((5, 6))[0, 0, 0]  # 3 of 2",
    ),
    Template(
        "too many indices for array",
        "only-dress",
        {"op": "indexing"},
        seen="too many indices for array",
        release="numpy 1",
    ),
    Template(
        "index {index:n} is out of bounds for axis {axis:axis} with size {size:n}",
        "index-range",
        example="np.zeros((3, 4))[7]  # axis 0",
    ),
    Template(
        "array split does not result in an equal division",
        "split",
        example="np.split(np.zeros(7), 2)",
    ),
    Template(
        "setting an array element with a sequence. The requested array has an inhomogeneous shape after {_:n} "
        "dimensions. The detected shape was {first:shape}",
        "samples",
        {"what": "a sequence"},
        example="np.array([[1, 2], [1, 2, 3]])",
    ),
    Template(
        "setting an array element with a sequence",
        "samples",
        {"what": "a sequence"},
        example="x = np.zeros(3); x[0] = [1, 2]",
    ),
    Template(
        "einstein sum subscripts string contains too many subscripts for operand {operand:n}",
        "einsum",
        example="np.einsum('ijk,k->ij', np.zeros((3, 4)), np.zeros(5))  # operand 0",
    ),
    Template(
        "operand has more dimensions than subscripts given in einstein sum",
        "einsum",
        example="np.einsum('i,i->i', np.zeros((3, 4)), np.zeros(3))",
    ),
    Template(
        "operands could not be broadcast together with remapped shapes [original->remapped]: {given:shape} and "
        "requested shape {target:shape}",
        "expand",
        example="np.broadcast_to(np.zeros((2, 3)), (5, 4))",
    ),
    Template(
        "operands could not be broadcast together with remapped shapes [original->remapped]:",
        "einsum",
        seen="operands could not be broadcast together with remapped shapes [original->remapped]: (3,4)->(3,newaxis,4)",
        release="numpy",
    ),
)

JAX: tuple[Template, ...] = (
    Template(
        "{op:word} got incompatible shapes for broadcasting: {left:shape}, {right:shape}",
        "elementwise",
        example="jnp.zeros((3, 4)) + jnp.zeros((3, 5))",
    ),
    Template(
        "Incompatible shapes for broadcasting: shapes=[{left:shape}, {right:shape}]",
        "elementwise",
        example="jnp.zeros((3, 4)) + jnp.zeros(5)",
    ),
    Template(
        "Incompatible shapes for broadcasting: shapes={inputs:shapes}",
        "elementwise",
        example="jnp.where(jnp.zeros(3) > 0, jnp.zeros(4), jnp.zeros(4))  # not 0",
    ),
    Template(
        "Incompatible shapes for broadcasting: ({left:shape}, {right:shape})",
        "elementwise",
        seen="Incompatible shapes for broadcasting: ((3, 4), (5,))",
        release="jax until 0.4",
    ),
    Template(
        "Incompatible shapes for broadcasting: {given:shape} and requested shape {target:shape}",
        "expand",
        seen="Incompatible shapes for broadcasting: (5,) and requested shape (3, 4)",
        release="jax until 0.5",
    ),
    Template(
        "dot_general requires contracting dimensions to have the same shape, got ({a:n},) and ({b:n},)",
        "matmul",
        example="jnp.zeros((3, 4)) @ jnp.zeros((5, 6))",
    ),
    Template(
        "dot_general requires lhs batch dimensions and rhs batch dimensions to have the same shape, got "
        "{left:shape} and {right:shape}",
        "batched-matmul",
        {"batch": True},
        example="jax.lax.dot_general(jnp.zeros((2, 3, 4)), jnp.zeros((5, 4, 6)), (((2,), (1,)), ((0,), (0,))))",
    ),
    Template(
        "Incompatible types for matmul arguments: {_:float32|float16|bfloat16|float64|int32}{left:shape} and "
        "{__:float32|float16|bfloat16|float64|int32}{right:shape}",
        "batched-matmul",
        example="jnp.matmul(jnp.zeros((2, 3, 4)), jnp.zeros((5, 4, 6)))",
    ),
    Template(
        "Incompatible shapes for {op:dot|matmul}: got {left:shape} and {right:shape}",
        "matmul",
        seen="Incompatible shapes for dot: got (3, 4) and (5, 6).",
        release="jax until 0.2",
    ),
    Template(
        "Cannot concatenate arrays with shapes that differ in dimensions other than the one being concatenated: "
        "concatenating along dimension {axis:axis} for shapes {inputs:shapes}",
        "concat",
        example="jnp.concatenate([jnp.zeros((2, 3)), jnp.zeros((4, 5))], axis=1)",
    ),
    Template(
        "Cannot concatenate arrays with different numbers of dimensions: got {inputs:shapes}",
        "concat",
        example="jnp.concatenate([jnp.zeros((2, 3)), jnp.zeros(4)], axis=0)",
    ),
    Template(
        "All input arrays must have the same shape. Got {first:shape}, {other:shape}",
        "stack",
        example="jnp.stack([jnp.zeros(3), jnp.zeros(4)])",
    ),
    Template(
        "cannot reshape array of shape {input:shape} (size {count:n}) into shape {shape:shape}",
        "reshape",
        example="jnp.zeros((4, 6)).reshape(5, 5)  # 24",
    ),
    Template(
        "transpose permutation isn't a permutation of operand dimensions, got permutation {permutation:shape} for "
        "operand shape {input:shape}",
        "axis-range",
        {"op": "transpose"},
        example="jnp.zeros((2, 3, 4)).transpose(0, 1)",
    ),
    Template(
        "cannot select an axis to squeeze out which has size not equal to one, got shape={input:shape} and "
        "dimensions=({axis:axis},)",
        "axis-range",
        {"op": "squeeze"},
        example="jnp.squeeze(jnp.zeros((2, 3)), 0)",
    ),
    Template(
        "Too many indices: array is {rank:n}-dimensional, but {got:n} were indexed",
        "axis-range",
        {"op": "indexing"},
        example="jnp.zeros((2, 3))[0, 0, 0]",
    ),
    Template(
        "lhs feature dimension size divided by feature_group_count must equal the rhs input feature dimension "
        "size, but {got:n} // {groups:n} != {expected:n}",
        "conv-channels",
        example="jax.lax.conv(jnp.zeros((1, 3, 8, 8)), jnp.zeros((4, 2, 3, 3)), (1, 1), 'SAME')",
    ),
    Template(
        "convolution requires lhs and rhs ndim to be equal, got {got:n} and {expected:n}",
        "rank",
        {"op": "convolution"},
        example="jax.lax.conv(jnp.zeros((1, 3, 8)), jnp.zeros((4, 3, 3, 3)), (1, 1), 'SAME')",
    ),
    Template(
        "vmap got inconsistent sizes for array axes to be mapped:{_:lines}had size {a:n}{__:lines}had size {b:n}",
        "elementwise",
        {"op": "vmap"},
        example="jax.vmap(lambda a, b: a + b)(jnp.zeros(3), jnp.zeros(4))",
    ),
    Template(
        "body function carry input and carry output must have equal types{_:lines}has type "
        "{__:float32|bfloat16|float16|int32}{first:shape} but the corresponding output carry component has type "
        "{___:float32|bfloat16|float16|int32}{other:shape}",
        "only-dress",
        {"op": "scan"},
        example="jax.lax.scan(lambda c, x: (jnp.concatenate([c, c]), x), jnp.zeros(1), jnp.zeros(3))  # 2",
    ),
    Template(
        "slice slice_sizes must be less than or equal to operand shape, got slice_sizes {requested:shape} for "
        "operand shape {input:shape}",
        "only-dress",
        {"op": "slice"},
        example="jax.lax.dynamic_slice(jnp.zeros(3), (0,), (5,))",
    ),
    Template(
        "got `which` shape {left:shape} but case shape {right:shape}",
        "elementwise",
        {"op": "select"},
        example="jax.lax.select(jnp.zeros(3) > 0, jnp.zeros(4), jnp.zeros(4))",
    ),
    Template(
        "boolean index did not match shape of indexed array in index {axis:axis}: got {mask:shape}, expected "
        "{input:shape}",
        "index-shape",
        example="jnp.zeros((3, 4))[jnp.zeros(5, bool)]  # index 0",
    ),
    Template(
        "indices and arr must have the same number of dimensions; {_:n} vs. {__:n}",
        "index-shape",
        example="jnp.take_along_axis(jnp.zeros((2, 3)), jnp.zeros(2, int), axis=1)",
    ),
    Template(
        "Initializer expected to generate shape {model:shape} but got shape {checkpoint:shape} instead for "
        "parameter {parameter:word}",
        "weights",
        seen='Initializer expected to generate shape (4, 8) but got shape (3, 8) instead for parameter "kernel" '
        'in "/Dense_0".',
        release="flax 0.5 and later",
    ),
    Template(
        "Inconsistent shapes between value and initializer for parameter {parameter:word} in {_:word}: "
        "{checkpoint:shape}, {model:shape}",
        "weights",
        seen='Inconsistent shapes between value and initializer for parameter "kernel" in "/Dense_0": (3, 8), (4, 8).',
        release="flax until 0.4",
    ),
)
