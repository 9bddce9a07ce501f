"""The names that SQL uses beside those of tables and columns: one alias for each table, one spelling of each parameter.

Whoever has read one statement can then read the next. A test holds the stores to it.
"""

# One letter for the tables that many statements join, two for the others. Where a statement reads a table twice, the
# second time has a word behind the alias that says what for: `u_importer`, `r_later`. What is no table (a subquery in
# FROM, or a query in WITH) has a name of at least three letters.
ALIASES: dict[str, str] = {
    "teams": "o",  # an organization
    "setup_links": "sl",
    "teammates": "u",
    "sessions": "v",
    "page_ends": "pe",
    "sign_in_failures": "sf",
    "keys": "k",
    "projects": "p",
    "project_params": "pp",
    "assignments": "a",
    "reviewers": "rv",
    "groups": "gr",
    "group_members": "m",
    "files": "f",
    "file_chunks": "fc",
    "batches": "b",
    "batch_groups": "g",
    "batch_counts": "bc",
    "batch_deltas": "bd",
    "tasks": "t",
    "task_slots": "s",
    "postponed_results": "pr",
    "task_tags": "tt",
    "attempts": "h",  # what is had of a task
    "audits": "x",
    "reviews": "r",
    "rework_items": "w",
    "callbacks": "cb",
    "quality_tasks": "y",
    "quality_attempts": "q",
    "labeler_models": "l",
    "project_models": "n",
    "estimates": "e",
    "claims": "c",
    "dispatch_cursors": "d",
}

# A parameter that is compared with a column, or written to it, has the name of the column; the id of a row is called
# after its table (`task_id`), but `id` where the row is inserted. A list of values adds an `s`: `task_ids`. The
# parameters below stand for something else.
PARAMETERS: dict[str, str] = {
    "after": "the id that a page, read from the oldest on, begins behind",
    "after_project_id": "the second id that a page of pairs begins behind",
    "after_teammate_id": "the first id that a page of pairs begins behind",
    "again": "whether a person may attempt the task another time",
    "before": "the id, or the time, that rows come before",
    "began_at": "when this process took the work on",
    "bound": "the first digits of an id, turned around, below which a task is sampled",
    "clear_unique_id": "whether the unique_id becomes free",
    "completed_from": "the first time of completion",
    "completed_to": "the last time of completion",
    "created_from": "the first time of creation",
    "created_to": "the last time of creation",
    "end": "the end of a period, which is not part of it",
    "exclude_archived": "whether archived projects are left out",
    "first_id": "the least id that a row of the period can have",
    "keys": "the ids of what figures are grouped by: projects, batches, groups or labelers",
    "limit": "the most rows",
    "lost_at": "when a try that has not ended counts as lost",
    "lost_before": "work taken on at this time or before counts as lost",
    "me": "the id of the person who asks",
    "not_first": "the id of the team whose turn was last",
    "now": "the time of the request",
    "offset": "how many of the first rows are passed over",
    "pause_ms": "how long to wait between two fits",
    "positions": "JSON object: positions by the id of a batch",
    "rows": "JSON array: rows to write",
    "settles": "whether an audit settles what the response is",
    "since": "the time after which a row counts",
    "slots": "how many slots are open to anybody",
    "start": "the beginning of a period",
    "team_name": "the name of a team",
    "updated_from": "the first time of the last change",
    "updated_to": "the last time of the last change",
}
