#!/bin/sh
# sqlsubset.sh - hold every statement of store/pg to the SQL that PostgreSQL, Citus
# and YugabyteDB have in common, and to what orders the feed (store/DESIGN.md):
#
#   reads and writes   name their part: `part = $1`, or INSERT's first column from $1
#   tables             begin with part, in the key and in each index; IF NOT EXISTS
#   types              int4, int8, text, bytea, boolean
#   never              sequences, advisory locks, LISTEN and NOTIFY, triggers, MERGE,
#                      xid functions, SKIP LOCKED, COPY, clocks of the server, two
#                      statements in one, other session settings than the one we need
#
# A statement is what a C file has in string literals that follow each other and
# begin with one of the verbs.  What the rules are to refuse is tried first.
set -u
cd "$(dirname "$0")/.." || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# statements FILE...: FILE:LINE, a tab, the statement; one a line.
statements() {
	awk '
	function done() {
		if (text ~ /^ *(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|SET|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|COPY|MERGE|LISTEN|NOTIFY|LOCK|TRUNCATE|DO|CALL|VACUUM|ANALYZE|GRANT)( |$)/)
			print FILENAME ":" first "\t" text
		text = ""
	}
	FNR == 1 { comment = 0 }
	{
		line = $0
		while (line != "") {
			if (comment) {
				if (!match(line, /\*\//)) break
				line = substr(line, RSTART + 2)
				comment = 0
			} else if (match(line, /^[ \t]+/)) {
				line = substr(line, RLENGTH + 1)
			} else if (line ~ /^\/\*/) {
				comment = 1
				line = substr(line, 3)
			} else if (match(line, /^"([^"\\]|\\.)*"/)) {
				if (text == "") first = FNR
				text = text substr(line, 2, RLENGTH - 2)
				line = substr(line, RLENGTH + 1)
			} else {
				done()
				line = substr(line, 2)
			}
		}
	}
	END { done() }' "$@"
}

# judge: complain of each statement on the standard input that breaks a rule.
judge() {
	awk -F'\t' '
	function bad(why) { print $1 ": " why "\n    " $2; wrong = 1 }
	{
		sql = " " tolower($2) " "
		gsub(/[ \t]+/, " ", sql)
		never = "nextval|currval|setval|sequence|serial[248]?|bigserial|smallserial|generated|identity|" \
			"pg_advisory[a-z_]*|pg_try_advisory[a-z_]*|listen|notify|pg_notify|trigger|merge|copy|" \
			"txid_[a-z_]*|pg_current_xact_id|xmin|xmax|ctid|locked|now|current_timestamp|" \
			"clock_timestamp|statement_timestamp|transaction_timestamp|localtimestamp|truncate|" \
			"real|float[48]?|double|numeric|decimal|json|jsonb|uuid|timestamp|timestamptz|" \
			"interval|date|varchar|char|smallint|bigint|int2"
		if (match(sql, "[^a-z0-9_](" never ")[^a-z0-9_]"))
			bad("has" substr(sql, RSTART, RLENGTH) "in it")
		if (sql ~ /;/)
			bad("is two statements")
		if (sql ~ /::/ && sql !~ /^([^:]|::(int4|int8|text|bytea|boolean)(\[\])?)*$/)
			bad("casts to a type that we do not use")
		if (sql ~ /^ (select|update|delete) / && sql !~ /part = \$1/)
			bad("does not say its part")
		if (sql ~ /^ insert / && sql !~ /^ insert into [a-z_]+ ?\(part, .*\) (values \(|select )\$1[, ]/)
			bad("does not begin with its part")
		if (sql ~ /on conflict/ && sql !~ /on conflict \(part[,)]/)
			bad("has a conflict without a part")
		if (sql ~ /^ create table/ && sql !~ /^ create table if not exists yz_[a-z_]+\(part int not null, .*primary key \(part[,)]/)
			bad("makes a table that does not begin with its part, or can be made once only")
		if (sql ~ /^ create .*index/ && sql !~ /^ create index if not exists yz_[a-z_]+ on yz_[a-z_]+\(part[,)]/)
			bad("makes an index that does not begin with its part, is unique, or can be made once only")
		if (sql ~ /[^a-z0-9_]unique[^a-z0-9_]/ || sql ~ / references /)
			bad("ties rows of other parts")
		if (sql ~ /^ set / && sql !~ /^ set synchronous_commit = on $/)
			bad("sets what another server may not know")
		if (sql ~ /^ begin / && sql !~ /^ begin isolation level read committed $/)
			bad("begins another kind of transaction")
		if (sql ~ /^ (with|alter|drop|lock|do|call|vacuum|analyze|grant) /)
			bad("is of a kind that we do not use")
	}
	END { exit wrong }'
}

# Each of these must be refused.
refused() {
	cat <<-'END'
		SELECT next FROM yz_part_head
		SELECT n FROM yz_feed WHERE n = $1
		UPDATE yz_part_head SET next = next + 1
		DELETE FROM yz_row
		INSERT INTO yz_feed(n, part) VALUES ($1, $2)
		INSERT INTO yz_feed(part, n) SELECT $2, nextval('s')
		INSERT INTO yz_feed(part, n) SELECT $1, nextval('s')
		INSERT INTO yz_row(part, tbl) VALUES ($1, $2) ON CONFLICT (tbl) DO NOTHING
		UPDATE yz_row SET stamp = now() WHERE part = $1
		SELECT pg_advisory_xact_lock(part) FROM yz_part_head WHERE part = $1
		SELECT n FROM yz_feed WHERE part = $1 FOR UPDATE SKIP LOCKED
		SELECT xmin FROM yz_row WHERE part = $1
		SELECT n::numeric FROM yz_feed WHERE part = $1
		SELECT n::money FROM yz_feed WHERE part = $1
		COPY yz_row FROM STDIN
		LISTEN feed
		MERGE INTO yz_row USING x ON part = $1
		CREATE TABLE yz_x(part int NOT NULL, n int8, PRIMARY KEY (part, n))
		CREATE TABLE IF NOT EXISTS yz_x(part int NOT NULL, n int8, PRIMARY KEY (n))
		CREATE TABLE IF NOT EXISTS yz_x(part int NOT NULL, n bigserial, PRIMARY KEY (part, n))
		CREATE TABLE IF NOT EXISTS yz_x(part int NOT NULL, n int8 UNIQUE, PRIMARY KEY (part, n))
		CREATE UNIQUE INDEX IF NOT EXISTS yz_i ON yz_x(part, n)
		CREATE INDEX IF NOT EXISTS yz_i ON yz_x(n)
		SELECT n FROM yz_feed WHERE part = $1; SELECT 1
		SET enable_hashjoin = off
		BEGIN
		BEGIN ISOLATION LEVEL SERIALIZABLE
		ALTER TABLE yz_row ADD COLUMN x int
	END
}

status=0
refused | sed 's/ *$/ /' >"$work/refused"
while read -r sql; do
	! printf 'self\t%s\n' "$sql" | judge >/dev/null || {
		echo "sqlsubset.sh no longer refuses: $sql"
		status=1
	}
done <"$work/refused"

statements store/pg/*.c >"$work/statements"
judge <"$work/statements" || status=1
count=$(wc -l <"$work/statements")
# That each verb is found says that the literals are still read.
for verb in SELECT INSERT UPDATE BEGIN COMMIT ROLLBACK SET 'CREATE TABLE' 'CREATE INDEX'; do
	grep -q "	 *$verb" "$work/statements" || {
		echo "sqlsubset.sh finds no $verb in store/pg: where are its statements?"
		status=1
	}
done
[ "$count" -ge 25 ] || {
	echo "sqlsubset.sh finds $count statements in store/pg: where are they?"
	status=1
}
exit $status
