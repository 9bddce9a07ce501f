"""The API as the demo's people call it: the application itself, in this process, without a network."""

from typing import Any

import httpx
from starlette.types import ASGIApp


class Api:
    """Calls with a person's key. Every call must succeed; one that does not is a bug of the demo."""

    def __init__(self, app: ASGIApp) -> None:
        untyped: Any = app  # httpx has a narrower type for applications
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(untyped), base_url="http://demo")

    async def get(self, key: str, path: str) -> Any:
        """The JSON of the answer. Paths begin after /v1."""
        return await self._call("GET", key, path)

    async def file(self, key: str, address: str) -> bytes:
        """The bytes of a file, by its address as a labeler is given it."""
        answer = await self._http.get(address, headers={"Authorization": f"Bearer {key}"})
        answer.raise_for_status()
        return answer.content

    async def post(self, key: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of the answer; None for 204."""
        if body is not None:
            more["json"] = body
        return await self._call("POST", key, path, **more)

    async def _call(self, method: str, key: str, path: str, **more: Any) -> Any:
        answer = await self._http.request(method, f"/v1{path}", headers={"Authorization": f"Bearer {key}"}, **more)
        if answer.is_error:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None

    async def upload(self, key: str, name: str, picture: bytes, project: str) -> str:
        """The attachment URL of a new picture."""
        file = (name, picture, "image/png")
        answer = await self.post(key, "/files/upload", files={"file": file}, data={"project_name": project})
        return answer["attachment_url"]

    async def close(self) -> None:
        await self._http.aclose()
