"""Whatever a page or a command does, a program can do over REST, or it stands here why not.

Each route of a page and each command of the command line is in one of the tables: a new one that is
in none fails the test, and so does one whose operation is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from typer.main import get_group

from corpusmith.api.app import create_app
from corpusmith.api.serving import Serving
from corpusmith.cli.main import COMMANDS
from corpusmith.web import nav

PAGES: Mapping[str, str] = {
    # home, generating
    "home_page": "get_overview",
    "home_live": "get_overview",
    "feedback_page": "list_uploads",
    "start_feedback_by_page": "make_feedback",
    "feedback_job_page": "get_job job_files",
    "generate_page": "list_recipes",
    "models_for_task": "connection_models models_of_unsaved_connection",
    "generate_job_page": "recipe_fields",
    "preview_job": "preview_task",
    "start_job": "add_task",
    # tasks
    "tasks_page": "list_tasks",
    "bulk_tasks_by_page": "bulk_tasks",
    "task_page": "get_task",
    "task_live": "get_task task_events",
    "task_results_page": "task_records list_records",
    "task_failures_page": "task_missing task_misses",
    "task_item_part": "task_calls get_call",
    "task_executions_page": "task_executions",
    "task_parameters_page": "get_task",
    "run_task_by_page": "run_task",
    "pause_task_by_page": "pause_task",
    "cancel_task_by_page": "cancel_task",
    "change_task_by_page": "change_task",
    "retry_task_by_page": "retry_task",
    "extend_task_by_page": "extend_task",
    "commit_task_by_page": "commit_task",
    "discard_task_by_page": "discard_task",
    "delete_task_by_page": "delete_task",
    # datasets, records, review
    "datasets_page": "list_datasets dataset_counts",
    "new_dataset_page": "list_datasets",
    "add_dataset_by_page": "add_dataset",
    "dataset_page": "get_dataset dataset_statistics",
    "change_dataset_by_page": "change_dataset",
    "bind_by_page": "bind",
    "unbind_by_page": "unbind",
    "restore_by_page": "restore_removal",
    "delete_dataset_by_page": "delete_dataset",
    "dataset_records_page": "list_records record_facets count_records",
    "review_page": "review_queue review_progress",
    "review_part": "review_queue look_at_record",
    "say_in_review": "review_record",
    "undo_in_review": "undo_review last_action",
    "bulk_records_by_page": "change_records",
    "bulk_job_page": "get_job",
    "stop_bulk_by_page": "cancel_job",
    "undo_records_by_page": "undo_records",
    "record_page": "get_record record_calls record_history version_diff",
    "review_record_by_page": "review_record",
    "edit_record_page": "get_record",
    "edit_record_by_page": "edit_record",
    "restore_record_by_page": "restore_version",
    # characters, scenarios, templates
    "characters_page": "list_characters",
    "shipped_characters_page": "shipped_characters",
    "store_shipped_character": "shipped_characters add_character",
    "import_characters_by_page": "import_characters",
    "preview_character_form": "preview_character",
    "new_character_page": "list_characters",
    "add_character_by_page": "add_character",
    "character_page": "get_character get_character_picture",
    "change_character_by_page": "change_character",
    "change_character_picture_by_page": "set_character_picture delete_character_picture",
    "delete_character_by_page": "delete_character",
    "character_chat_page": "get_character",
    "say_to_character": "chat_with_character",
    "character_talk_part": "chat_with_character",
    "scenarios_page": "list_scenarios",
    "shipped_scenarios_page": "shipped_scenarios",
    "store_shipped_scenario": "shipped_scenarios add_scenario",
    "new_scenario_page": "list_scenarios",
    "add_scenario_by_page": "add_scenario",
    "scenario_page": "get_scenario",
    "change_scenario_by_page": "change_scenario",
    "delete_scenario_by_page": "delete_scenario",
    "templates_page": "list_templates",
    "shipped_templates_page": "shipped_templates",
    "shipped_template_page": "shipped_templates",
    "copy_shipped_template": "copy_template",
    "new_template_page": "list_templates",
    "add_template_by_page": "add_template",
    "check_template_form": "check_template schema_of_sample",
    "template_page": "get_template template_about",
    "change_template_by_page": "change_template",
    "copy_template_by_page": "copy_template",
    "rename_template_by_page": "rename_template",
    "delete_template_by_page": "delete_template",
    "template_versions_page": "template_versions template_diff",
    "restore_template_by_page": "restore_template",
    "test_template_form": "test_template test_unsaved_template",
    # connections
    "connections_page": "list_connections",
    "new_connection_page": "connection_presets",
    "add_connection_by_page": "add_connection set_connection_key",
    "try_connection_form": "test_unsaved_connection",
    "models_of_connection_form": "models_of_unsaved_connection",
    "connection_page": "get_connection",
    "change_connection_by_page": "change_connection set_connection_key delete_connection_key",
    "try_connection_by_page": "test_connection",
    "delete_connection_by_page": "delete_connection",
    "connection_chat_page": "get_connection",
    "say_to_connection": "chat_with_model",
    "connection_talk_part": "chat_with_model",
    # settings
    "about_page": "health get_workers",
    "account_page": "me my_sessions",
    "change_my_password_by_page": "change_my_password",
    "end_my_session_by_page": "end_my_session",
    "log_out_everywhere_by_page": "logout",
    "users_page": "list_users",
    "add_first_user": "add_user",
    "new_user_page": "list_users",
    "add_user_by_page": "add_user",
    "user_page": "get_user",
    "change_user_by_page": "change_user",
    "log_user_out_by_page": "log_user_out",
    "delete_user_by_page": "delete_user",
    "tokens_page": "list_tokens get_token",
    "add_token_by_page": "add_token",
    "revoke_token_by_page": "revoke_token",
    "audit_page": "list_audit",
    "storage_page": "list_settings list_uploads look_at_journal",
    "change_settings_by_page": "change_settings",
    "prune_page": "look_at_journal",
    "prune_by_page": "prune_journal",
    "backups_page": "list_backups list_jobs",
    "make_backup_by_page": "make_backup",
    "upload_backup_by_page": "add_upload take_backup",
    "backup_page": "look_at_backup",
    "download_kept_backup": "get_backup_file",
    "restore_backup_by_page": "restore_kept_backup",
    "delete_backup_by_page": "delete_backup",
    "settings_job_page": "get_job",
    "cancel_settings_job": "cancel_job",
    # quality, reports, evaluations
    "quality_page": "dataset_statistics list_kept_reports",
    "look_page": "list_checks",
    "start_look_by_page": "look_for_bad_records",
    "look_result_page": "get_job",
    "look_group_page": "found_records",
    "stop_look_by_page": "cancel_job",
    "apply_look_by_page": "clean_found_records",
    "done_page": "get_job",
    "stop_done_by_page": "cancel_job",
    "reports_page": "list_kept_reports",
    "make_report_by_page": "keep_report",
    "report_job_page": "get_job",
    "stop_report_by_page": "cancel_job",
    "report_page": "get_kept_report",
    "report_document": "get_kept_report",
    "report_file": "get_kept_report",
    "delete_report_by_page": "delete_kept_report",
    "dataset_evaluations_page": "list_evaluations",
    "evaluations_page": "list_tasks",
    "evaluation_page": "get_evaluation evaluation_sides evaluation_scores",
    "work_out_evaluation_by_page": "get_evaluation evaluation_sides",
    "take_scores_by_page": "take_scores",
    # in and out
    "import_page": "preview_import",
    "import_by_page": "preview_import import_upload",
    "import_job_page": "get_job",
    "stop_import_by_page": "cancel_job",
    "imported_page": "get_task",
    "refused_rows_by_page": "task_misses",
    "undo_import_by_page": "undo_import",
    "export_dataset_page": "list_formats preview_export",
    "export_task_page": "list_formats preview_export",
    "look_at_dataset_export": "preview_export",
    "look_at_task_export": "preview_export",
    "download_dataset_export": "export export_ticket download_export",
    "download_task_export": "export export_ticket download_export",
    "log_in_by_page": "login",
    "log_in_again": "login",
    "log_out_by_page": "logout",
}
"""Route of a page → the operations that do the same."""

PAGES_ALONE: Mapping[str, str] = {
    "start_simulator": "a first look without a model; a program starts its own simulator",
    "stop_simulator": "as above",
    "settings_page": "leads to the others",
    "change_look": "the theme and the language of a browser; a program says `lang`",
    "login_page": "a form",
    "login_part": "a form",
}
"""Route of a page → why a program has no use for it."""

COMMANDS_THERE: Mapping[str, str] = {
    "run": "add_chain run_chain add_task",
    "generate": "add_task",
    "preview": "preview_task",
    "template": "add_task",
    "ratio": "add_task",
    "rounds prepare": "prepare_rounds",
    "rounds run": "add_task",
    "rounds build": "rounds_files",
    "selfplay": "add_task",
    "feedback": "make_feedback",
    "evaluate": "add_task get_evaluation evaluation_scores take_scores",
    "review start": "review_queue look_at_record review_record",
    "review set": "review_record review_many",
    "review undo": "undo_review last_action",
    "review edit": "edit_content",
    "review restore": "restore_version",
    "review history": "record_history version_diff",
    "review stats": "review_statistics review_progress",
    "review agreement": "review_agreement",
    "review scores": "take_scores",
    "resume": "run_task",
    "tasks list": "list_tasks",
    "tasks show": "get_task task_quotas task_executions task_items task_calls get_call",
    "tasks misses": "task_misses task_missing",
    "tasks pause": "pause_task",
    "tasks cancel": "cancel_task",
    "tasks resume": "run_task",
    "tasks retry": "retry_task",
    "tasks commit": "commit_task",
    "tasks discard": "discard_task",
    "tasks delete": "delete_task",
    "report": "make_report",
    "check": "run_checks check_findings",
    "export": "export",
    "push": "push",
    "import": "import_upload preview_import",
    "providers": "connection_presets",
    "connections list": "list_connections",
    "connections show": "get_connection",
    "connections add": "add_connection",
    "connections update": "change_connection",
    "connections delete": "delete_connection",
    "connections set-key": "set_connection_key",
    "connections models": "connection_models",
    "connections test": "test_connection",
    "characters list": "list_characters",
    "characters show": "get_character preview_character",
    "characters import": "import_characters",
    "characters export": "get_character_card get_character_original",
    "characters add": "add_character",
    "characters edit": "change_character",
    "characters delete": "delete_character",
    "scenarios list": "list_scenarios",
    "scenarios show": "get_scenario",
    "scenarios add": "add_scenario",
    "scenarios edit": "change_scenario",
    "scenarios delete": "delete_scenario",
    "templates list": "list_templates shipped_templates",
    "templates show": "get_template",
    "templates versions": "template_versions",
    "templates diff": "template_diff",
    "templates test": "test_template test_unsaved_template",
    "templates add": "add_template",
    "templates edit": "change_template",
    "templates copy": "copy_template",
    "templates rename": "rename_template",
    "templates delete": "delete_template",
    "templates export": "template_file",
    "domains list": "list_domains",
    "domains show": "get_domain",
    "domains init": "domain_starter",
    "rubrics list": "list_rubrics",
    "rubrics show": "get_rubric get_rubric_file",
    "datasets list": "list_datasets",
    "datasets show": "get_dataset",
    "datasets add": "add_dataset",
    "datasets bind": "set_bindings bind unbind",
    "datasets stats": "dataset_statistics",
    "datasets clean": "broken_records clean_records",
    "datasets delete-records": "change_records",
    "datasets removed": "list_removals",
    "datasets restore": "restore_removal",
    "datasets delete": "delete_dataset",
    "users add": "add_user",
    "users list": "list_users",
    "users passwd": "change_user",
    "users role": "change_user",
    "users off": "change_user",
    "users on": "change_user",
    "users delete": "delete_user",
    "tokens add": "add_token",
    "tokens list": "list_tokens",
    "tokens revoke": "revoke_token",
    "backup": "download_backup make_backup",
    "restore": "restore_backup restore_kept_backup",
    "journal prune": "look_at_journal prune_journal",
    "settings list": "list_settings",
    "settings set": "change_settings",
    "settings unset": "change_settings",
}
"""Command → the operations that do the same."""

COMMANDS_ALONE: Mapping[str, str] = {
    "demo": "a first look in a terminal",
    "init": "writes files beside the person",
    "upgrade": "a server brings its database up to date when it starts",
    "serve": "is the server",
    "worker": "is a process beside the server",
    "simulate": "is an endpoint of its own",
    "doctor": "looks at the machine, with paths and variables; `health` says what others may know",
}
"""Command → why a server does not offer it."""


def operations() -> set[str]:
    app = create_app(Serving(store=None, language="en"))  # type: ignore[arg-type]
    told = app.openapi()["paths"].values()
    return {operation["operationId"] for methods in told for operation in methods.values()}


def page_routes() -> set[str]:
    modules = [import_module(f"corpusmith.web.pages.{group.name}") for group in nav.PAGES]
    return {one.name for module in modules for one in module.router.routes}


def commands() -> Iterator[str]:
    for name, target in COMMANDS.items():
        module, _, one = target.partition(":")
        group = get_group(import_module(f"corpusmith.cli.{module}").app)
        yield from [name] if one else [f"{name} {inner}" for inner in group.commands]


def assert_all_told(
    there: set[str], offered: Mapping[str, str], alone: Mapping[str, str], known: set[str]
) -> None:
    assert there - set(offered) - set(alone) == set()
    assert (set(offered) | set(alone)) - there == set()
    assert not set(offered) & set(alone)
    assert {one for names in offered.values() for one in names.split()} - known == set()
    assert all(alone.values())


def test_what_a_page_does_a_program_can_do() -> None:
    assert_all_told(page_routes(), PAGES, PAGES_ALONE, operations())


def test_what_a_command_does_a_program_can_do() -> None:
    assert_all_told(set(commands()), COMMANDS_THERE, COMMANDS_ALONE, operations())
