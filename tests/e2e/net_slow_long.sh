#!/bin/sh
# net_slow_long.sh - a facility's day over a line of 40 kbit/s with a second for
# each round trip and packets of 576 bytes, as on 2G: two network namespaces,
# tc tbf for the rate, our proxy for the delay.  Bytes are asserted, seconds are
# told (and wanted: 60 at the most).  Debian's kernels often lack netem, so no
# packet is lost here.
set -u
if [ "${IN_NAMESPACE-}" != yes ]; then
	if ! unshare -n true 2>/dev/null || ! command -v tc >/dev/null || ! command -v nsenter >/dev/null; then
		echo 'no network namespaces here (they need root, iproute2 and a kernel that has them)'
		exit 77
	fi
	IN_NAMESPACE=yes exec unshare -n "$0"
fi
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc

unshare -n sleep 600 &
far=$!
pids=$far
within="nsenter -t $far -n"
# its namespace is there a moment later than its process
soon sh -c "[ \"\$(readlink /proc/$far/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
line_up() {
	ip link set lo up && ip link add here type veth peer name there &&
		ip link set there netns "$far" && ip addr add 10.77.0.1/24 dev here &&
		ip link set here mtu 576 up && $within ip link set lo up &&
		$within ip addr add 10.77.0.2/24 dev there && $within ip link set there mtu 576 up &&
		tc qdisc add dev here root tbf rate 40kbit burst 1600 latency 4s &&
		$within tc qdisc add dev there root tbf rate 40kbit burst 1600 latency 4s
}
if ! line_up; then
	echo 'this kernel has no veth pairs or no token bucket (sch_tbf)'
	exit 77
fi

listen=10.77.0.2:8700
district
"$YIZHAN" -C "$node" import roster packaging/rosters/centre-1.csv >/dev/null
settled 'the roster'
day=$("$TOOLS/oneday" "$node")
rows=$(echo "$day" | sed 's/rows=\([0-9]*\).*/\1/')
is "$([ "$rows" -ge 600 ] && echo enough)" enough "rows of the day: $day"

rule reset delay.up=500 delay.down=500
count_line
check 0 '"state":"in_sync"' -C "$node" sync --json
doc=$said
count_line
number() {
	printf '%s' "$doc" | sed "s/.*\"$1\":\([0-9]*\).*/\1/"
}
is "$([ $((passed_up + passed_down)) -le 25000 ] && echo few)" few "bytes on the line: $passed_up up, $passed_down down"
is $(($(number bytes_out) + $(number bytes_in))) $((passed_up + passed_down)) 'the node tells its bytes as they are'
is "$connections" 1 'over one connection'
is "$(number round_trips)" 1 'in one round trip'
settled 'the day'

# Broken off in the middle and begun again, it is taken up without another effect.
"$TOOLS/oneday" "$node" >/dev/null
rule reset delay.up=500 delay.down=500 cut.up=2000
check 3 'hub unreachable' -C "$node" sync
settled 'a day that was broken off'
echo "slow_day_ms=$(number took_ms)"
echo "slow_day_bytes=$((passed_up + passed_down)) rows=$rows"
finish
