"""Run experiments: plans made of steps, and the engine that does each step once."""
