"""The operations of files."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from refonte_studio.db import Tx
from refonte_studio.files import service
from refonte_studio.files.model import File
from refonte_studio.files.service import outbound
from refonte_studio.files.service.download import fetch
from refonte_studio.files.service.streams import incoming
from refonte_studio.files.service.upload_form import read_form
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.kit.urls import checked_url
from refonte_studio.web import Body, Call, HttpResponse, Operations, Params
from refonte_studio.web.params import read_params

operations = Operations("Files")


class FileOut(msgspec.Struct, kw_only=True):
    """A file. Tasks refer to it by its `attachment_url`."""

    id: str
    attachment_url: str
    name: str
    mime_type: str
    size: int
    project_names: list[str]
    created_at: str
    updated_at: str
    display_name: str | UnsetType = UNSET
    reference_id: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET

    @classmethod
    def of(cls, file: File) -> "FileOut":
        return cls(
            id=file.id,
            attachment_url=file.attachment_url,
            name=file.name,
            mime_type=file.mime_type,
            size=file.size,
            project_names=list(file.project_names),
            created_at=iso(file.created_at),
            updated_at=iso(file.updated_at),
            display_name=UNSET if file.display_name is None else file.display_name,
            reference_id=UNSET if file.reference_id is None else file.reference_id,
            metadata=UNSET if file.metadata == "{}" else msgspec.json.decode(file.metadata),
        )


class FileParams(Params, kw_only=True):
    """The properties that a client may give a file."""

    project_name: str | None = None
    project_names: list[str] | None = None
    display_name: str | None = None
    reference_id: str | None = None
    metadata: dict[str, Any] | None = None

    @property
    def projects(self) -> list[str]:
        """The projects that the file belongs to."""
        return [*([self.project_name] if self.project_name else []), *(self.project_names or [])]


class FetchParams(FileParams, kw_only=True):
    file_url: str


FIELDS = frozenset(FileParams.__struct_fields__)
EXAMPLE_FILE = {
    "id": "653a4b9f8f1d2e3a4b5c6d80",
    "attachment_url": "studio://files/653a4b9f8f1d2e3a4b5c6d80",
    "name": "n02085620_7.jpg",
    "mime_type": "image/jpeg",
    "size": 34071,
    "project_names": ["Dog breeds"],
    "created_at": "2023-10-26T11:21:03.104Z",
    "updated_at": "2023-10-26T11:21:03.311Z",
}
FORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The file itself."},
        "project_name": {"type": "string", "description": "The project that the file belongs to."},
        "project_names": {"type": "array", "items": {"type": "string"}, "description": "Several projects."},
        "display_name": {"type": "string", "description": "The display name of the file."},
        "reference_id": {"type": "string", "description": "Your own id of the file; no two files have the same."},
        "metadata": {"type": "object", "description": "Your own keys and values."},
    },
    "required": ["file"],
    "additionalProperties": False,
}


@operations.add(
    "POST",
    "/v1/files/upload",
    may=Permission.MANAGE,
    answer=FileOut,
    params=FileParams,
    body=Body.STREAM,
    body_schema=FORM_SCHEMA,
    body_type="multipart/form-data",
    errors=(409,),
    example={"project_name": "Dog breeds"},
    example_answer=EXAMPLE_FILE,
)
async def upload_file(call: Call, params: FileParams) -> FileOut:
    """Upload a file, as the field `file` of a form.

    The `attachment_url` of the response can be used wherever a task takes an attachment. A `reference_id` that another
    file has is rejected with 409.
    """
    limit_bytes = call.studio.settings.file_limit_bytes
    file_id = await call.db.write(service.begin, call.caller, call.now)
    async with incoming(call.db, file_id, limit_bytes, call.caller.team_id) as file:
        form = await read_form(call.content_type, call.stream(), FIELDS, limit_bytes, file.write)
        if form.filename is None:
            raise BadInput("file is required")
        about = read_params(FileParams, form.fields, _given(params))
        await file.flush()
        made = await _finish(call, file_id, form.filename, form.mime_type, file.size, about)
        file.finished = True
    return made


def _given(params: FileParams) -> dict[str, Any]:
    """The parameters of a query, to be joined with those of a form."""
    given = {name: getattr(params, name) for name in FileParams.__struct_fields__}
    return {name: value for name, value in given.items() if value is not None}


@operations.add(
    "POST",
    "/v1/files/import",
    may=Permission.MANAGE,
    answer=FileOut,
    params=FetchParams,
    errors=(409, 413),
    example={"file_url": "https://example.com/dogs/n02085620_7.jpg", "project_name": "Dog breeds"},
    example_answer=EXAMPLE_FILE,
)
async def import_file(call: Call, params: FetchParams) -> FileOut:
    """Import a file from a URL.

    The URL must be on the public internet, or on a host that the server's settings list.
    """
    checked_url("file_url", params.file_url)
    await call.db.read(service.check_about, call.caller, params.projects, params.reference_id)
    file_id = await call.db.write(service.begin, call.caller, call.now)
    limit_bytes = call.studio.settings.file_limit_bytes
    async with (
        incoming(call.db, file_id, limit_bytes, call.caller.team_id) as file,
        outbound.client(call.studio.settings) as client,
    ):
        fetched = await fetch(client, params.file_url, file.write)
        await file.flush()
        made = await _finish(call, file_id, fetched.name, fetched.mime_type, file.size, params)
        file.finished = True
    return made


async def _finish(call: Call, file_id: str, name: str, mime_type: str, size: int, about: FileParams) -> FileOut:
    file = await call.db.write(
        service.finish,
        call.caller,
        file_id,
        name=name,
        display_name=about.display_name or None,
        reference_id=about.reference_id,
        mime_type=mime_type,
        size=size,
        project_names=about.projects,
        metadata=about.metadata or {},
        now=call.now,
    )
    return FileOut.of(file)


class ListFiles(Params):
    reference_id: str | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class FilesOut(msgspec.Struct, kw_only=True):
    """A page of files, newest first."""

    docs: list[FileOut]
    limit: int
    has_more: bool
    next_token: str | UnsetType = UNSET


@operations.add(
    "GET",
    "/v1/files",
    may=Permission.MANAGE,
    params=ListFiles,
    answer=FilesOut,
    example={"limit": 1},
    example_answer={"docs": [EXAMPLE_FILE], "limit": 1, "has_more": True, "next_token": EXAMPLE_FILE["id"]},
)
async def list_files(call: Call, params: ListFiles) -> FilesOut:
    """List files, newest first.

    Returns the files of the team in the mode of the key. `next_token` opens the next page. With `reference_id`, returns
    the file that has it, if any.
    """
    page = await call.db.read(service.files_page, call.caller, params.reference_id, params.limit, params.next_token)
    token = UNSET if page.next_token is None else page.next_token
    docs = [FileOut.of(file) for file in page.docs]
    return FilesOut(docs=docs, limit=page.limit, has_more=page.has_more, next_token=token)


async def locate_file(tx: Tx, caller: Caller, path: Mapping[str, str]) -> object:
    return await service.find(tx, caller.team_id, caller.mode, path["id"])


@operations.add(
    "GET",
    "/v1/files/{id}",
    may=Permission.MANAGE,
    answer={"type": "string", "format": "binary", "description": "The file's bytes."},
    locate=locate_file,
    media_type="application/octet-stream",
)
async def get_file(call: Call, _params: Params) -> HttpResponse:
    """Get the content of a file, with its own type.

    A `Range` header requests a part of it, which is returned with 206.
    """
    file = await call.db.read(service.find, call.caller.team_id, call.caller.mode, call.path["id"])
    made = service.served(call.db, file, call.range)
    return HttpResponse(made.content, made.status, made.media_type, made.headers)
