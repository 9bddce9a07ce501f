"""What a person sees of the task that they hold. The only place that turns what is stored into what is shown.

Nothing that a labeler is given tells an evaluation task from a task for work: ids of tasks and of files hold the time
of creation, so labelers get neither. See `docs/explanation/quality.md`.
"""

import re

import msgspec

from refonte_studio import task_types
from refonte_studio.dispatch.model import HeldTask, ShownTask
from refonte_studio.files.model import FILES
from refonte_studio.kit.caller import Caller, Permission

# Parameters that no editor needs, and that may differ between tasks for work and for evaluation.
MANAGERS_ALONE = frozenset(
    {"callback_url", "clear_unique_id_on_error", "isProcessed", "numberOfCompletions", "pass_mark", "priority"}
    | {"responses_required", "unique_id", "urgency"}
)
_FILE = re.compile(rf"{re.escape(FILES)}([0-9a-f]{{24}})(?![0-9a-f])")


def task(held: HeldTask) -> ShownTask:
    """The task as the holder of the claim sees it."""
    caller, claim = held.caller, held.claim
    stored = held.params
    if not caller.may(Permission.READ):
        stored = _with_file_addresses(stored, claim.id)
    params = task_types.params_for_labeler(held.type, stored, claim.teammate_id, claim.task_id)
    given = msgspec.json.decode(params, type=dict[str, msgspec.Raw])
    if not caller.may(Permission.READ):
        shown = {name: given[name] for name in sorted(given) if name not in MANAGERS_ALONE}
        params = msgspec.json.encode(shown)  # sorted, since their order would tell how the task was made
    instruction = msgspec.json.decode(given["instruction"]) if "instruction" in given else None
    return ShownTask(caller.id_of(claim.task_id), instruction or "", params)


def file_id(caller: Caller, params: str, name: str) -> str | None:
    """The id of the file that `/v1/work/{claim}/files/{name}` stands for; None if the task has no such file.

    Files are numbered from 1, in the order in which the parameters name them for the first time. Those who get the
    real addresses may also use the id in them.
    """
    ids = _file_ids(params)
    if name.isascii() and name.isdecimal() and len(name) < 10 and str(int(name)) == name:
        number = int(name)
        return ids[number - 1] if 0 < number <= len(ids) else None
    return name if caller.may(Permission.READ) and name in ids else None


def file_name(caller: Caller, number: str, name: str) -> str:
    """The name under which a file is served: to a labeler, only what tells the kind of file."""
    if caller.may(Permission.READ):
        return name
    _, dot, extension = name.rpartition(".")
    return (
        f"file-{number}.{extension.lower()}"
        if dot and re.fullmatch(r"[A-Za-z0-9]{1,5}", extension)
        else f"file-{number}"
    )


def _file_ids(params: str) -> list[str]:
    return list(dict.fromkeys(_FILE.findall(params)))


def _with_file_addresses(params: str, claim_id: str) -> str:
    """Parameters (JSON text) with the addresses of their files under the claim."""
    if FILES not in params:
        return params
    numbers = {found: number for number, found in enumerate(_file_ids(params), 1)}
    return _FILE.sub(lambda found: f"/v1/work/{claim_id}/files/{numbers[found[1]]}", params)
