/* tests/suites.h - every suite, one per module; tests/main.c runs them all. */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

Suite *suite_base_csvio(void);
Suite *suite_base_file(void);
Suite *suite_base_hash(void);
Suite *suite_base_json(void);
Suite *suite_base_rd(void);
Suite *suite_facility_batch(void);
Suite *suite_facility_csv(void);
Suite *suite_facility_day(void);
Suite *suite_facility_page(void);
Suite *suite_facility_record(void);
Suite *suite_facility_roster(void);
Suite *suite_facility_schema(void);
Suite *suite_facility_today(void);
Suite *suite_law_delivery(void);
Suite *suite_law_merge(void);
Suite *suite_node_code(void);
Suite *suite_node_config(void);
Suite *suite_node_ctl(void);
Suite *suite_node_enrol(void);
Suite *suite_node_feed(void);
Suite *suite_node_grant(void);
Suite *suite_node_guard(void);
Suite *suite_node_http(void);
Suite *suite_node_identity(void);
Suite *suite_node_reqsig(void);
Suite *suite_node_rights(void);
Suite *suite_node_status(void);
Suite *suite_node_token(void);
Suite *suite_node_words(void);
Suite *suite_sim_two_nodes(void);
Suite *suite_store_batch(void);
Suite *suite_store_capture(void);
Suite *suite_store_rescan(void);
Suite *suite_store_track(void);
Suite *suite_store_verdict(void);
Suite *suite_sync_archive(void);
Suite *suite_sync_archive_verify(void);
Suite *suite_sync_chain(void);
Suite *suite_sync_codec(void);
Suite *suite_sync_gitconf(void);
Suite *suite_sync_history(void);
Suite *suite_sync_ingest(void);
Suite *suite_sync_merge(void);
Suite *suite_sync_pack(void);
Suite *suite_sync_record(void);
Suite *suite_sync_segment(void);
Suite *suite_sync_sign(void);
Suite *suite_sync_sshsig(void);
Suite *suite_sync_transport(void);
Suite *suite_sync_transport_tls(void);

#endif /* TESTS_SUITES_H */
