"""The material of a task: media by URL, or text."""

from collections.abc import Mapping
from typing import Any

from refonte_studio.kit.urls import URL_LENGTH, checked_url
from refonte_studio.task_types.parts.checks import an_array, at, missing, refuse

_STORED = "studio://"  # a file stored on the server
_MEDIA = frozenset({"image", "video", "audio", "website", "pdf", "document"})
_CONTENT = ("content", "url", "attachment", "src")  # keys of an attachment object that may hold its URL
_LISTS = ("attachments", "context_attachments")
_NEVER = ("javascript:", "vbscript:", "data:", "file:", "blob:")
_MAX_DEPTH = 10


def check_attachments(params: Mapping[str, Any], only_media: bool) -> None:
    """Checks that every attachment except text is a usable URL; `only_media` if the type has no text."""
    written = params.get("attachment_type")
    kind = written.strip().lower() if isinstance(written, str) else None
    if params.get("attachment"):
        _check_one(params["attachment"], "attachment", kind, only_media)
    for name in _LISTS:
        for index, each in enumerate(an_array(params.get(name) or [], name)):
            _check_attached(each, at(name, index), kind, only_media and name == "attachments")
    if params.get("video_url"):
        check_source(params["video_url"], "video_url")
    _check_layers(params.get("layers"), "layers", _MAX_DEPTH)


def _check_attached(attached: object, path: str, kind: str | None, only_media: bool) -> None:
    if not isinstance(attached, dict):
        _check_one(attached, path, kind, only_media)
        return
    own = attached.get("type")
    own = own.strip().lower() if isinstance(own, str) else kind
    for name in _CONTENT:
        if isinstance(attached.get(name), str):
            _check_one(attached[name], at(path, name), own, only_media and own != "text")


def _check_one(value: object, path: str, kind: str | None, only_media: bool) -> None:
    if kind == "text" and not only_media:
        return
    if only_media or kind in _MEDIA or _is_meant_as_url(value):
        check_source(value, path)


def _is_meant_as_url(value: object) -> bool:
    """Whether a value that may be text or a URL is meant as a URL: a single word with a scheme."""
    if not isinstance(value, str):
        return False
    word = value.strip().lower()
    return word.startswith(_NEVER) or ("://" in word and len(word.split()) == 1)


def check_source(value: object, path: str) -> str:
    """Returns the URL of a source: on the web, or a file stored on the server."""
    if not isinstance(value, str):
        refuse(path, value, "is not a URL")
    if not value.startswith(_STORED):
        return checked_url(path, value)
    if len(value) > URL_LENGTH:
        missing(path, f"has {len(value)} characters, at most {URL_LENGTH} are allowed")
    place = value.removeprefix(_STORED)
    if not place or any(each.isspace() or not each.isprintable() for each in place):
        refuse(path, value, "is not the attachment_url of a file")
    return value


def _check_layers(value: object, path: str, depth: int) -> None:
    """Checks layers, which hold drawings in any form, for valid URLs."""
    if depth == 0:
        missing(path, f"is nested more than {_MAX_DEPTH} deep")
    if isinstance(value, dict):
        for name, each in value.items():
            if name in _CONTENT and isinstance(each, str):
                check_source(each, at(path, name))
            elif isinstance(each, dict | list):
                _check_layers(each, at(path, name), depth - 1)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, dict | list):
                _check_layers(each, at(path, index), depth - 1)
