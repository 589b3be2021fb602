"""The files of a run: config, manifest, journal, amendments, lock."""
