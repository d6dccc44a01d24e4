#!/bin/sh
# metrics.sh - what /metrics gives out, what node/DESIGN.md and the manual say of it, and
# what the alert rules ask for, are the same names.
# shellcheck disable=SC2013,SC2016 # words without spaces; expressions of sed
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
rules=packaging/yizhan.rules.yml
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 >/dev/null || exit 1
serve "$hub"
hub_address=$address
enrol "$node" F1 "http://$hub_address"
"$YIZHAN" -C "$node" sync >/dev/null
serve "$node"
curl -s "http://$hub_address/metrics" >"$SCRATCH/hub.metrics"
curl -s "http://$address/metrics" >"$SCRATCH/node.metrics"

# name and type, of what is given out and of the table; the table says which are a hub's alone
given() {
	sed -n 's/^# TYPE //p' "$1" | sort
}
table() {
	sed -nE 's/^\| `(yizhan_[a-z_]*)[`{][^|]*\| ([a-z]*) \| (.*)/\1 \2 \3/p' node/DESIGN.md
}
is "$(given "$SCRATCH/hub.metrics")" "$(table | cut -d ' ' -f 1,2 | sort)" 'a hub and the table'
is "$(given "$SCRATCH/node.metrics")" "$(table | grep -v ' hub: ' | cut -d ' ' -f 1,2 | sort)" 'a node and the table'
# the manual's list, in scdoc's form: name, labels, type, and (hub) which are a hub's alone
manual() {
	sed 's/\\_/_/g' packaging/man/yizhan.1.scd |
		sed -nE '/^\*yizhan_/{N;s/^\*(yizhan_[a-z_]*(\{[a-z]+\})?)\* \(([a-z]*)\)\n\t(hub: )?.*/\1 \3 \4/p}' | sort
}
is "$(manual)" "$(sed -nE 's/^\| `(yizhan_[a-z_]*(\{[a-z]+\})?)` \| ([a-z]*) \| (hub: )?.*/\1 \3 \4/p' node/DESIGN.md | sort)" \
	'the manual and the table'
is "$(manual | cut -d ' ' -f 1 | grep -o '{.*' | sort -u)" \
	"$(grep -oE '^yizhan_[a-z_]+\{[a-z]+=' "$SCRATCH/hub.metrics" | sed 's/.*\({[a-z]*\)=/\1}/' | sort -u)" 'its labels'
for file in hub node; do
	is "$(grep -vcE '^(# (HELP|TYPE) yizhan_[a-z_]+ .+|yizhan_[a-z_]+(\{[a-z]+="[a-z0-9_]+"\})? -?[0-9]+)$' "$SCRATCH/$file.metrics")" 0 \
		"$file: lines of no known form"
	is "$(sed -n 's/^\(yizhan[^ ]*\) .*/\1/p' "$SCRATCH/$file.metrics" | sort | uniq -d)" '' "$file: a series given twice"
done

# what the rules ask for is there: names, and labels with their values
for name in $(grep -o 'yizhan_[a-z_]*' "$rules" | sort -u); do
	is "$(grep -cE "^# TYPE $name " "$SCRATCH/hub.metrics")" 1 "$rules: $name"
done
grep -oE 'yizhan_[a-z_]+\{[^}]*\}' "$rules" | sort -u >"$SCRATCH/series"
while read -r series; do
	is "$(grep -cF "$series " "$SCRATCH/hub.metrics")" 1 "$rules: $series"
done <"$SCRATCH/series"
# every cause has its alert, and an alert is whole
for cause in $(sed -n 's/^yizhan_hub_nodes_cause{cause="\([a-z0-9_]*\)".*/\1/p' "$SCRATCH/hub.metrics"); do
	is "$(grep -c "expr: .*cause=\"$cause\"" "$rules")" 1 "an alert for $cause"
done
alerts=$(grep -c '^      - alert: ' "$rules")
for part in '        expr: ' '        for: ' '        labels:' '          severity: ' '        annotations:' '          summary: '; do
	is "$(grep -c "^$part" "$rules")" "$alerts" "each alert's $part"
done
python3 - "$rules" <<'PY' || failed=$((failed + 1))
import sys
try:
    import yaml
except ImportError:
    sys.exit(0)
rules = yaml.safe_load(open(sys.argv[1]))["groups"][0]["rules"]
assert len({r["alert"] for r in rules}) == len(rules)
PY

# the numbers move
value() {
	curl -s "http://$hub_address/metrics" | sed -n "s/^$1 //p"
}
is "$(value 'yizhan_hub_nodes_state{state="in_order"}')" 1 'one in order'
is "$(value 'yizhan_hub_nodes_untold')" 0 'it told of itself'
python3 - "$hub/yizhan.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20)
db.execute("UPDATE hub_seen SET met_ms = met_ms - 90 * 3600000, lacking = 7, digest = 2")
db.commit()
PY
is "$(value 'yizhan_hub_nodes_state{state="alarm"}')" 1 'an alarm'
is "$(value 'yizhan_hub_nodes_cause{cause="silent_72h"}')" 1 'silent'
is "$(value 'yizhan_hub_nodes_cause{cause="digest_differs"}')" 1 'other rows'
is "$(value 'yizhan_hub_nodes_cause{cause="disk_full"}')" 0 'no full disk'
is "$(value yizhan_hub_backlog_records)" 7 'the backlog'
is "$([ "$(value yizhan_hub_longest_silence_seconds)" -ge 324000 ] && echo yes)" yes 'the silence'
finish
