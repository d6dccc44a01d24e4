/*
 * tests/main.c - run every suite.  Check itself understands CK_FORK=no,
 * CK_RUN_SUITE, CK_RUN_CASE and CK_TAP_LOG_FILE_NAME.
 */
#include "tests/suites.h"

#include <stdio.h>
#include <stdlib.h>

/* clang-format off: a line a suite, so that two changes meet without a quarrel */
static Suite *(*const suites[])(void) = {
	suite_attack_message,
	suite_attack_sync,
	suite_base_csvio,
	suite_base_file,
	suite_base_json,
	suite_base_rd,
	suite_disk,
	suite_facility_alias,
	suite_facility_due,
	suite_facility_word,
	suite_facility_batch,
	suite_facility_csv,
	suite_facility_day,
	suite_facility_fhir,
	suite_facility_open,
	suite_facility_page,
	suite_facility_public,
	suite_facility_request,
	suite_facility_street,
	suite_node_street,
	suite_facility_record,
	suite_facility_register,
	suite_facility_roster,
	suite_facility_schema,
	suite_facility_shared,
	suite_facility_district,
	suite_facility_views,
	suite_facility_seats,
	suite_facility_today,
	suite_law_conflicts,
	suite_law_delivery,
	suite_law_merge,
	suite_law_seats,
	suite_law_words,
	suite_node_code,
	suite_node_config,
	suite_node_ctl,
	suite_node_enrol,
	suite_node_enrol_rows,
	suite_node_feed,
	suite_node_moved,
	suite_node_fleet,
	suite_node_grant,
	suite_node_guard,
	suite_node_http,
	suite_node_identity,
	suite_node_memory,
	suite_node_external,
	suite_node_near,
	suite_node_offers,
	suite_node_pin,
	suite_node_openapi,
	suite_node_record_rules,
	suite_node_records,
	suite_node_reqsig,
	suite_node_rights,
	suite_node_room,
	suite_node_session,
	suite_node_status,
	suite_node_token,
	suite_node_words,
	suite_sim_alter,
	suite_sim_facility,
	suite_sim_month,
	suite_sim_rights,
	suite_sim_safety,
	suite_sim_skew,
	suite_sim_two_nodes,
	suite_store_alter,
	suite_store_batch,
	suite_store_bulk,
	suite_store_capture,
	suite_store_db,
	suite_store_inbox,
	suite_store_pg,
	suite_store_pg_head,
	suite_store_pg_race,
	suite_store_print,
	suite_store_range,
	suite_store_rescan,
	suite_store_track,
	suite_store_verdict,
	suite_sync_apply,
	suite_sync_archive,
	suite_sync_archive_verify,
	suite_sync_chain,
	suite_sync_clock,
	suite_sync_late,
	suite_sync_codec,
	suite_sync_crafted,
	suite_sync_foreign,
	suite_sync_gitconf,
	suite_sync_history,
	suite_sync_ingest,
	suite_sync_large,
	suite_sync_memory,
	suite_sync_merge,
	suite_sync_message,
	suite_sync_pack,
	suite_sync_plan,
	suite_sync_record,
	suite_sync_refused,
	suite_sync_relay,
	suite_sync_remint,
	suite_sync_rotate,
	suite_sync_retry,
	suite_sync_rot,
	suite_sync_rift,
	suite_sync_seal,
	suite_sync_segment,
	suite_sync_segment_limits,
	suite_sync_share,
	suite_sync_share_back,
	suite_sync_share_verdict,
	suite_sync_sign,
	suite_sync_sshsig,
	suite_sync_transport,
	suite_sync_transport_tls,
	suite_sync_undo,
};
/* clang-format on */

int
main(void)
{
	SRunner *runner = srunner_create(NULL);
	const char *part = getenv("CHECK_PART"); /* "1/2": every second suite, from the second on */
	size_t from = 0, step = 1;
	int failed;

	if (part != NULL && (sscanf(part, "%zu/%zu", &from, &step) != 2 || step == 0))
		return EXIT_FAILURE;
	for (size_t i = from; i < sizeof suites / sizeof suites[0]; i += step)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
