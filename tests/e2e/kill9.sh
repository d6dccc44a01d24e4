#!/bin/sh
# kill9.sh - a running node is killed 50 times, at any moment, while taps come in
# and while it speaks with its hub: what it had acknowledged is there, once, and
# in the end at the hub as well.  KILLS and SEED may be given.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
node=$SCRATCH/node
hub=$SCRATCH/hub
hub_pid=

stop_hub() {
	if [ -n "$hub_pid" ]; then
		kill "$hub_pid"
		wait "$hub_pid"
	fi
}
trap stop_hub EXIT

"$YIZHAN" -C "$node" init --facility F1 >/dev/null && "$YIZHAN" -C "$hub" init --hub >/dev/null || exit 1
printf 'name,birth_date,class\n安一,2024-03-01,小一班\n' >"$SCRATCH/roster.csv"
"$YIZHAN" -C "$node" import roster "$SCRATCH/roster.csv" >/dev/null || exit 1

"$YIZHAN" -C "$hub" run --listen 127.0.0.1:0 >"$SCRATCH/hub.log" 2>&1 &
hub_pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	grep -q '^serving' "$SCRATCH/hub.log" && break
	sleep 0.2
done
url=$(sed -n 's/^serving .* on //p' "$SCRATCH/hub.log")
code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
"$YIZHAN" -C "$node" enrol "$code" "$url" >/dev/null || exit 1

python3 - "$YIZHAN" "$node" "$SCRATCH" "${KILLS:-50}" "${SEED:-1}" <<'PY'
import json, http.client, random, signal, subprocess, sys, threading, time

program, node, scratch, kills, seed = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
chance = random.Random(seed)
rows = json.loads(subprocess.check_output([program, '-C', node, 'sql', '--json', 'SELECT id FROM child']))
child = rows[0]['id']
at = int(time.time() * 1000)
acknowledged, asked = set(), []


def start():
    process = subprocess.Popen([program, '-C', node, 'run', '--listen', '127.0.0.1:0'],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if line.startswith('serving'):
            return process, line.rsplit(':', 1)[1].strip()
    sys.exit('the node does not start again')


def tap(port, first):
    """Post taps until the node is gone; the one without an answer is asked again next time."""
    line = http.client.HTTPConnection('127.0.0.1', int(port), timeout=5)
    try:
        for key in ([first] if first else []) + [None] * 100000:
            if key is None:
                key = f'tablet/{len(asked)}'
                asked.append(key)
            what = {'do': 'care', 'key': key, 'child': child, 'at': at, 'kind': 1, 'note': key}
            line.request('POST', '/api/v1/batch', json.dumps(what) + '\n')
            answer = json.loads(line.getresponse().read())
            if answer['state'] not in ('stored', 'duplicate'):
                print(answer)
                return
            acknowledged.add(key)
    except (OSError, http.client.HTTPException, ValueError):
        pass


for _ in range(kills):
    process, port = start()
    last = asked[-1] if asked and asked[-1] not in acknowledged else None
    writer = threading.Thread(target=tap, args=(port, last))
    writer.start()
    time.sleep(chance.uniform(0.0, 0.25))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    writer.join()

with open(f'{scratch}/acknowledged', 'w') as out:
    out.writelines(key + '\n' for key in sorted(acknowledged))
with open(f'{scratch}/asked', 'w') as out:
    out.writelines(key + '\n' for key in sorted(asked))
print(f'{len(asked)} taps, {len(acknowledged)} acknowledged, {kills} kills')
PY
is $? 0 'the writer ends well'
is "$([ "$(wc -l <"$SCRATCH/acknowledged")" -gt "${KILLS:-50}" ] && echo enough)" enough 'taps were acknowledged between the kills'

notes() {
	"$YIZHAN" -C "$1" sql --json "SELECT note FROM care_event WHERE note LIKE 'tablet/%'" |
		tr ',' '\n' | sed -n 's/.*"note":"\([^"]*\)".*/\1/p' | sort >"$2"
}
notes "$node" "$SCRATCH/kept"
is "$(sort "$SCRATCH/acknowledged" | comm -23 - "$SCRATCH/kept" | wc -l)" 0 'every acknowledged tap is there'
is "$(uniq -d "$SCRATCH/kept" | wc -l)" 0 'no tap is there twice'
is "$(sort "$SCRATCH/asked" | comm -13 - "$SCRATCH/kept" | wc -l)" 0 'nothing is there that nobody tapped'
is "$("$YIZHAN" -C "$node" sql --json 'PRAGMA integrity_check')" '[{"integrity_check":"ok"}]' 'the file is whole'
check 0 '^in order' -C "$node" verify --deep
check 0 '' -C "$node" sync
check 0 '"state":"in_sync","waiting":0' -C "$node" status --json
notes "$hub" "$SCRATCH/arrived"
is "$(cmp "$SCRATCH/kept" "$SCRATCH/arrived" && echo same)" same 'the hub has every tap'
check 0 '^in order' -C "$hub" verify --deep
finish
