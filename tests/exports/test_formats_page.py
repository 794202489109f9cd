"""Every format and every trap that FORMATS.md names, and the tests that show it.

A test of `tests/conformance` shows what the trainer's own code does, one of `tests/exports` or
`tests/service` what our export does about it.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent

FORMATS: dict[str, tuple[str, ...]] = {
    "SFT messages, one file for all three trainers": (
        "exports/test_golden::test_an_export_is_its_golden_file",
        "conformance/test_exported_files::test_a_trainer_trains_on_every_row_of_an_export",
        "conformance/test_every_kind::test_all_chat_formats_tell_the_same_to_every_trainer",
    ),
    "SFT messages: the entry of dataset_info.json": (
        "exports/test_traps::test_trap_1_the_entry_names_every_tag_so_that_system_messages_stay",
        "conformance/test_exported_places::test_exports_into_one_folder_are_all_listed",
    ),
    "Alpaca with system and history; axolotl's has none": (
        "exports/test_golden::test_an_export_is_its_golden_file",
        "exports/test_traps::test_llama_factory_reads_the_same_chat_from_each_format",
        "conformance/test_written_shapes::test_axolotl_trains_on_every_row_of_alpaca",
        "conformance/test_trainer_traps"
        "::test_axolotls_alpaca_drops_the_system_prompt_and_the_history",
    ),
    "ShareGPT with system and tools": (
        "exports/test_tools::test_calls_and_functions_that_llamafactory_reads_are_kept",
        "conformance/test_exported_options"
        "::test_llamafactory_is_told_of_tools_and_trained_to_call_them",
        "conformance/test_exported_options"
        "::test_axolotl_is_trained_to_call_tools_when_it_knows_the_roles",
    ),
    "DPO in three shapes": (
        "exports/test_traps"
        "::test_pairs_in_trls_lists_have_no_entry_as_llama_factory_would_make_nothing_of_them",
        "conformance/test_trainer_traps::test_llamafactory_makes_no_pair_of_answers_in_lists",
        "conformance/test_trainer_traps::test_llamafactory_without_ranking_refuses_pairs",
        "conformance/test_trainer_traps::test_trl_refuses_a_pair_whose_answers_are_objects",
        "conformance/test_every_kind"
        "::test_all_formats_of_preferences_tell_the_same_to_every_trainer",
    ),
    "KTO: a boolean label; three shapes": (
        "exports/test_traps::test_labels_are_booleans_and_never_numbers",
        "conformance/test_trainer_traps"
        "::test_an_integer_label_is_plain_supervised_training_in_llamafactory",
        "conformance/test_written_shapes::test_axolotl_trains_on_every_label",
        "conformance/test_every_kind::test_every_row_of_every_kind_is_loaded",
    ),
    "JSON, JSONL, CSV, Parquet": (
        "exports/test_round_trip::test_an_odd_text_comes_back_the_same",
        "exports/test_round_trip::test_every_format_goes_into_every_container",
        "exports/test_first_rows::test_a_field_of_nothing_but_times_is_refused",
        "conformance/test_first_rows::test_an_export_with_such_a_field_is_loaded_whole",
        "conformance/test_trainer_traps::test_a_csv_of_conversations_is_for_axolotl_alone",
    ),
    "the native shapes": (
        "exports/test_round_trip::test_native_json_comes_back_the_same",
        "conformance/test_exported_files::test_the_native_rows_are_read_as_they_are_by_datasets",
    ),
    "the layout of the hub": (
        "conformance/test_exported_places"
        "::test_a_folder_for_the_hub_is_loaded_with_its_splits_by_all_who_read_the_hub",
        "conformance/test_exported_places"
        "::test_llamafactory_reads_the_folder_for_the_hub_by_its_card",
    ),
    "split by seed; dataset_info.json merged": (
        "service/test_export_parts::test_a_groups_part_depends_on_the_seed_and_the_group_alone",
        "service/test_export_parts::test_no_group_is_in_two_parts",
        "service/test_dataset_info::test_an_entry_is_merged_and_all_others_stay_as_they_are",
    ),
}
TRAPS: dict[str, tuple[str, ...]] = {
    "1 keys left out of columns and tags are None": (
        "exports/test_traps::test_trap_1_the_entry_names_every_tag_so_that_system_messages_stay",
        "conformance/test_trainer_traps"
        "::test_llamafactory_without_system_tag_drops_rows_that_start_with_a_system_message",
    ),
    "2 openai formatting": (
        "exports/test_traps::test_trap_2_no_entry_has_the_formatting_openai",
        "conformance/test_trainer_traps"
        "::test_llamafactory_with_openai_formatting_adds_to_the_system_message",
    ),
    "3 strict alternation, even or odd, system first; greetings": (
        "exports/test_traps::test_trap_3_what_would_be_dropped_is_refused_with_its_reason",
        "exports/test_traps::test_trap_3_a_greeting_gets_a_users_hello_in_its_language",
        "exports/test_traps::test_trap_3_a_greeting_moves_into_the_system_message",
        "exports/test_traps::test_trap_3_mending_merges_and_drops_what_it_says_and_no_more",
        "conformance/test_trainer_traps::test_llamafactory_drops_a_dialogue_in_silence_that",
        "conformance/test_trainer_traps"
        "::test_llamafactory_wants_an_odd_number_of_turns_before_a_pair",
        "conformance/test_exported_options"
        "::test_a_greeting_that_is_moved_into_the_system_message_reaches_every_trainer",
    ),
    "4 dataset_info.json in the platform's encoding": (
        "service/test_dataset_info::test_an_entry_is_merged_and_all_others_stay_as_they_are",
        "conformance/test_trainer_traps"
        "::test_llamafactory_reads_its_list_of_data_sets_with_the_platforms_encoding",
        "conformance/test_exported_places::test_exports_into_one_folder_are_all_listed",
    ),
    "5 formulas in a CSV; training CSV verbatim": (
        "exports/test_traps::test_trap_5_only_a_spreadsheet_safe_table_guards_formulas",
        "exports/test_table::test_a_spreadsheet_safe_file_has_no_formula",
        "exports/test_table::test_the_guard_can_be_taken_off_again_and_nothing_is_lost",
        "conformance/test_trainer_traps"
        "::test_llamafactory_trains_on_the_guard_of_a_spreadsheet_safe_csv",
    ),
    "6 reasoning by many names": (
        "exports/test_traps::test_trap_6_reasoning_is_one_thing_however_it_came",
        "conformance/test_trainer_traps::test_reasoning_in_a_field_of_its_own_is_not_trained_on",
        "conformance/test_exported_options"
        "::test_reasoning_is_trained_on_when_the_export_includes_it_and_not_otherwise",
    ),
    "7 exactly the filter and selection": (
        "service/test_exports::test_an_export_holds_exactly_what_the_selection_counts",
    ),
}


@cache
def functions_of(module: str) -> frozenset[str]:
    tree = ast.parse((TESTS / f"{module}.py").read_text("utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef))


@pytest.mark.parametrize("said", [*FORMATS, *TRAPS])
def test_what_the_page_says_is_shown_by_tests(said: str) -> None:
    for test in (FORMATS | TRAPS)[said]:
        module, name = test.split("::")
        assert name in functions_of(module)
