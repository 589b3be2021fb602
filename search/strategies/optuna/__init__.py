"""Search guided by Optuna's samplers, over ordered slots of a prompt."""
