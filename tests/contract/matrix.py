"""Who may call what: the expected roles of every operation, by name. A new operation needs its row here."""

NOBODY_ASKED = ""  # public
ALL = "admin manager member labeler"
STAFF = "admin manager member"
CHIEFS = "admin manager"

MAY: dict[str, str] = {
    # teams
    "list_teammates": STAFF,
    "invite_teammates": CHIEFS,
    "set_teammate_role": CHIEFS,
    "disable_teammates": CHIEFS,
    # accounts
    "accept_invitation": NOBODY_ASKED,
    "set_up": NOBODY_ASKED,
    "sign_in": NOBODY_ASKED,
    "who_am_i": ALL,
    "sign_out": ALL,
    "change_password": ALL,
    "create_key": ALL,
    "list_keys": ALL,
    "revoke_key": ALL,
    # projects
    "create_project": STAFF,
    "list_projects": STAFF,
    "get_project": STAFF,
    "set_project_params": STAFF,
    "get_task_template": STAFF,
    "update_pipeline_config": STAFF,
    "get_quality_settings": STAFF,
    "set_quality_settings": STAFF,
    "update_studio_pipeline_config": STAFF,
    "get_consensus": STAFF,
    "estimate_consensus": STAFF,
    "list_consensus_labelers": STAFF,
    # assignments and groups
    "list_assignments": STAFF,
    "add_assignments": STAFF,
    "remove_assignments": STAFF,
    "list_groups": STAFF,
    "create_group": STAFF,
    "update_group": STAFF,
    # batches
    "create_batch": STAFF,
    "list_batches": STAFF,
    "get_batch": STAFF,
    "get_batch_status": STAFF,
    "finalize_batch": STAFF,
    "set_batch_metadata": STAFF,
    "prioritize_batch": STAFF,
    "list_studio_batches": STAFF,
    "assign_studio_batch": STAFF,
    "set_studio_priorities": STAFF,
    "reset_studio_priorities": STAFF,
    "send_tasks_to_completed": STAFF,
    # files
    "upload_file": STAFF,
    "import_file": STAFF,
    "get_file": STAFF,
    # tasks
    "create_task": STAFF,
    "get_task": STAFF,
    "cancel_task": STAFF,
    "audit_task": STAFF,
    "set_task_unique_id": STAFF,
    "clear_task_unique_id": STAFF,
    "set_task_metadata": STAFF,
    "set_task_tags": STAFF,
    "add_task_tags": STAFF,
    "remove_task_tags": STAFF,
    "list_tasks": STAFF,
    "export_tasks": STAFF,
    "import_tasks": STAFF,
    # quality
    "create_training_task": STAFF,
    "create_evaluation_task": STAFF,
    "list_training_attempts": STAFF,
    # work
    "claim": ALL,
    "submit": ALL,
    "extend": ALL,
    "skip": ALL,
    "release": ALL,
    "get_attachment": ALL,
    "queue": ALL,
    "history": ALL,
    # callbacks
    "list_callbacks": STAFF,
    "get_callback_secret": CHIEFS,
    "retry_callback": STAFF,
    # insight
    "project_figures": STAFF,
    "batch_figures": STAFF,
    "group_figures": STAFF,
    "labeler_figures": STAFF,
    "confusion_matrix": STAFF,
    "disagreement": STAFF,
    "get_forecast": STAFF,
    "try_out_priorities": STAFF,
}
