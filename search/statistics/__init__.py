"""What scores say: intervals, demonstrations' effects, the best set, how sure a winner is."""
