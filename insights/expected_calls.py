"""What the engine `model` would ask, from the very code that asks it."""
