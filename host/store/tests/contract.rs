//! What every store must do: one table of behaviours, run over each store that there is. What only one of them promises has tests of its own, in `contract/sqlite.rs` and
//! `contract/postgres.rs`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "contract/accounts.rs"]
mod accounts;
#[path = "contract/actors.rs"]
mod actors;
#[path = "contract/attempts.rs"]
mod attempts;
#[path = "contract/audit.rs"]
mod audit;
#[path = "contract/challenges.rs"]
mod challenges;
#[path = "contract/closings.rs"]
mod closings;
#[path = "contract/digests.rs"]
mod digests;
#[path = "contract/directory.rs"]
mod directory;
#[path = "contract/documents.rs"]
mod documents;
#[path = "contract/event.rs"]
mod event;
#[path = "contract/factor_owners.rs"]
mod factor_owners;
#[path = "contract/factor_uses.rs"]
mod factor_uses;
#[path = "contract/factors.rs"]
mod factors;
#[path = "contract/fixture.rs"]
mod fixture;
#[path = "contract/group.rs"]
mod group;
#[path = "contract/link.rs"]
mod link;
#[path = "contract/overtake.rs"]
mod overtake;
#[path = "contract/policy.rs"]
mod policy;
#[path = "contract/postgres.rs"]
mod postgres;
#[path = "contract/provision.rs"]
mod provision;
#[path = "contract/refresh.rs"]
mod refresh;
#[path = "contract/session.rs"]
mod session;
#[path = "contract/sqlite.rs"]
mod sqlite;
#[path = "contract/tenant.rs"]
mod tenant;
#[path = "contract/token.rs"]
mod token;
#[path = "contract/told.rs"]
mod told;
#[path = "contract/user.rs"]
mod user;
#[path = "contract/whole.rs"]
mod whole;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use keyway_core::port::{Store, SystemRandom};
use keyway_core::testing::MemoryStore;
use keyway_store::{StoreSettings, open};

type Behaviour = fn(Arc<dyn Store>) -> BoxFuture<'static, ()>;

macro_rules! behaviours {
    ($($room:ident::$name:ident,)*) => {
        &[$((concat!(stringify!($room), "::", stringify!($name)), |store| Box::pin($room::$name(store)))),*]
    };
}

