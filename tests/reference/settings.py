"""The page about settings, from the fields and defaults of `config.Settings`."""

from collections.abc import Mapping

import msgspec

from refonte_studio.config import Settings
from tests.reference.markdown import table

INTRO = """\
# Settings

Every setting is an environment variable. `refonte-studio serve --help` shows the ones that are command-line flags too;
a flag overrides the variable. A value that is not valid stops the server at start, with a message that names it.

"""

# Every setting, in words. A new setting needs a line here.
DESCRIPTIONS: Mapping[str, str] = {
    "host": "Address to listen on; `0.0.0.0` listens on every IPv4 address.",
    "port": "Port to listen on; `0` picks a free port.",
    "data": "Folder of the SQLite file `studio.db`.",
    "database": "`sqlite:///path` or `postgresql://…`. Empty: the SQLite file in `STUDIO_DATA`.",
    "replica": "`postgresql://…` of a read replica for [lists and exports](../how-to/run-a-server.md#read-replicas). "
    "Empty: the database itself.",
    "workers": "Number of server processes. More than one needs PostgreSQL.",
    "public_url": "Address at which people reach the server, for links and cookies. Empty: `http://host:port`.",
    "pool_size": "PostgreSQL connections of one process.",
    "lease_s": "Seconds for which a claim is held unless it is extended.",
    "invitation_days": "Days for which an invitation is valid.",
    "session_days": "Days for which a browser stays signed in.",
    "connection_limit": "Upper bound on connections to one process; see [limits](../how-to/run-a-server.md#limits).",
    "address_connection_limit": "Upper bound on connections to one process from one client address.",
    "request_limit": "Upper bound on concurrent requests in one process.",
    "bulk_limit": "Upper bound on concurrent imports and exports in one process.",
    "body_limit_bytes": "Largest request body, except for imports and files.",
    "import_limit_bytes": "Largest import.",
    "line_limit_bytes": "Longest line of an import.",
    "file_limit_bytes": "Largest file.",
    "smtp_host": "Mail server. Empty: no mail is sent.",
    "smtp_port": "Port of the mail server.",
    "smtp_tls": "`starttls`, `tls` (TLS from the first byte, usually on port 465) or `none`.",
    "smtp_user": "User name for the mail server. Empty: the server does not sign in.",
    "smtp_password": "Password for the mail server.",
    "smtp_from": "Sender address of mails.",
    "internal_hosts": "Hosts on private networks, or on this machine, that callbacks and file imports may reach, "
    "separated by commas: `localhost,receiver.internal`.",
    "trusted_proxies": "Addresses and networks of your reverse proxies, separated by commas: `10.0.0.5,fd00::/8`. The "
    "server takes the client's address from their `X-Forwarded-For` and `Forwarded` headers; see "
    "[Behind a reverse proxy](../how-to/run-a-server.md#behind-a-reverse-proxy).",
}


def document() -> str:
    defaults = msgspec.structs.asdict(Settings())
    rows = [
        (f"`STUDIO_{name.upper()}`", f"`{default}`" if default != "" else "", DESCRIPTIONS[name])
        for name, default in defaults.items()
    ]
    return INTRO + table(("variable", "default", "meaning"), rows)
