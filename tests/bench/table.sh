#!/bin/sh
# table.sh [FILE] - put the figures of `make bench` (FILE: its output kept from an
# earlier run) into README.md, between the lines <!-- bench --> and <!-- /bench -->.
set -eu
cd "$(dirname "$0")/../.."
figures=$(mktemp)
trap 'rm -f "$figures" "$figures.md"' EXIT
if [ $# -gt 0 ]; then
	grep '=' "$1" >"$figures"
else
	make -s bench | grep '=' >"$figures"
fi

# row KEY WHAT AIM: one line of the table, if the figure was measured.
row() {
	value=$(sed -n "s/^$1=//p" "$figures")
	# shellcheck disable=SC2016 # backticks are Markdown's
	[ -z "$value" ] || printf '| %s | %s | %s | `%s` |\n' "$2" "$value" "$3" "$1"
}
{
	echo '| | figure | aim | line |'
	echo '|---|---|---|---|'
	row capture_bulk_ratio 'bulk inserts, captured : not captured' '≤ 2.2'
	# shellcheck disable=SC2016
	row capture_tap_ratio 'one row a transaction, `synchronous=FULL`, captured : not' '≤ 1.15'
	row seal_per_s 'changes sealed a second' '≥ 150 000'
	row merge_per_s 'new rows merged a second: unpacked, proven, written' '≥ 80 000'
	row merge_vs_bare_ratio 'the same against the bare bulk insert' '≥ 0.4'
	row bytes_per_change_day 'bytes a change, a facility day in one segment' '≤ 10'
	row bytes_per_change_10 'bytes a change, ten of them, all in' '≤ 40'
	row noop_sync_bytes 'bodies of a sync with nothing to say' '≤ 512'
	row db_size_ratio 'database after a month, tracked : not' '≤ 2.2'
	row herd_changes_per_s 'changes a second of a fleet that returns to its hub, on the same machine' ''
	row herd_slowest_vs_median 'its slowest node against the median' '≤ 2'
	row pg_merge_vs_bare_ratio 'rows merged into PostgreSQL against its own bare upsert' '≥ 0.4'
	row feed_per_s 'changes a second out of the feed' '≥ 200 000'
	row snapshot_1m_s 'seconds for a snapshot of a million rows while somebody writes' '≤ 10'
	row longpoll_4000_mib 'MiB of memory for 4 000 long-polls that wait' '≤ 64'
	row merge_peak_rss_growth 'memory of a merge, ten times the rows' '~ 1'
} >"$figures.md"
sed -i -e '/^<!-- bench -->$/,/^<!-- \/bench -->$/{/^<!-- /!d}' -e "/^<!-- bench -->\$/r $figures.md" README.md
