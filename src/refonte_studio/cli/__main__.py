"""`python -m refonte_studio.cli`: the command when it is not on the PATH."""

from refonte_studio.cli import app

app(prog_name="refonte-studio")
