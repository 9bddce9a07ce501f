"""All settings in one object, read from the environment (`STUDIO_…`) and from command-line options."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from refonte_studio.kit.clients import TrustedProxies
from refonte_studio.kit.redaction import scheme_hint

POSTGRESQL = ("postgresql://", "postgres://")  # prefixes of its URLs
Positive = Annotated[int, Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting. The environment variable of a field is `STUDIO_` followed by its name in capitals."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8000
    data: str = "data"  # folder of the SQLite file
    database: str = ""  # sqlite:///path or postgresql://…; empty: sqlite in `data`
    replica: str = ""  # postgresql://… of a replica from which to read lists and exports; empty: the database itself
    workers: Positive = 1  # server processes; more than one needs PostgreSQL
    public_url: str = ""  # the server's URL for users, for links; empty: http://host:port
    pool_size: Positive = 12  # PostgreSQL connections per process

    lease_s: Positive = 1_800  # lease of a claim that is not extended
    invitation_days: Positive = 7
    session_days: Positive = 30

    # Per process; requests above these limits are answered with 503.
    connection_limit: Positive = 4_096
    address_connection_limit: Positive = 2_048  # of those, connections from one address
    request_limit: Positive = 1_024  # concurrent requests
    bulk_limit: Positive = 8  # concurrent imports and exports

    body_limit_bytes: Positive = 10_000_000
    import_limit_bytes: Positive = 2_000_000_000
    line_limit_bytes: Positive = 1_000_000  # per line of an import
    file_limit_bytes: Positive = 200_000_000

    smtp_host: str = ""  # empty: no mail is sent; links appear in the log and in the response to the inviter
    smtp_port: Positive = 587
    smtp_tls: str = "starttls"  # starttls, tls or none
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_from: str = ""

    # Comma-separated hosts on private networks, or on this machine, that callbacks and file imports may reach.
    internal_hosts: str = ""

    # Comma-separated addresses and networks of the proxies whose X-Forwarded-For and Forwarded headers are trusted.
    trusted_proxies: str = ""

    @property
    def database_url(self) -> str:
        """The URL of the database. A relative SQLite path is made absolute."""
        return self.database or f"sqlite:///{Path(self.data).resolve() / 'studio.db'}"

    @property
    def base_url(self) -> str:
        """The server's URL for users, without a trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether users reach the server over TLS, so that cookies must not be sent otherwise."""
        return self.base_url.startswith("https://")


def load(environment: Mapping[str, str] = os.environ, **flags: Any) -> Settings:
    """Reads settings from the environment, overridden by flags that are not None. Raises ValueError naming an invalid
    one."""
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
        raise ValueError(f"STUDIO_TRUSTED_PROXIES must be comma-separated addresses and networks: {error}") from error
    if settings.database == "sqlite:///":
        raise ValueError("STUDIO_DATABASE must name a file after sqlite:///")
    if settings.replica:
        _check_replica(settings)
    return settings


def _check_replica(settings: Settings) -> None:
    if not settings.replica.startswith(POSTGRESQL):
        raise ValueError(f"STUDIO_REPLICA must begin with postgresql://{scheme_hint(settings.replica)}")
    if not settings.database_url.startswith(POSTGRESQL):
        raise ValueError("STUDIO_REPLICA requires PostgreSQL, because SQLite has no replicas; remove it")


def environment_of(settings: Settings) -> dict[str, str]:
    """Returns the environment from which `load` recreates these settings in another process."""
    return {f"STUDIO_{name.upper()}": str(value) for name, value in msgspec.structs.asdict(settings).items()}
