"""The API as people of the demo call it: the application in this process, without a network."""

from typing import Any

import httpx
from starlette.types import ASGIApp


class Api:
    """Calls the API with a person's key. A failed call is a bug of the demo."""

    def __init__(self, app: ASGIApp) -> None:
        untyped: Any = app  # httpx has a narrower type for applications
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(untyped), base_url="http://demo")

    async def get(self, key: str, path: str) -> Any:
        """Returns the JSON of the response. Paths start after /v1."""
        return await self._call("GET", key, path)

    async def file(self, key: str, address: str) -> bytes:
        """Returns the bytes of a file, by the address shown to a labeler."""
        answer = await self._http.get(address, headers={"Authorization": f"Bearer {key}"})
        answer.raise_for_status()
        return answer.content

    async def post(self, key: str, path: str, body: Any = None, **more: Any) -> Any:
        """Returns the JSON of the response; None for 204."""
        if body is not None:
            more["json"] = body
        return await self._call("POST", key, path, **more)

    async def _call(self, method: str, key: str, path: str, **more: Any) -> Any:
        answer = await self._http.request(method, f"/v1{path}", headers={"Authorization": f"Bearer {key}"}, **more)
        if answer.is_error:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None

    async def upload(self, key: str, name: str, picture: bytes, project: str) -> str:
        """Uploads a picture. Returns its attachment URL."""
        file = (name, picture, "image/png")
        answer = await self.post(key, "/files/upload", files={"file": file}, data={"project_name": project})
        return answer["attachment_url"]

    async def close(self) -> None:
        await self._http.aclose()
