"""What generation costs: ours beside other ways, on this machine."""