/// The contract.
const BEHAVIOURS: &[(&str, Behaviour)] = behaviours![
    token::a_session_is_found_by_its_token_as_it_was_opened,
    token::an_expired_token_is_found_until_it_is_swept,
    token::an_unknown_token_is_not_found,
    token::the_same_hash_under_another_key_is_another_token,
    token::a_session_of_a_user_or_tenant_that_is_gone_is_refused_whole,
    token::a_session_ends_with_its_token,
    token::revoking_a_session_ends_it_alone,
    token::revoking_an_identity_ends_its_sessions_alone,
    token::revoking_a_plugin_ends_what_it_let_in_alone,
    token::revoking_nothing_is_no_error,
    token::a_token_is_revoked_once_however_many_ask,
    token::a_sweep_removes_what_expired_in_batches,
    token::two_hundred_sessions_at_once_are_all_found,
    token::sweeps_and_revocations_at_once_leave_nothing_behind,
    refresh::a_refresh_token_is_found_as_it_was_made,
    refresh::a_client_keeps_the_refresh_token_that_it_has,
    refresh::a_refresh_token_that_does_not_fit_is_replaced,
    refresh::a_mobile_client_takes_the_place_of_the_one_before,
    refresh::two_mobile_clients_at_once_leave_one_refresh_token,
    refresh::one_client_that_asks_at_once_gets_one_refresh_token,
    refresh::a_login_with_a_refresh_token_needs_it_to_be_there,
    refresh::refresh_tokens_end_with_what_they_rest_on,
    refresh::no_refresh_survives_what_runs_at_the_same_time,
    refresh::a_sweep_removes_expired_refresh_tokens_in_batches,
    refresh::refresh_tokens_are_listed_by_scope_filter_and_search,
    refresh::refresh_tokens_are_listed_by_order_and_page,
    session::a_session_is_found_as_it_was_opened,
    session::sessions_are_listed_by_scope_owner_order_and_page,
    session::a_list_tells_the_end_and_the_client_of_each_session,
    session::a_mailed_link_is_in_the_list_of_all_sessions_and_in_nobodys,
    session::no_more_sessions_are_opened_than_there_may_be,
    session::logins_at_once_are_no_more_than_there_may_be,
    overtake::a_login_from_before_a_new_password_is_refused,
    overtake::a_renewed_verifier_refuses_nobody,
    overtake::a_login_from_before_a_revocation_of_its_identity_is_refused,
    overtake::a_login_from_before_a_revocation_of_its_plugin_is_refused,
    overtake::revoking_a_token_or_a_session_refuses_nobody,
    overtake::a_session_of_a_disabled_user_is_refused_whole,
    overtake::a_login_is_refused_if_what_may_have_overtaken_it_was_swept,
    overtake::a_mark_that_is_still_to_come_is_not_taken,
    overtake::no_session_survives_what_runs_at_the_same_time,
    directory::a_user_is_found_as_it_was_added,
    directory::logins_are_unique_in_their_tenant_without_regard_to_case,
    directory::emails_are_unique_in_their_tenant_without_regard_to_case,
    directory::a_user_that_is_refused_leaves_nothing_behind,
    directory::a_user_needs_its_tenant,
    directory::a_login_in_two_tenants_is_ambiguous,
    directory::only_confirmed_emails_find_a_user,
    directory::users_are_listed_by_login_in_pages,
    directory::a_search_counts_all_whom_it_finds_and_shows_a_page_of_them,
    directory::removing_a_user_ends_its_sessions_and_attachments,
    directory::setting_a_password_ends_sessions,
    directory::a_password_is_changed_only_in_the_place_of_the_one_that_was_compared,
    directory::renewing_a_verifier_ends_nothing,
    directory::a_verifier_is_renewed_only_in_the_place_of_the_one_that_was_compared,
    directory::a_subject_keeps_its_first_identity,
    directory::two_first_logins_of_a_subject_get_one_identity,
    directory::texts_of_any_script_survive,
    directory::a_nul_is_neither_stored_nor_found,
    user::a_name_is_one_users_login_or_address_everywhere,
    user::of_all_who_ask_for_a_name_at_once_one_gets_it,
    user::nobody_gets_in_front_of_another_tenants_user_with_its_name,
    user::a_user_is_replaced_by_what_it_is_now,
    user::a_new_login_must_be_free_and_the_old_one_may_stay,
    user::disabling_a_user_ends_its_sessions_and_refuses_logins_under_way,
    user::addresses_are_replaced_and_kept_ones_stay_what_they_are,
    user::a_chosen_id_takes_over_nothing,
    user::a_login_of_a_removed_user_opens_nothing_for_the_next_with_its_id,
    user::a_password_counts_only_where_the_method_is_native,
    user::a_method_is_set_for_many_or_in_the_place_of_another,
    user::a_groups_members_and_a_members_groups_are_counted_alone,
    link::an_address_is_confirmed_by_its_id,
    link::removing_a_password_ends_sessions_and_refuses_logins_under_way,
    tenant::the_top_tenant_is_there_and_its_own_parent,
    tenant::tenants_are_listed_in_the_order_in_which_they_took_their_names,
    tenant::all_tenants_are_listed_with_what_is_said_of_them,
    tenant::names_may_be_shared_or_absent_and_slugs_are_unique_in_their_spelling,
    tenant::tenants_are_listed_by_scope_filter_search_order_and_page,
    tenant::a_tenant_is_updated_whole_but_for_its_parent_and_slug,
    tenant::a_tenant_moves_but_never_below_itself,
    tenant::moves_at_once_make_no_cycle,
    tenant::a_tenant_goes_with_all_that_it_owns,
    tenant::a_setting_is_found_as_it_was_put,
    tenant::the_top_tenant_gets_another_id_with_all_that_is_its_own,
    refresh::a_refresh_token_is_brought_in_once,
    tenant::realms_and_domains_are_unique_everywhere_without_regard_to_case,
    tenant::a_tenant_needs_its_parent,
    tenant::a_tenant_that_owns_something_stays,
    tenant::a_tenant_has_a_group_of_all_its_users_and_the_groups_it_starts_with,
    group::a_group_is_found_as_it_was_added,
    group::names_and_slugs_are_unique_in_their_tenant_without_regard_to_case,
    group::a_group_needs_its_tenant,
    group::groups_are_listed_by_scope_filter_search_order_and_page,
    group::a_group_is_renamed_and_removed,
    group::members_and_policies_come_and_go,
    group::a_new_user_is_a_member_of_its_tenants_system_group_alone,
    policy::a_policy_is_found_by_id_name_and_slug,
    policy::policy_names_and_slugs_are_unique_in_their_tenant,
    policy::what_is_shared_is_unique_in_the_tenants_below,
    policy::policies_are_listed_by_scope_filter_search_order_and_page,
    policy::a_policy_is_replaced_only_as_it_was_read,
    policy::a_policy_is_attached_and_detached,
    policy::a_policy_is_taken_together_with_what_was_opened_with_it,
    policy::removing_a_policy_removes_its_attachments,
    policy::a_user_has_the_default_accesses_then_its_groups_then_its_own,
    policy::the_accesses_of_many_users_are_those_of_each,
    told::a_session_tells_of_its_beginning_and_its_end,
    told::every_way_to_end_a_session_is_told,
    told::a_login_that_is_refused_tells_of_nothing,
    told::a_mailed_link_is_no_login_to_be_told_of,
    told::a_refresh_token_tells_of_its_beginning_and_its_end,
    told::a_refresh_token_that_expires_is_told,
    told::a_tenant_tells_of_what_becomes_of_it,
    event::events_are_read_from_any_place_in_parts,
    event::events_of_many_at_once_are_all_read_once,
    event::a_session_is_announced_to_end_soon_once,
    event::many_sessions_are_announced_in_batches,
    event::a_receiver_goes_on_where_it_was,
    event::old_events_and_too_many_are_forgotten,
    provision::each_tenant_gets_what_the_configuration_defines,
    provision::a_provided_policy_is_taken_over_and_corrected,
    provision::what_is_not_provided_any_more_goes_unless_somebody_has_it,
    provision::a_tenants_own_group_of_the_same_name_is_left_alone,
    provision::a_tenant_that_comes_with_its_groups_is_kept_up,
    provision::nodes_that_provide_at_once_agree,
    factors::a_factor_is_found_as_it_was_added,
    factors::serials_are_unique_without_regard_to_case,
    factors::active_factors_are_their_owners_by_serial,
    factors::factors_are_listed_by_filter,
    factors::only_a_star_stands_for_any_text,
    factors::factors_are_listed_by_order_and_page,
    factors::a_factor_is_changed_in_what_is_said,
    factors::a_factor_goes_with_its_codes,
    factor_uses::a_one_time_password_is_used_up,
    factor_uses::of_all_who_use_a_one_time_password_at_once_one_does,
    factor_uses::a_recovery_code_is_used_up,
    factor_uses::of_all_who_use_a_recovery_code_at_once_one_does,
    factor_uses::no_more_attempts_begin_than_may_fail,
    factor_uses::an_attempt_is_taken_back_and_never_more,
    factor_uses::a_change_is_made_if_the_factor_is_as_it_must_be,
    factor_owners::a_factor_goes_with_its_user,
    factor_owners::a_user_inherits_no_factor_with_a_chosen_id,
    factor_owners::no_factor_survives_a_user_who_is_removed_while_it_is_assigned,
    factor_owners::a_factor_goes_with_its_tenant,
    factor_owners::a_tenant_whose_people_have_factors_stays,
    factor_owners::factors_stay_with_the_top_tenant_when_its_id_changes,
    factor_owners::a_tenant_goes_while_its_factors_change_hands,
    challenges::a_challenge_is_found_until_it_expires,
    challenges::a_challenge_is_finished_once_and_stays,
    challenges::of_all_who_finish_a_challenge_at_once_one_does,
    challenges::expired_challenges_are_swept_in_batches,
    audit::an_entry_is_found_as_it_was_recorded,
    audit::no_text_of_a_stranger_keeps_an_entry_out,
    audit::the_audit_is_read_in_pages_from_either_end,
    audit::entries_fit_by_any_column_without_regard_to_case,
    audit::entries_fit_by_their_end_and_their_time,
    audit::what_is_counted_is_exact,
    audit::what_is_long_past_does_not_count,
    audit::old_entries_are_swept_in_batches,
    documents::a_document_is_found_as_it_was_put,
    documents::documents_are_listed_by_name_within_their_kind,
    documents::a_document_is_replaced_only_as_it_was_read,
    documents::a_document_is_removed_only_as_it_was_read,
    documents::of_all_who_replace_a_document_at_once_one_does,
    documents::a_documents_id_is_not_given_again,
    accounts::an_account_is_found_as_it_was_put,
    accounts::an_account_takes_the_place_of_what_was_read_alone,
    accounts::of_all_who_change_an_account_at_once_each_is_heard,
    accounts::a_profile_takes_the_place_of_what_was_read_alone,
    closings::an_account_that_closes_closes_those_below_it_until_it_opens,
    closings::a_trial_cuts_the_tokens_that_would_outlive_it,
    closings::a_tenant_that_moves_is_closed_by_what_is_above_it_then,
    closings::no_session_survives_what_closes_above_it_at_the_same_time,
    closings::no_token_outlives_a_trial_that_is_set_at_the_same_time,
    closings::moves_and_closings_at_once_do_not_stand_still,
    accounts::a_number_is_one_accounts_alone,
    accounts::of_two_accounts_that_take_a_number_at_once_one_gets_it,
    accounts::accounts_that_exchange_numbers_at_once_do_not_stand_still,
    accounts::an_account_goes_with_its_tenant,
    accounts::a_tenant_with_a_known_id_has_no_account_from_before,
    accounts::an_account_stays_with_the_top_tenant_when_its_id_changes,
    accounts::a_profile_is_found_as_it_was_put,
    accounts::a_profile_goes_with_its_user,
    closings::an_account_that_closes_ends_what_its_users_hold_alone,
    closings::an_account_whose_trial_is_over_ends_what_its_users_hold,
    closings::revoking_a_tenant_ends_what_its_users_hold_alone,
    closings::nobody_logs_in_to_an_account_that_is_closed,
    closings::a_users_account_counts_wherever_its_session_is,
    closings::a_login_from_before_an_account_closed_is_refused_for_good,
    closings::no_session_survives_an_account_that_closes_at_the_same_time,
    attempts::an_attempt_is_found_as_it_was_recorded,
    attempts::no_text_of_a_stranger_keeps_an_attempt_out,
    attempts::attempts_are_listed_newest_first_by_time_and_page,
    attempts::attempts_go_with_their_tenant,
    attempts::attempts_stay_with_the_top_tenant_when_its_id_changes,
    attempts::old_attempts_are_swept_in_batches,
    digests::a_user_is_found_by_its_digest,
    digests::of_users_with_one_digest_the_first_two_are_found,
    digests::a_digest_counts_only_where_the_method_is_native,
    digests::each_cost_of_a_tenants_digests_is_listed_once,
    digests::a_new_password_takes_its_digests_along,
    digests::digests_are_put_only_for_what_they_are_made_of,
    digests::digests_go_when_a_user_is_called_something_else,
    digests::digests_go_with_their_user_and_its_tenant,
    digests::digests_go_when_the_top_tenants_id_changes,
    digests::no_digest_of_an_old_password_survives_a_new_one,
    actors::a_session_is_found_with_its_actor,
    actors::an_event_names_who_acts,
    actors::a_session_ends_with_its_actors_however_that_ends,
    actors::a_session_ends_with_its_actors_when_a_plugin_is_revoked,
    actors::a_session_ends_with_its_actors_when_a_sweep_ends_that,
    actors::a_session_ends_with_its_actors_when_a_mobile_client_takes_that_ones_place,
    actors::all_sessions_of_an_actor_end_and_so_on_down,
    actors::sessions_in_which_somebody_else_acts_are_not_counted,
    actors::nobody_acts_whose_own_session_has_ended,
    actors::nobody_goes_on_acting_whose_own_session_ends_at_the_same_time,
    actors::two_who_act_for_each_other_are_ended_at_once,
    actors::an_actor_stays_in_the_top_tenant_when_its_id_changes,
    whole::keys_are_listed_oldest_first,
    whole::of_two_keys_with_one_id_the_first_stays,
    whole::a_store_answers_until_it_is_closed,
];

