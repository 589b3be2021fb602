"""The way of a block of questions: answered, judged, scored and kept, wired the same for everybody."""
