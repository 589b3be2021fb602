"""What can go wrong with a fine-tuning. It concerns one model alone; others are not concerned."""

from configs.errors import DemosearchError


class FinetuningFailed(DemosearchError):
    """A model that cannot be trained on these examples; the text says why."""


class FinetuningDiverged(FinetuningFailed):
    """The loss or the weights are no numbers any more."""


class FinetuningOutOfMemory(FinetuningFailed):
    """The device's memory does not hold the training."""
