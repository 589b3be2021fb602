"""Every knob, one noun a file. Units and ranges stand in the descriptions; an unknown knob is an error.

Paths in a YAML file are relative to that file; paths given on the command line are relative to where it is typed.
"""
