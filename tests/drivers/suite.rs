//! The suite: every check, run on a fresh store of its own.

/// Runs every check on the stores that the asynchronous function `$fresh` makes. Each gets one that holds nothing.
macro_rules! suite {
    ($fresh:path) => {
        suite! { $fresh;
            writing::what_is_written_is_read_back,
            writing::overwriting_truncates,
            writing::content_may_be_empty,
            writing::paths_may_be_deep,
            writing::long_content_in_odd_frames_is_read_back,
            writing::content_of_any_great_length_is_read_back,
            writing::broken_content_leaves_what_was_there,
            writing::short_content_leaves_what_was_there,
            writing::long_content_leaves_what_was_there,
            writing::a_wrong_checksum_leaves_what_was_there,
            writing::an_abandoned_write_leaves_what_was_there,
            writing::readers_see_whole_content,
            writing::what_has_answered_is_seen_by_others,
            creating::only_where_nothing_is,
            creating::the_checksum_is_judged_first,
            creating::of_creators_at_once_one_wins,
            creating::of_creators_of_long_content_at_once_one_wins,
            reading::what_is_missing_is_not_found,
            reading::a_folder_is_no_file,
            reading::a_file_is_no_folder,
            reading::no_more_than_the_limit_is_taken,
            reading::parts_are_read,
            reading::nothing_is_beyond_the_end,
            reading::siblings_that_begin_alike_are_apart,
            listing::names_are_in_lexical_order_each_once,
            listing::folders_and_files_are_told_apart,
            listing::nothing_is_listed_where_nothing_is,
            listing::many_entries_are_listed_and_deleted,
            removing::files_are_deleted_and_missing_ones_are_no_error,
            removing::siblings_that_begin_alike_stay,
            removing::a_folder_is_not_deleted_as_a_file,
            removing::folders_go_with_their_last_file,
            removing::a_tree_is_deleted,
            removing::a_tree_of_one_file_is_deleted,
            removing::no_tree_is_not_found,
            removing::writers_and_deleters_of_one_folder_do_not_meet,
            composing::one_source,
            composing::several_sources_in_order,
            composing::tiny_sources,
            composing::long_sources,
            composing::a_missing_source_leaves_the_destination,
            composing::what_exists_stays,
            composing::the_sources_are_their_own,
            composing::of_composers_at_once_one_wins,
            deadlines::nothing_is_done_after_it,
            deadlines::content_must_come_before_it,
            model::agrees,
        }
    };
    ($fresh:path; $($about:ident::$check:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                crate::$about::$check(&$fresh().await).await;
            }
        )*
    };
}
