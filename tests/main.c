/*
 * tests/main.c - run every suite.  Check itself understands CK_FORK=no,
 * CK_RUN_SUITE, CK_RUN_CASE and CK_TAP_LOG_FILE_NAME.
 */
#include "tests/suites.h"

#include <stdlib.h>

int
main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	srunner_add_suite(runner, suite_base_csvio());
	srunner_add_suite(runner, suite_base_file());
	srunner_add_suite(runner, suite_base_json());
	srunner_add_suite(runner, suite_base_rd());
	srunner_add_suite(runner, suite_facility_batch());
	srunner_add_suite(runner, suite_facility_csv());
	srunner_add_suite(runner, suite_facility_day());
	srunner_add_suite(runner, suite_facility_page());
	srunner_add_suite(runner, suite_facility_record());
	srunner_add_suite(runner, suite_facility_roster());
	srunner_add_suite(runner, suite_facility_schema());
	srunner_add_suite(runner, suite_facility_today());
	srunner_add_suite(runner, suite_law_delivery());
	srunner_add_suite(runner, suite_law_merge());
	srunner_add_suite(runner, suite_node_code());
	srunner_add_suite(runner, suite_node_config());
	srunner_add_suite(runner, suite_node_ctl());
	srunner_add_suite(runner, suite_node_enrol());
	srunner_add_suite(runner, suite_node_feed());
	srunner_add_suite(runner, suite_node_grant());
	srunner_add_suite(runner, suite_node_guard());
	srunner_add_suite(runner, suite_node_http());
	srunner_add_suite(runner, suite_node_identity());
	srunner_add_suite(runner, suite_node_reqsig());
	srunner_add_suite(runner, suite_node_rights());
	srunner_add_suite(runner, suite_node_status());
	srunner_add_suite(runner, suite_node_token());
	srunner_add_suite(runner, suite_node_words());
	srunner_add_suite(runner, suite_sim_facility());
	srunner_add_suite(runner, suite_sim_skew());
	srunner_add_suite(runner, suite_sim_two_nodes());
	srunner_add_suite(runner, suite_store_batch());
	srunner_add_suite(runner, suite_store_capture());
	srunner_add_suite(runner, suite_store_print());
	srunner_add_suite(runner, suite_store_rescan());
	srunner_add_suite(runner, suite_store_track());
	srunner_add_suite(runner, suite_store_verdict());
	srunner_add_suite(runner, suite_sync_archive());
	srunner_add_suite(runner, suite_sync_archive_verify());
	srunner_add_suite(runner, suite_sync_chain());
	srunner_add_suite(runner, suite_sync_codec());
	srunner_add_suite(runner, suite_sync_foreign());
	srunner_add_suite(runner, suite_sync_gitconf());
	srunner_add_suite(runner, suite_sync_history());
	srunner_add_suite(runner, suite_sync_ingest());
	srunner_add_suite(runner, suite_sync_merge());
	srunner_add_suite(runner, suite_sync_pack());
	srunner_add_suite(runner, suite_sync_record());
	srunner_add_suite(runner, suite_sync_seal());
	srunner_add_suite(runner, suite_sync_segment());
	srunner_add_suite(runner, suite_sync_segment_limits());
	srunner_add_suite(runner, suite_sync_sign());
	srunner_add_suite(runner, suite_sync_sshsig());
	srunner_add_suite(runner, suite_sync_transport());
	srunner_add_suite(runner, suite_sync_transport_tls());

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
