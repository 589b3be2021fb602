"""What generates and rates in this process: one library a file."""
