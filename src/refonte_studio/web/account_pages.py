"""The two pages for people without an account: set-up and invitation.

Each is one self-contained document that calls the API from the browser. The server renders it without asking the
database, so that a page reveals nothing about a token before it is used.
"""

import secrets
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from refonte_studio.web.routing import PageRoute

_environment = Environment(
    loader=PackageLoader("refonte_studio.web", "templates/accounts"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, token: str) -> Response:
    """A page with security headers: only its own scripts and styles run, and it connects to this server alone."""
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
    html = _environment.get_template(template).render(nonce=nonce, token=token)
    return Response(html, media_type="text/html", headers=headers)


async def setup_page(request: Request) -> Response:
    """Where the first user of the server creates a team and becomes its admin."""
    return page("setup.html", token=unquote(request.path_params["token"]))


async def invite_page(request: Request) -> Response:
    """Where an invited person joins a team."""
    return page("invite.html", token=unquote(request.path_params["token"]))


ACCOUNT_PAGES = (
    PageRoute("/setup/{token}", setup_page, ("GET",)),
    PageRoute("/invite/{token}", invite_page, ("GET",)),
)
