"""Generation behind one shared prefix, with what any engine of transformers needs; one noun a file."""
