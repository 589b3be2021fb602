"""Many worker processes as one model: queues, prefix affinity, lost workers."""
