"""One module per benchmark; each is a command: `python -m bench.scenarios.<name> --help`."""
