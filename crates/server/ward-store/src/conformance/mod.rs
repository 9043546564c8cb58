//! The rules that every store keeps, as tests: `store_conformance!(make)` runs them all, where
//! `make()` gives a fresh store and a guard that is held as long as the store lives.
//!
//! The crate that calls it needs `tokio` with `macros` and `rt-multi-thread` among its
//! dev-dependencies.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a suite of tests fails by panicking"
)]

pub mod blob;
pub mod drop_box;
pub mod log_state;
pub mod mlog;
pub mod olog;
pub mod proposal;
pub mod reopening;
mod samples;
pub mod ticket;
pub mod token;
pub mod upkeep;

pub use samples::{chart, device, operation, push};

/// Runs the suite against the stores that `make` gives.
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        $crate::store_conformance! { @tests $make;
            olog::indexes_are_contiguous_and_pushes_whole,
            olog::a_repeat_is_answered_with_the_first_place,
            olog::known_and_new_entries_mix_in_one_push,
            olog::a_gap_names_the_next_place,
            olog::another_entry_at_a_place_is_a_fork,
            olog::pushes_together_get_their_own_answers,
            olog::a_push_is_one_piece_of_one_chain,
            olog::a_refused_push_leaves_nothing,
            olog::chains_of_charts_devices_and_lives_are_apart,
            olog::a_device_begins_so_many_chains_in_a_chart,
            olog::the_same_push_in_parallel_is_stored_once,
            olog::pushes_in_parallel_keep_chains_whole,
            olog::pages_follow_the_index_and_the_limit,
            olog::leaves_and_operations_by_index,
            olog::every_size_of_envelope_comes_back,
            reopening::entries_at_places_of_a_chain,
            reopening::only_the_right_bytes_mend_an_envelope,
            reopening::a_log_is_opened_again_with_one_leaf_before_all,
            reopening::a_log_that_lost_everything_begins_with_its_leaf,
            mlog::entries_append_at_the_expected_size,
            mlog::of_racing_appends_one_wins,
            mlog::the_same_entry_again_keeps_its_place,
            mlog::a_package_comes_with_its_announce,
            mlog::a_second_package_of_an_epoch_is_refused_whole,
            mlog::a_revocation_ends_sessions_with_its_entry,
            mlog::entries_by_range,
            mlog::pages_of_large_entries_are_cut,
            log_state::heads_never_move_back,
            log_state::a_cosigned_head_is_within_the_signed_one,
            log_state::tiles_are_full_and_final,
            ticket::one_of_200_redeems_wins,
            ticket::five_wrong_proofs_burn,
            ticket::wrong_proofs_in_parallel_are_all_counted,
            ticket::time_ends_an_open_ticket,
            ticket::the_issuer_decides,
            ticket::open_tickets_are_limited,
            ticket::one_issuer_leaves_room_for_the_others,
            ticket::an_issuer_sees_own_tickets_only,
            ticket::a_blob_at_the_limit_and_one_past,
            token::one_of_200_rotations_makes_the_successor,
            token::a_repeat_by_the_same_key_gives_the_same_successor,
            token::late_reuse_ends_the_family,
            token::old_generations_are_forgotten,
            token::another_key_ends_the_family,
            token::a_device_has_one_family,
            token::ended_and_expired_families_give_nothing,
            token::ending_sessions_raises_the_version,
            token::suspension_ends_by_itself_or_is_lifted,
            token::a_suspension_of_staff_stands_beside_that_of_the_site,
            proposal::proposals_wait_and_are_withdrawn,
            proposal::proposals_are_limited,
            proposal::one_device_leaves_room_for_the_others,
            proposal::old_proposals_run_out,
            proposal::a_revocation_drops_what_the_device_proposed,
            drop_box::drops_wait_until_they_are_decided,
            drop_box::pages_of_drops_follow_the_number,
            drop_box::waiting_drops_are_limited,
            drop_box::bytes_of_waiting_drops_are_limited,
            drop_box::decided_drops_run_out_and_waiting_ones_stay,
            blob::a_blob_is_read_once_it_is_whole,
            blob::blobs_at_the_edges,
            blob::a_spoilt_blob_is_dropped_and_spoils_no_other,
            blob::blobs_have_their_room,
            blob::unfinished_blobs_run_out,
            blob::operations_have_their_room,
            blob::operations_are_counted,
            upkeep::the_first_value_stays,
            upkeep::of_racing_values_one_is_created,
            upkeep::figures_count_what_is_there,
            upkeep::a_sound_store_has_no_findings,
            upkeep::a_wrong_hash_is_found,
        }
    };
    (@tests $make:path; $($module:ident::$test:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                let (store, _guard) = $make();
                $crate::conformance::$module::$test(store).await;
            }
        )*
    };
}

#[cfg(test)]
mod memory {
    fn make() -> (crate::MemoryStore, ()) {
        (crate::MemoryStore::new(), ())
    }

    crate::store_conformance!(make);
}
