"""The command line: one file a verb. ``litotes.cli.main:main`` is the program."""
