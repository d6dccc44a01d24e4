#!/bin/sh
# hub_fhir.sh - a facility's day as FHIR resources: each is what R4 allows
# (tests/fhir), there are as many as the tables say, personal names only for who
# may have them, nothing of a neighbour, and every export is listed.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
other=$SCRATCH/other canary=canary_51c9e0
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 >/dev/null &&
	"$YIZHAN" -C "$other" init --facility F2 >/dev/null || exit 1
serve "$hub"
base=http://$address
enrol "$node" F1 "$base"
enrol "$other" F2 "$base"
sql "$other" "INSERT INTO child(id, facility_id, name, sex) VALUES (x'f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2', 'F2', '$canary', 1)" >/dev/null
check 0 '"state":"in_sync"' -C "$other" sync --json
"$YIZHAN" -C "$node" import roster packaging/rosters/centre-1.csv >/dev/null || exit 1
"${TOOLS:-build}/oneday" "$node" >/dev/null || exit 1
sql "$node" "INSERT INTO immunization(child_id, vaccine_code, dose_no, facility_id, given_date, lot)
	SELECT id, 'MMR', 1, 'F1', 20260105, 'L' || hex(randomblob(2)) FROM child;
	INSERT INTO growth_measurement(facility_id, child_id, measured_date, at, weight_g, length_mm, posture, head_mm)
	SELECT 'F1', id, 20260301, 1772352000000, 11250, 865, 1 + length(name) % 2, NULL FROM child;
	INSERT INTO growth_measurement(facility_id, child_id, measured_date, weight_g, replaces_id)
	SELECT 'F1', child_id, measured_date, 11300, id FROM growth_measurement WHERE measured_date = 20260301 ORDER BY id LIMIT 1" >/dev/null
check 0 '"state":"in_sync"' -C "$node" sync --json

# a neighbour that knows the ids of rows here takes none of them away
known() {
	sql "$node" "SELECT id FROM $1 LIMIT 1" | grep -oE '[0-9a-f]{32}'
}
sql "$other" "INSERT INTO growth_measurement(facility_id, child_id, weight_g, replaces_id)
	VALUES ('F2', x'$(known child)', 1, x'$(known growth_measurement)');
	INSERT INTO attendance_event(facility_id, enrollment_id, kind, at, replaces_id)
	VALUES ('F2', x'$(known enrollment)', 3, 1, x'$(known attendance_event)');
	INSERT INTO health_check(facility_id, at, replaces_id) SELECT 'F2', 1, x'$(known health_check)'" >/dev/null
check 0 '"state":"in_sync"' -C "$other" sync --json

# asked WANT TOKEN QUERY: the status; the answer is in $SCRATCH/answer
asked() {
	is "$(curl -s -o "$SCRATCH/answer" -D "$SCRATCH/head" -w '%{http_code}' --max-time 60 \
		-H "Authorization: Bearer $2" "$base/v1/export?$3")" "$1" "$3"
}

# of SQL: a number at the node
of() {
	"$YIZHAN" -C "$node" sql "$1" | sed -n 2p | tr -d ' '
}

mine=$("$YIZHAN" -C "$hub" token new --scope f/F1 | head -n 1)
personal=$("$YIZHAN" -C "$hub" token new --scope f/F1 --personal | head -n 1)
all=$("$YIZHAN" -C "$hub" token new --scope all --personal | head -n 1)
few=$("$YIZHAN" -C "$hub" token new --scope f/F1 --tables child | head -n 1)

# resources TYPE: what TYPE's file comes to, for each of the tokens that must see the same
resources() {
	asked 200 "$mine" "format=fhir&_type=$1"
	is "$(grep -ci '^content-type: application/fhir+ndjson' "$SCRATCH/head")" 1 "content type of $1"
	python3 tests/fhir/check.py "$SCRATCH/answer" >"$SCRATCH/said" || cat "$SCRATCH/said"
	tail -n 1 "$SCRATCH/said"
}
children=$(of 'SELECT count(*) FROM child')
is "$(resources Patient)" "$children resources, 0 wrong" 'children'
is "$(grep -c '"name"' "$SCRATCH/answer")" 0 'names for who may not have them'
is "$(resources Immunization)" "$children resources, 0 wrong" 'doses'
days=$(of "SELECT count(DISTINCT hex(enrollment_id) || biz_date) FROM attendance_event a WHERE kind IN (1, 2)
	AND NOT EXISTS (SELECT 1 FROM attendance_event WHERE replaces_id = a.id)")
is "$(resources Encounter)" "$days resources, 0 wrong" 'days of children'
is "$([ "$days" -gt 10 ] && echo some)" some "$days children came"
measures=$(of "SELECT (SELECT coalesce(sum((weight_g > 0) + (length_mm > 0) + coalesce(head_mm > 0, 0)), 0)
	FROM (SELECT coalesce(weight_g, 0) AS weight_g, coalesce(length_mm, 0) AS length_mm, head_mm FROM growth_measurement g
	WHERE NOT EXISTS (SELECT 1 FROM growth_measurement WHERE replaces_id = g.id)))
	+ (SELECT count(*) FROM health_check h WHERE temp_dc > 0 AND NOT EXISTS (SELECT 1 FROM health_check WHERE replaces_id = h.id))
	+ (SELECT count(*) FROM attendance_event h WHERE temp_dc > 0 AND NOT EXISTS (SELECT 1 FROM attendance_event WHERE replaces_id = h.id)) AS n")
is "$(resources Observation)" "$measures resources, 0 wrong" 'what was measured'
is "$(grep -c '"value":11.25,"unit":"kg"' "$SCRATCH/answer")" $((children - 1)) 'weights, in kilograms'
is "$(grep -c '"value":86.5,"unit":"cm"' "$SCRATCH/answer")" $((children - 1)) 'lengths, in centimetres'
is "$(grep -c '"value":11.3,"unit":"kg"' "$SCRATCH/answer")" 1 'the corrected weight'

asked 200 "$personal" 'format=fhir&_type=Patient'
python3 tests/fhir/check.py "$SCRATCH/answer" >"$SCRATCH/said" || cat "$SCRATCH/said"
is "$(grep -c '"name":\[{"text":' "$SCRATCH/answer")" "$children" 'names for who may have them'
is "$(grep -c "$canary" "$SCRATCH/answer")" 0 'the neighbour'
asked 200 "$all" 'format=fhir&_type=Patient'
is "$(grep -c "$canary" "$SCRATCH/answer")" 1 'everybody, for the district'
asked 200 "$all" 'format=fhir&_type=Patient&scope=f/F2'
is "$(wc -l <"$SCRATCH/answer")" 1 'one facility, for the district'

# what isn't offered says what is
asked 404 "$mine" 'format=fhir&_type=Claim'
is "$(grep -c 'Patient, Observation, Immunization, Encounter' "$SCRATCH/answer")" 1 "$(cat "$SCRATCH/answer")"
asked 400 "$mine" 'format=fhir'
asked 400 "$mine" 'format=fhir&_type=Patient&table=child'
asked 400 "$mine" '_type=Patient&table=child'
asked 403 "$mine" 'format=fhir&_type=Patient&scope=f/F2'
asked 404 "$few" 'format=fhir&_type=Encounter'
asked 200 "$few" 'format=fhir&_type=Patient'
asked 401 wrong 'format=fhir&_type=Patient'
is "$("$YIZHAN" -C "$hub" sql "SELECT count(*) FROM hub_export WHERE what = 'export fhir'" | sed -n 2p | tr -d ' ')" 8 'exports that are listed'
finish
