"""The order of callbacks, the schedule of retries, and signatures."""

import base64
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook

from refonte_studio.callbacks.model import CallbackSecrets, is_again, team_of
from refonte_studio.kit.backoff import RetrySchedule
from refonte_studio.kit.clock import DAY_MS, SECOND_MS
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.redaction import redacted

# A receiver that is down for a day still receives everything.
SCHEDULE = RetrySchedule((5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 36_000), jitter=0.2)
LEASE_MS = 60 * SECOND_MS  # a try without a result counts as lost after this time
KEPT_MS = 30 * DAY_MS  # how long a callback stays in the list
ERROR_LENGTH = 300

# Upper bounds on concurrent tries in one process. Retries may take only part of the slots, so that failing receivers
# never fill all of them.
SLOTS = 32  # of tries, in all
RETRY_SLOTS = 24
TEAM_SLOTS = 8
TEAM_RETRY_SLOTS = 4
LANE_SLOTS = 4

AUTH_LENGTH = (16, 256)


# ------------------------------------------------------------------------------------------- whose turn it is


def tries_to_start(due: Mapping[str, int], under_way: Mapping[str, int], limit: int) -> dict[str, int]:
    """Returns how many tries each lane may start now, `limit` in total.

    `due` maps each lane with due callbacks to the time since when; `under_way` counts running tries by lane. The fewest
    running tries come first: by team, then first tries before retries, then by lane.
    """
    lanes: Counter[str] = Counter(under_way)
    teams: Counter[tuple[str, bool]] = Counter()
    for each, count in under_way.items():
        teams[team_of(each), is_again(each)] += count
    begun: Counter[str] = Counter()

    def of_team(each: str) -> int:
        return teams[team_of(each), False] + teams[team_of(each), True]

    def has_slot(each: str) -> bool:
        if lanes[each] >= LANE_SLOTS or of_team(each) >= TEAM_SLOTS:
            return False
        retries = sum(count for (_, again), count in teams.items() if again)
        team_retries = teams[team_of(each), True]
        return not is_again(each) or (team_retries < TEAM_RETRY_SLOTS and retries < RETRY_SLOTS)

    for _ in range(min(limit, SLOTS - lanes.total())):
        waiting = [each for each in due if has_slot(each)]
        if not waiting:
            break
        chosen = min(waiting, key=lambda each: (of_team(each), is_again(each), lanes[each], due[each], each))
        for counter in (lanes, begun):
            counter[chosen] += 1
        teams[team_of(chosen), is_again(chosen)] += 1
    return dict(begun)


# ----------------------------------------------------------------------------------------- what comes of a try


def pause_ms(tries: int, chance: float) -> int | None:
    """Returns how long to wait after this many failed tries, in milliseconds, or None to give up. `chance`, from 0 to
    1, spreads retries."""
    pause_s = SCHEDULE.pause_s(tries, chance)
    return None if pause_s is None else round(pause_s * SECOND_MS)


def error_shown(error: str) -> str:
    """Formats the reason of a failed try: one line, limited in length, without user information in URLs."""
    line = "".join(character if character.isprintable() else " " for character in redacted(error))
    return line[:ERROR_LENGTH]


# --------------------------------------------------------------------------------- how a receiver knows who sent it


def signing_secret(secret: str) -> str:
    """Returns the team's secret in the form that Standard Webhooks libraries expect."""
    return f"whsec_{base64.b64encode(secret.encode()).decode()}"


def checked_auth(secret: str) -> str:
    """Returns a valid secret for the header scale-callback-auth. Raises BadInput without showing it."""
    least, most = AUTH_LENGTH
    if not least <= len(secret) <= most:
        raise BadInput(f"secret must have {least} to {most} characters; it has {len(secret):,}")
    if not all("!" <= character <= "~" for character in secret):
        raise BadInput("secret must consist of ASCII letters, digits and signs, without spaces: it is sent in a header")
    return secret


def headers(keys: CallbackSecrets, callback_id: str, body: bytes, now: int) -> dict[str, str]:
    """Returns the headers that prove to a receiver that the body is genuine and recent."""
    sent_at = datetime.fromtimestamp(now // SECOND_MS, UTC)
    message_id = f"msg_{callback_id}"
    made = {
        "webhook-id": message_id,
        "webhook-timestamp": str(now // SECOND_MS),
        "webhook-signature": Webhook(signing_secret(keys.secret)).sign(message_id, sent_at, body.decode()),
    }
    return made if keys.auth is None else {**made, "scale-callback-auth": keys.auth}
