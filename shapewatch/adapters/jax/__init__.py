"""JAX's operations, for Keras on JAX."""
