"""All settings, in one object, from the environment (`STUDIO_…`) and the command's flags."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from refonte_studio.kit.clients import TrustedProxies
from refonte_studio.kit.redaction import scheme_hint

POSTGRESQL = ("postgresql://", "postgres://")  # how its URLs begin
Positive = Annotated[int, Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting. The environment variable of a field is `STUDIO_` and its name in capitals."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8000
    data: str = "data"  # folder of the SQLite file
    database: str = ""  # sqlite:///path or postgresql://…; empty: sqlite in `data`
    replica: str = ""  # postgresql://… of a copy to read lists and exports from; empty: the database itself
    workers: Positive = 1  # server processes; more than one needs PostgreSQL
    public_url: str = ""  # how people reach the server, for links; empty: http://host:port
    pool_size: Positive = 12  # PostgreSQL connections of one process

    lease_s: Positive = 1_800  # how long a claim is held without being extended
    invitation_days: Positive = 7
    session_days: Positive = 30

    # Of one process; what is beyond them is answered with 503.
    connection_limit: Positive = 4_096
    address_connection_limit: Positive = 2_048  # of those, the ones that come from one address
    request_limit: Positive = 1_024  # under way at a time
    bulk_limit: Positive = 8  # imports and exports under way at a time

    body_limit_bytes: Positive = 10_000_000
    import_limit_bytes: Positive = 2_000_000_000
    line_limit_bytes: Positive = 1_000_000  # of one line of an import
    file_limit_bytes: Positive = 200_000_000

    smtp_host: str = ""  # empty: no mail is sent, links are in the log and in the answer to the inviter
    smtp_port: Positive = 587
    smtp_tls: str = "starttls"  # starttls, tls or none
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_from: str = ""

    # Hosts on private networks, or on this machine, that callbacks and file imports may reach, split at commas.
    internal_hosts: str = ""

    # Addresses and networks of the proxies whose X-Forwarded-For and Forwarded headers are believed, split at commas.
    trusted_proxies: str = ""

    @property
    def database_url(self) -> str:
        """Where the data is. A relative SQLite path is made absolute."""
        return self.database or f"sqlite:///{Path(self.data).resolve() / 'studio.db'}"

    @property
    def base_url(self) -> str:
        """How people reach the server, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether people reach the server over TLS, so that cookies must not travel otherwise."""
        return self.base_url.startswith("https://")


def load(environment: Mapping[str, str] = os.environ, **flags: Any) -> Settings:
    """Settings from the environment, overridden by the flags that are not None. Raises ValueError naming a bad one."""
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        variable = f"STUDIO_{field.name.upper()}"
        value = flags.get(field.name)
        value = environment.get(variable) if value is None else value
        if value is None:
            continue
        try:
            given[field.name] = msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(f"{variable} must not be {value!r}: {error}") from error
    settings = Settings(**given)
    if settings.smtp_tls not in ("starttls", "tls", "none"):
        raise ValueError(f"STUDIO_SMTP_TLS must be starttls, tls or none, not {settings.smtp_tls!r}")
    try:
        TrustedProxies.of(settings.trusted_proxies)
    except ValueError as error:
        raise ValueError(f"STUDIO_TRUSTED_PROXIES must be addresses and networks split at commas: {error}") from error
    if settings.database == "sqlite:///":
        raise ValueError("STUDIO_DATABASE must name a file after sqlite:///")
    if settings.replica:
        _check_replica(settings)
    return settings


def _check_replica(settings: Settings) -> None:
    if not settings.replica.startswith(POSTGRESQL):
        raise ValueError(f"STUDIO_REPLICA must begin with postgresql://{scheme_hint(settings.replica)}")
    if not settings.database_url.startswith(POSTGRESQL):
        raise ValueError("STUDIO_REPLICA is for PostgreSQL: SQLite has no replicas, so leave it out")


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment from which `load` makes the same settings, for another process."""
    return {f"STUDIO_{name.upper()}": str(value) for name, value in msgspec.structs.asdict(settings).items()}
