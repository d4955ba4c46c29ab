"""The attacks that are tried, the bound that each is held to, and the tests that make them: docs/security.md.

Tests are named as pytest does, below `tests/`, without their parameters.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Attack:
    """One row."""

    name: str
    bound: str
    tests: tuple[str, ...]


def _in(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{file}::test_{name}" for name in names)


MEMORY_AND_TIME: Final = (
    Attack(
        "a reply of 4 kB that two encodings make 2 GiB: to a look, a submission, a download",
        "512 MiB of address space; one encoding, inflated in pieces",
        _in(
            "hostile/test_compressed.py",
            "no_answer_takes_more_memory_than_a_process_has",
            "any_other_encoding_is_refused_in_plain_words",
        ),
    ),
    Attack(
        "`rushes serve` with such replies to its submission, looks and downloads, and a neighbour's job beside it",
        "1 GiB of address space; both tasks end, the process lives",
        _in("hostile/test_server_under_limit.py", "a_server_with_little_memory_outlives_its_gateways_bombs"),
    ),
    Attack(
        "64 MiB behind one encoding, in a reply",
        "4 MiB a reply",
        _in("hostile/test_compressed.py", "an_answer_that_is_too_large_when_inflated_is_lost_and_says_so"),
    ),
    Attack(
        "an MP4 of 4.6 kB whose index claims 80 million frames, kept",
        "256 MB for the process that decodes",
        _in(
            "hostile/test_media_bombs.py",
            "an_index_of_eighty_million_frames_is_kept_and_takes_neither_process_over_400_mb",
        ),
    ),
    Attack(
        "a PNG of 12 kB with 10,000² pixels, looked at",
        "400 MB, and 32 MB where it is refused",
        _in(
            "hostile/test_media_bombs.py",
            "a_picture_of_a_hundred_million_pixels_is_shown_within_the_memory_of_a_look",
            "a_picture_that_takes_more_memory_than_allowed_is_refused_and_the_next_one_shown",
        ),
    ),
    Attack(
        "a PNG of 8 kB with 8,000² pixels, as an input of the sandbox, which draws in rushes' own process",
        "30 million pixels, told before it is decoded",
        _in("hostile/test_given_pictures.py", "a_picture_of_too_many_pixels_is_no_input_of_the_sandbox"),
    ),
    Attack(
        "an MP4 of 1 MB that decodes for hours, looked at",
        "a share of a processor, a time by the clock; cancelling and ending do not wait",
        (
            *_in(
                "hostile/test_media_bombs.py",
                "a_film_that_decodes_for_hours_ends_with_its_share_of_a_processor_and_the_next_is_shown",
                "a_look_that_takes_too_long_by_the_clock_ends_too",
                "a_cancelled_look_ends_its_process_and_the_next_look_has_another",
            ),
            *_in("hostile/test_ends_while_decoding.py", "a_film_that_decodes_for_hours_holds_no_exit_up"),
        ),
    ),
    Attack(
        "a task of which every process dies that works on it",
        "set aside after two deaths; its neighbours go on",
        _in(
            "hostile/test_setting_aside.py",
            "a_task_under_whose_step_two_processes_died_is_set_aside_and_its_neighbour_lives",
        ),
    ),
    Attack(
        "answers without end: silence, a head or body that drips, `102` again and again",
        "one deadline from the connection to the last byte",
        _in(
            "hostile/test_slowness.py",
            "a_look_ends_at_its_deadline",
            "a_submission_ends_at_its_deadline_and_counts_as_lost",
            "a_result_ends_at_its_deadline",
        ),
    ),
    Attack(
        "two gateways that hang with all their looks and downloads",
        "slots of their own for looks and downloads, a share for each gateway",
        _in(
            "hostile/test_shares.py",
            "two_providers_that_hang_keep_a_third_from_nothing",
            "downloads_that_hang_keep_nobody_from_looking_at_the_same_gateways_jobs",
        ),
    ),
    Attack(
        "60 answers that the host never reads, and then its signals",
        "the process ends within 5 s",
        (
            *_in("server/test_ending.py", "a_host_that_reads_no_answer_does_not_hold_up_the_end"),
            *_in("server/test_stdio.py", "the_process_ends_in_order_when_its_host_or_a_signal_says_so"),
        ),
    ),
    Attack(
        "calls nested 100,000 deep; options of megabytes; endless names",
        "depth 200, 256 KiB of options, 300 characters a name",
        _in(
            "server/test_deep_messages.py",
            "over_stdio_a_call_nested_deeper_than_200_is_refused_and_the_next_one_answered",
            "over_http_a_call_nested_deeper_than_200_is_answered",
            "options_beyond_their_bounds_are_refused",
            "names_are_bounded",
        ),
    ),
    Attack(
        "HTTP: bodies that never come, are too large, or many at once; heads without end; idle sessions",
        "a time for head and body, a size for each and for all",
        _in(
            "hostile/test_http_bodies.py",
            "a_body_that_does_not_come_in_time_is_refused_and_its_connection_closed",
            "a_body_larger_than_allowed_is_refused_before_it_has_come",
            "bodies_under_way_count_together_and_their_end_makes_room",
            "a_head_that_never_ends_is_cut_off",
            "a_session_that_asks_nothing_ends",
        ),
    ),
)

DISK_AND_CLOCK: Final = (
    Attack(
        "an output folder that cannot be written, or gets full, under media that come in the answer",
        "no POST, or the home instead; equal calls are held back",
        _in(
            "delivery/test_room.py",
            "nothing_is_sent_where_an_answer_with_media_could_not_be_written",
            "media_go_to_the_home_with_a_warning_where_the_folder_cannot_be_written",
            "an_answer_that_fills_the_disk_goes_on_in_the_home_with_all_its_bytes",
            "a_paid_answer_that_can_be_written_nowhere_is_told_and_not_paid_for_again",
            "nothing_paid_is_sent_with_less_room_on_the_disk_than_is_to_stay_free",
        ),
    ),
    Attack(
        "a store that cannot be read, under a paid job",
        "nothing is said of the task",
        _in("tools/test_about_a_task.py", "a_store_that_cannot_be_read_tells_nothing_about_the_task"),
    ),
    Attack(
        "a store that is deleted, damaged, or full right after the answer",
        "the job's receipt brings the task back",
        _in(
            "tasks/test_receipts.py",
            "a_deleted_store_does_not_lose_a_running_paid_job",
            "a_full_store_and_an_end_right_after_the_answer_do_not_lose_the_job",
            "a_flipped_bit_early_in_the_log_does_not_lose_tasks_in_silence",
        ),
    ),
    Attack(
        "a clock that is set by minutes, hours or years",
        "deadlines and dedupe count the time that passes",
        _in(
            "tasks/test_clock_steps.py",
            "a_clock_that_is_set_ends_no_healthy_job_and_makes_nobody_pay_again",
            "the_deadline_ends_a_job_after_the_same_time_whatever_the_clock_says",
            "the_two_minutes_of_an_equal_call_are_counted_by_the_time_that_passed",
            "a_task_lives_its_whole_life_in_any_year",
        ),
    ),
    Attack(
        "files that break off: `206` unasked, bytes missing, a length that lies",
        "not kept as whole; fetched again",
        _in(
            "delivery/test_truncated.py",
            "thirty_missing_bytes_are_seen_and_a_whole_file_is_whole",
            "an_answer_whose_head_tells_another_length_is_fetched_again",
            "a_short_download_is_repeated_until_the_whole_file_comes",
        ),
    ),
)

BOUNDARIES: Final = (
    Attack(
        "bytes behind a whole answer, at once, after 64 KiB or behind TLS",
        "never the answer to the next request: the connection is not used again",
        _in(
            "providers/test_surplus_bytes.py",
            "a_paid_request_is_not_answered_by_what_came_behind_the_answer_before",
            "nor_by_what_tls_holds_back",
            "a_result_through_a_proxy_is_not_what_came_behind_another",
        ),
    ),
    Attack(
        "a paid job's answer with NaN, thousands of digits, control characters or foreign bytes in it",
        "the job's id and its results are read",
        _in("providers/test_odd_answers.py", "a_paid_job_is_known_by_its_id", "a_result_is_found"),
    ),
    Attack(
        "lines over stdio that are no message: deep, long, foreign, with thousands of digits",
        "each is answered, and the process lives",
        _in(
            "server/test_invalid_requests.py",
            "a_line_that_cannot_be_read_as_a_message_is_refused",
            "over_stdio_no_line_ends_the_process_or_stays_without_an_answer",
        ),
    ),
    Attack(
        "a PNG whose pixels break off, looked at",
        "refused as damaged, whatever its size",
        _in("previews/test_half_pictures.py", "a_png_whose_pixels_break_off_is_refused_as_damaged"),
    ),
    Attack(
        "a link, a pipe or other bytes in place of a kept file",
        "opened without following; size and hash compared",
        _in(
            "hostile/test_opening.py",
            "what_was_put_in_a_kept_files_place_is_neither_read_nor_sent",
            "a_link_in_place_of_a_kept_file_is_not_served_as_a_resource",
            "no_link_is_followed_between_the_folder_of_outputs_and_a_kept_file",
        ),
    ),
    Attack(
        "an input file swapped for a link between check and reading, by another process",
        "opened once; what was opened is checked",
        _in("hostile/test_opening.py", "a_link_swapped_in_after_the_check_never_has_the_outside_file_read"),
    ),
    Attack(
        "a key that the gateway echoes: as it is, escaped, percent-encoded, in base64",
        "in no result, record, file or log",
        (
            *_in(
                "hostile/test_keys.py",
                "a_key_in_an_error_is_not_told_on",
                "a_key_that_only_parsing_brings_to_light_is_not_told_on",
                "whatever_the_key_is_it_is_in_no_text",
            ),
            *_in("hostile/test_stored.py", "a_key_in_all_that_a_gateway_says_is_in_no_result_store_or_sidecar"),
        ),
    ),
    Attack(
        "a key inside a result's address",
        "not shown, and the result is fetched",
        _in("hostile/test_keys.py", "a_key_in_the_address_of_a_result_is_not_shown_and_still_fetched_with"),
    ),
    Attack(
        "a redirect from the place of a result back to the gateway",
        "the key is not sent after the first redirect",
        _in("hostile/test_keys.py", "a_redirect_back_to_the_gateway_comes_without_the_key"),
    ),
    Attack(
        "results on addresses inside the network, by name, number or IPv6 in disguise",
        "refused before a request; link-local always",
        _in(
            "hostile/test_reach.py",
            "a_gateway_on_loopback_gives_results_from_that_very_host_only",
            "a_link_local_address_is_never_fetched_from",
            "a_gateway_in_the_local_network_gives_results_from_there_and_not_from_this_machine",
        ),
    ),
    Attack(
        "orders to the model in errors, logs and states; invisible characters; addresses of megabytes",
        "quoted as the gateway's, bounded, never in a hint; 30 kB an answer",
        (
            *_in(
                "hostile/test_strangers_text.py",
                "what_a_gateway_says_reaches_an_agent_bounded_visible_and_in_quotes",
                "thousands_of_endless_addresses_make_no_endless_answer",
            ),
            *_in(
                "hostile/test_marked_words.py",
                "an_order_in_any_field_reaches_an_agent_in_quotes_or_as_one_word",
                "the_gateways_whole_answer_shows_what_could_not_be_seen",
                "wherever_a_message_is_cut_the_gateways_words_in_it_end",
            ),
            *_in(
                "providers/test_strangers_words.py",
                "a_hidden_text_of_tags_leaves_nothing",
                "marked_words_stand_in_one_quotation_that_they_cannot_end",
                "a_refusal_marks_the_gateways_words_and_its_hint_has_none_of_them",
            ),
        ),
    ),
    Attack(
        "HTTP: a foreign `Host` or `Origin`",
        "refused",
        _in("server/test_http.py", "a_foreign_host_is_refused", "a_foreign_origin_is_refused"),
    ),
)

HOOKS: Final = (
    Attack(
        "hooks that are forged, shifted by more than 5 minutes, changed, or without a signature where there is one",
        "refused in the same words; no look, no change",
        (
            *_in(
                "hooks/test_door.py",
                "at_a_gateway_that_signs_only_its_own_hook_counts_and_only_once",
                "nobody_is_told_of_what_is_not_the_gateways_or_of_a_job_that_goes_on",
            ),
            *_in("hooks/test_attacks.py", "a_signature_of_six_minutes_ago_or_ahead_is_none"),
            *_in(
                "providers/test_signatures.py",
                "whatever_was_changed_of_the_headers_is_wrong",
                "a_header_that_is_missing_is_wrong",
                "the_signature_is_of_the_raw_body",
                "five_minutes_either_way_are_now",
            ),
        ),
    ),
    Attack(
        "hooks with foreign, dead or guessed tokens, other methods, other paths",
        "refused in the same words, before a body is read",
        (
            *_in(
                "hooks/test_door.py",
                "everything_that_is_no_hook_of_a_task_is_refused_in_the_same_words_and_changes_nothing",
                "a_token_that_is_not_the_records_is_no_token",
                "a_token_is_dead_a_day_after_its_tasks_end",
            ),
            *_in(
                "hooks/test_attacks.py",
                "nearly_right_paths_are_refused_in_the_same_words",
                "other_methods_are_refused_before_a_body_is_read",
                "a_guessed_token_does_not_have_the_store_read",
                "a_token_that_is_dead_is_told_from_a_wrong_one_by_nothing",
            ),
        ),
    ),
    Attack(
        "hooks that lie about the end, come again, or by the thousand",
        "one look, at ever longer intervals; nothing is believed",
        (
            *_in(
                "hooks/test_door.py",
                "a_hook_that_claims_the_end_ends_nothing",
                "a_repeated_delivery_is_told_once",
                "a_flood_of_hooks_of_one_task_has_few_looks_made",
            ),
            *_in(
                "hooks/test_attacks.py",
                "odd_bodies_are_hooks_as_others_and_decide_nothing",
                "a_right_hook_that_is_sent_again_to_a_process_started_anew_brings_a_look_and_no_more",
            ),
            *_in("hooks/test_async_images.py", "a_forged_foreign_or_lying_hook_decides_nothing"),
        ),
    ),
    Attack(
        "hooks of more than 1 MiB, and such as never come to an end",
        "1 MiB, 10 s, 32 MiB together",
        _in(
            "hooks/test_door.py",
            "a_body_that_grows_beyond_a_mebibyte_is_refused_whatever_its_head_says",
            "a_body_that_does_not_come_in_time_is_refused",
        ),
    ),
    Attack(
        "a look into record, files, dry run and log for a secret of hooks",
        "a hash of the token; of secrets nothing",
        (
            *_in(
                "hooks/test_secrets.py",
                "a_secret_of_the_persons_own_is_sent_and_stands_in_no_record_file_dry_run_or_log",
                "our_own_token_and_secret_stand_in_no_record_file_dry_run_or_log",
            ),
            *_in("hooks/test_async_images.py", "the_token_stands_in_no_record_file_dry_run_or_log"),
            *_in(
                "hooks/test_repeated.py",
                "a_gateway_that_repeats_a_submission_has_no_token_and_no_secret_of_it_shown",
                "a_gateway_that_repeats_the_address_of_a_hook_has_it_kept_without_its_token",
            ),
            *_in(
                "hooks/test_shown_secrets.py",
                "no_answer_resource_or_error_shows_it_and_the_task_is_made_again_only_with_it_given_again",
            ),
        ),
    ),
)

ATTACKS: Final = (*MEMORY_AND_TIME, *DISK_AND_CLOCK, *BOUNDARIES, *HOOKS)