/// What a busy machine is slow at is no breach of the contract.
fn patient() -> StoreSettings {
    let patience = Duration::from_mins(1);
    StoreSettings {
        acquire_timeout: patience,
        call_timeout: patience,
        ..StoreSettings::default()
    }
}

/// The rooms of the contract that the store in memory, on which other tests lean, is held to as well.
const IN_MEMORY: [&str; 11] = [
    "factors::",
    "factor_uses::",
    "factor_owners::",
    "challenges::",
    "audit::",
    "documents::",
    "accounts::",
    "closings::",
    "attempts::",
    "digests::",
    "actors::",
];

/// Runs the table, each behaviour on a store of its own, and names all that do not hold, not just the first.
async fn check<S: Future<Output = Arc<dyn Store>>>(fresh: impl Fn(usize) -> S) {
    check_some(|_| true, fresh).await;
}

async fn check_some<S: Future<Output = Arc<dyn Store>>>(is_meant: impl Fn(&str) -> bool, fresh: impl Fn(usize) -> S) {
    let mut broken = Vec::new();
    for (number, (name, behaviour)) in BEHAVIOURS.iter().enumerate() {
        if !is_meant(name) {
            continue;
        }
        let store = fresh(number).await;
        if AssertUnwindSafe(behaviour(Arc::clone(&store)))
            .catch_unwind()
            .await
            .is_err()
        {
            broken.push(*name);
        }
        store.close().await;
    }
    assert!(broken.is_empty(), "these do not hold: {broken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = |number| {
        let url = format!("sqlite:{}/{number}.db", folder.path().display());
        async move { open(&url, patient(), &SystemRandom).await.expect("a store") }
    };
    check(fresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_keeps_the_contract() {
    // A server of its own: what another test leaves open anywhere on it would keep events from being read.
    let server = keyway_tests::postgres::private();
    let fresh = |_| {
        let url = server.database().url();
        async move { open(&url, patient(), &SystemRandom).await.expect("a store") }
    };
    check(fresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_in_memory_keeps_the_newer_part_of_the_contract() {
    let is_meant = |name: &str| IN_MEMORY.iter().any(|room| name.starts_with(room));
    check_some(is_meant, |_| async { MemoryStore::new() as Arc<dyn Store> }).await;
}
