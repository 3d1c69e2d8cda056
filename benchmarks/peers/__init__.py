"""The same small shop as other stacks' own documentation teaches to write it."""
