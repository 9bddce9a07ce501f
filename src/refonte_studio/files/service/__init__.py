"""The parts of `files` that other rooms may use."""

from refonte_studio.files.service.files import begin, check_about, files_page, find, finish, sweep_unfinished
from refonte_studio.files.service.streams import served

__all__ = ["begin", "check_about", "files_page", "find", "finish", "served", "sweep_unfinished"]
