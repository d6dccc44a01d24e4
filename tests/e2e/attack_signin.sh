#!/bin/sh
# attack_signin.sh - A25, A26, A27, A33 against the hub's page, the only place where somebody
# signs in: a session that was planted, names that are guessed by the answer, and two hundred
# passwords at once from as many addresses.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
canary=canary_77ac10
"$YIZHAN" -C "$hub" init --hub >/dev/null || exit 1
serve "$hub"
base=http://$address hub_pid=$last
password=$("$YIZHAN" -C "$hub" admin new wang | head -n 1)
gone=$("$YIZHAN" -C "$hub" admin new li | head -n 1)
check 0 'li is signed out' -C "$hub" admin revoke li

ask() {
	curl -s -o "$SCRATCH/body" -D "$SCRATCH/head" -w '%{http_code}' "$@"
}
# enter ADDRESS NAME PASSWORD [ARG...]: as the TLS front on this machine tells it
enter() {
	from=$1 name=$2 typed=$3
	shift 3
	ask -H 'X-Forwarded-Proto: https' -H "X-Forwarded-For: $from" --data-urlencode "name=$name" \
		--data-urlencode "password=$typed" --data-urlencode "token=$form" "$@" "$base/fleet/enter"
}
given() {
	tr -d '\r' <"$SCRATCH/head" | sed -n 's/^Set-Cookie: __Host-yz_fleet=\([0-9a-f]*\);.*/\1/p'
}
inside() { # SESSION: the status of the page with it
	ask -H 'X-Forwarded-Proto: https' -H "Cookie: __Host-yz_fleet=$1" "$base/fleet"
}
sessions() {
	sql "$hub" 'SELECT count(*) AS n FROM hub_session' | tr -dc '0-9'
}
is "$(ask "$base/fleet/signin")" 200 'the form'
form=$(sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p' "$SCRATCH/body" | head -n 1)

# ------------------------------------------------------------------ A25: a session that was planted

planted=$(printf '%064d' 7)
is "$(enter 192.0.2.1 wang "$password" -H "Cookie: __Host-yz_fleet=$planted")" 303 'in, with a planted cookie'
own=$(given)
is "$(printf %s "$own" | wc -c)" 64 'a session of its own'
is "$([ "$own" != "$planted" ] && echo another)" another 'not the planted one'
is "$(inside "$planted")" 303 'which opens nothing'
is "$(inside "$own")" 200 'while the own one does'
is "$(enter 192.0.2.1 wang "$password" -H "Cookie: __Host-yz_fleet=$own")" 303 'in once more'
is "$([ "$(given)" != "$own" ] && echo another)" another 'each time it is a new one'
is "$(ask -H "Cookie: yz_fleet=$own" -H 'X-Forwarded-Proto: https' "$base/fleet")" 303 'nor under a name that a page without TLS could set'

# ------------------------------------------------------------------ A27: whether a name exists

is "$(enter 192.0.2.2 wang "$canary")" 403 'a wrong password'
mv "$SCRATCH/body" "$SCRATCH/wrong"
is "$(given)" '' 'no session'
for who in nobody li '<b>' 'wang '; do
	is "$(enter 192.0.2.3 "$who" "$gone")" 403 "as $who"
	is "$(cmp "$SCRATCH/body" "$SCRATCH/wrong" && echo same)" same "the same words for $who"
done

# ------------------------------------------------------------------ A26, A33: many at once

before=$(sessions)
memory() {
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$hub_pid/status"
}
had=$(memory)
python3 - "$address" "$form" "$canary" >"$SCRATCH/flood" <<'PY'
import collections, http.client, sys, time, urllib.parse
from concurrent.futures import ThreadPoolExecutor

address, form, canary = sys.argv[1:]


def guess(i):
    line = http.client.HTTPConnection(*address.split(':'), timeout=100)
    body = urllib.parse.urlencode({'name': 'wang', 'password': f'{canary}{i}', 'token': form})
    line.request('POST', '/fleet/enter', body, {'X-Forwarded-Proto': 'https', 'X-Forwarded-For': f'198.51.100.{i}',
                                                'Content-Type': 'application/x-www-form-urlencoded'})
    return line.getresponse().status


began = time.monotonic()
with ThreadPoolExecutor(12) as pool:
    got = collections.Counter(pool.map(guess, range(200)))
# thirty in one go, then one a second (node/hub/session.h)
allowed = 30 + int(time.monotonic() - began) + 1
print(*sorted(got), got[403], allowed)
PY
read -r first second looked allowed <"$SCRATCH/flood"
is "$first $second" '403 429' 'each is refused, or told to come later'
is "$([ "$looked" -le "$allowed" ] && echo few)" few "looked at: $looked, of those that may be: $allowed"
is "$(sessions)" "$before" 'nobody came in'
is "$(inside "$own")" 200 'who is inside stays'
is "$(enter 192.0.2.1 wang "$password")" 303 'and who came in from there before comes in again'
if grep -q libasan "/proc/$hub_pid/maps"; then
	echo 'under the address sanitizer memory is not what it is: not compared'
else
	is "$([ $(($(memory) - had)) -lt 65536 ] && echo little)" little "memory: $had kB before, $(memory) at the most"
fi
cat "$hub.log" "$hub.out" "$hub"/yizhan.db* >"$SCRATCH/seen"
is "$(grep -ac "$canary\|$password\|$gone\|$own" "$SCRATCH/seen")" 0 'no password and no session in log or database'
check 0 '^in order' -C "$hub" verify --deep
finish
