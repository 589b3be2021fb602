"""The runs of a folder for people: listed, compared, tagged, and looked at in a browser."""
