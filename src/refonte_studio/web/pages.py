"""The two pages that somebody without an account sees: set-up and invitation.

Each is one self-contained document that talks to the API beside it; the server renders it without asking the
database, so that a page tells nothing about a token before it is used.
"""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response, get

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages_html"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, **values: Any) -> Response[bytes]:
    """A page with its security headers: nothing runs, loads or connects but what it brings itself."""
    nonce = secrets.token_urlsafe(16)
    policy = {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce}'",
        "style-src": f"'nonce-{nonce}'",
        "connect-src": "'self'",
        "img-src": "data:",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    html = _environment.get_template(template).render(nonce=nonce, **values)
    return Response(html.encode(), media_type="text/html", headers=headers)


@get("/setup/{token:str}", include_in_schema=False)
async def setup_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Where the server's first user makes a team and becomes its admin."""
    return page("setup.html", token=unquote(request.path_params["token"]))


@get("/invite/{token:str}", include_in_schema=False)
async def invite_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Where an invited person joins."""
    return page("invite.html", token=unquote(request.path_params["token"]))


PAGES = [setup_page, invite_page]
