"""One thread: the models are too small to share between cores, and the cores are shared with other tests."""

import torch

torch.set_num_threads(1)
