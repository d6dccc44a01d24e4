#!/bin/sh
# threads.sh - a hub and two nodes with all their threads busy at once: taps and pages
# over HTTP, meetings, the feed, archive rounds, status and enrolment from outside.
# Every tap arrives and everybody ends in order.  Built with -fsanitize=thread (make
# tsan) a race is a failure.  TAPS (12) is how many each of six tablets makes.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
export TSAN_OPTIONS="log_path=$SCRATCH/race exitcode=66 second_deadlock_stack=1"
other=$SCRATCH/other
district
"$YIZHAN" -C "$other" init --facility F2 --name F2 >/dev/null || exit 1
enrol "$other" F2 "http://$hub_address"
printf 'name,birth_date,class\n安一,2024-03-01,小一班\n' >"$SCRATCH/roster.csv"
for dir in "$node" "$other"; do
	"$YIZHAN" -C "$dir" import roster "$SCRATCH/roster.csv" >/dev/null || exit 1
done
serve "$node"
node_pid=$last at_node=$address
serve "$other"
other_pid=$last at_other=$address
token=$("$YIZHAN" -C "$hub" token new --scope all --json | sed 's/.*"token":"\([^"]*\)".*/\1/')

python3 - "$YIZHAN" "$hub" "$node" "$other" "$hub_address" "$at_node" "$at_other" "$token" "${TAPS:-12}" \
	>"$SCRATCH/told" 2>&1 <<'PY'
import http.client, json, subprocess, sys, threading, time

program, hub, node, other, at_hub, at_node, at_other, token, taps = sys.argv[1:]
taps = int(taps)
said = []


def run(directory, *words):
    done = subprocess.run([program, '-C', directory, *words], capture_output=True, text=True)
    if done.returncode not in (0, 3, 4):  # a line that is busy, an administrator who is asked
        said.append(f'{words}: {done.returncode} {done.stdout}{done.stderr}')
    return done.stdout


def get(address, path, **headers):
    line = http.client.HTTPConnection(address, timeout=60)
    line.request('GET', path, headers=headers)
    answer = line.getresponse()
    body = answer.read().decode()
    line.close()
    if answer.status != 200:
        said.append(f'{path}: {answer.status} {body}')
    return body


def tablet(directory, address, number):
    child = json.loads(run(directory, 'sql', '--json', 'SELECT id FROM child'))[0]['id']
    line = http.client.HTTPConnection(address, timeout=60)
    for i in range(taps):
        what = {'do': 'care', 'key': f'{number}/{i}', 'child': child, 'kind': 1,
                'note': f'tablet {number}/{i}', 'at': int(time.time() * 1000)}
        line.request('POST', '/api/v1/batch', json.dumps(what) + '\n')
        state = json.loads(line.getresponse().read())['state']
        if state != 'stored':
            said.append(f'{number}/{i}: {state}')


def repeat(times, what, *words):
    for _ in range(times):
        what(*words)


def feed():
    since = ''
    for _ in range(taps):
        lines = get(at_hub, f'/v1/changes?since={since}&limit=20', Authorization=f'Bearer {token}')
        since = json.loads(lines.splitlines()[-1])['next']


work = [threading.Thread(target=tablet, args=(d, a, n)) for n, (d, a) in
        enumerate([(node, at_node), (other, at_other)] * 3)]
work += [threading.Thread(target=repeat, args=(taps // 2, get, a, p)) for a, p in
         ((at_node, '/'), (at_other, '/'), (at_hub, '/metrics'), (at_node, '/metrics'))]
work += [threading.Thread(target=repeat, args=(taps // 6, run, d, *words)) for d, *words in
         ((node, 'sync', '--json'), (other, 'sync', '--json'), (node, 'status'), (hub, 'status'),
          (hub, 'archive', 'now'), (node, 'archive', 'now'), (hub, 'nodes'),
          (hub, 'enrol', 'new', '--facility', 'F3'))]
work += [threading.Thread(target=feed)]
for thread in work:
    thread.start()
for thread in work:
    thread.join()
print('\n'.join(said))
sys.exit(bool(said))
PY
is $? 0 "what went wrong meanwhile: $(head -c 2000 "$SCRATCH/told")"

for dir in "$node" "$other"; do
	check 0 '"state":"in_sync"' -C "$dir" sync --json
done
made=$((6 * ${TAPS:-12}))
is "$(sql "$hub" "SELECT count(*) AS n FROM care_event WHERE note LIKE 'tablet %'" | tr -dc '0-9')" "$made" 'every tap is at the hub'
is "$(digest "$node")" "$(digest "$hub")" 'digests of node and hub'
for pid in "$node_pid" "$other_pid" "$hub_pid"; do
	kill "$pid"
	wait "$pid"
	is $? 0 'a daemon ends in order'
done
for dir in "$node" "$other" "$hub"; do
	check 0 '^in order' -C "$dir" verify --deep
done
cat "$SCRATCH"/race* 2>/dev/null
is "$(find "$SCRATCH" -name 'race*' | wc -l)" 0 'races'
finish
