#!/bin/sh
# fleet_page.sh - the hub's page: who gets in, for how long, and who doesn't.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name 小星星 >/dev/null || exit 1
serve "$hub"
base=http://$address
enrol "$node" F1 "$base"
password=$("$YIZHAN" -C "$hub" admin new wang | head -n 1)
jar=$SCRATCH/jar

# ask ARG...: status, headers in $SCRATCH/head, body in $SCRATCH/body
ask() {
	curl -s -o "$SCRATCH/body" -D "$SCRATCH/head" -w '%{http_code}' "$@"
}
header() {
	tr -d '\r' <"$SCRATCH/head" | sed -n "s/^$1: //p"
}
token() {
	sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p' "$SCRATCH/body" | head -n 1
}
# enter NAME PASSWORD [ARG...]
enter() {
	name=$1 typed=$2
	shift 2
	ask -b "$jar" -c "$jar" --data-urlencode "name=$name" --data-urlencode "password=$typed" --data-urlencode "token=$form" \
		"$@" "$base/fleet/enter"
}

is "$(printf %s "$password" | grep -cE '^[0-9A-Z]{5}(-[0-9A-Z]{5}){3}$')" 1 'a password of 100 bits'
check 1 'a name has|administrator.s name has 1 to 32 of A-Z a-z 0-9 - _; choose another' -C "$hub" admin new 'a b'
check 1 'there is no administrator li; ' -C "$hub" admin revoke li
check 2 'admin can.t "eat"; usage: ' -C "$hub" admin eat
check 2 'list takes no --expires; usage: ' -C "$hub" admin list --expires 1d
check 1 '--expires soon is no time; ' -C "$hub" admin new zhao --expires soon
check 1 'is a facility.s node; ' -C "$node" admin list

# nobody is let in without
is "$(ask "$base/fleet")" 303 'without a session'
is "$(header Location)" '/fleet/signin?lang=zh' 'to the form'
is "$(ask -H 'Cookie: yz_fleet=0000000000000000000000000000000000000000000000000000000000000000' "$base/fleet")" 303 'a made-up session'
is "$(ask "$base/fleet/signin")" 200 'the form'
form=$(token)
is "$(grep -c 小星星 "$SCRATCH/body")" 0 'the form tells nothing'
is "$(enter wang wrong)" 403 'a wrong password'
is "$(enter '<b>' "$password")" 403 'an unknown name'
is "$(enter wang "$password" -H 'Origin: https://evil.example')" 403 "another site's form"
is "$(enter wang "$password" -H 'Sec-Fetch-Site: cross-site')" 403 "another site's form, as newer browsers say it"
saved=$form form=00000000000000000000000000000000
is "$(enter wang "$password")" 403 'a form that is not ours'
form=$saved
is "$(enter wang "$password")" 303 'the right password'
is "$(header Set-Cookie | sed 's/=[0-9a-f]\{64\}/=HEX/')" 'yz_fleet=HEX; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict' 'the cookie'
is "$(ask -b "$jar" "$base/fleet?lang=en")" 200 'signed in'
is "$(grep -c 'lang="en"' "$SCRATCH/body")" 1 'English'
is "$(grep -c 小星星 "$SCRATCH/body")" 1 'the node'
is "$(header Content-Security-Policy | grep -c "default-src 'none'")" 1 'its policy'
is "$(header Cache-Control)" no-store 'kept nowhere'
is "$(ask -b "$jar" "$base/fleet?state=bad")" 400 'a state that is none'
is "$(ask -b "$jar" "$base/fleet?backlog=-1")" 400 'a backlog that is none'
is "$(ask -b "$jar" "$base/fleet?page=1e9")" 400 'a page that is none'
is "$(ask -b "$jar" "$base/fleet?street=$(printf '%0100d' 0)")" 400 'a street that is too long'
is "$(ask -b "$jar" "$base/fleet?state=revoked&page=7")" 200 'a page beyond the end'
is "$(ask -b "$jar" -X POST "$base/fleet")" 405 'POST'

# behind a TLS front on this machine
is "$(enter wang "$password" -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: 192.0.2.9')" 303 'through a front'
is "$(header Set-Cookie | sed 's/=[0-9a-f]\{64\}/=HEX/')" \
	'__Host-yz_fleet=HEX; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure' 'the cookie behind TLS'

# a restart leaves who is signed in; leaving, revoking and time don't
stop "$last"
serve "$hub"
base=http://$address
is "$(ask -b "$jar" "$base/fleet")" 200 'after a restart'
form=$(token)
is "$(ask -b "$jar" -d "token=0" "$base/fleet/leave")" 403 'leaving by a form that is not ours'
is "$(ask -b "$jar" "$base/fleet")" 200 'still signed in'
cp "$jar" "$SCRATCH/kept"
is "$(ask -b "$jar" -c "$jar" -d "token=$form" "$base/fleet/leave")" 303 'leaving'
is "$(ask -b "$SCRATCH/kept" "$base/fleet")" 303 'the cookie of who left'
is "$(enter wang "$password")" 303 'in again'
check 0 'wang is signed out' -C "$hub" admin revoke wang
is "$(ask -b "$jar" "$base/fleet")" 303 'revoked while signed in'
is "$(enter wang "$password")" 403 'revoked'
check 0 '"name":"wang".*"expires":null,"revoked":"20.*"signed_in":"20' -C "$hub" admin list --json
check 0 '^\[\{"at":"[^"]*","admin":"wang","peer":"127.0.0.1","what":"refused"\},.*"what":"left"\}.*"peer":"192.0.2.9","what":"signed in"\}.*"admin":"<b>","peer":"127.0.0.1","what":"refused"\}' \
	-C "$hub" admin log --json
check 0 '^AT +WHO +FROM +WHAT .*wang +127.0.0.1 +refused .*wang +192.0.2.9 +signed in' -C "$hub" admin log
is "$(grep -c 'a sign-in was refused from' "$hub.log")" 3 'the log'
is "$(grep -c "$password" "$hub.log")" 0 'no password in the log'

# tries: a handful, then one by one
# worn ARG...: nobody tries until that is refused unlooked at; on a slow machine one more may be let in meanwhile.
worn() {
	again=0
	while [ "$again" -lt 12 ]; do
		again=$((again + 1))
		last_status=$(enter nobody "$again" "$@")
		[ "$last_status" = 403 ] || break
	done
	echo "$last_status $again"
}
tried=$(worn)
is "${tried% *}" 429 'too many tries'
is "$(header Retry-After | grep -cE '^[1-9]$')" 1 'when to come again'
is "$(header RateLimit-Policy)" '"signin";q=10;w=60' 'by which rule'
is "$(header RateLimit | grep -cE '^"signin";r=0;t=[1-9]$')" 1 'and how much is left'
is "$([ "${tried#* }" -ge 8 ] && echo yes)" yes 'but not too soon'
# that was one address: another's administrator comes in, through the front
"$YIZHAN" -C "$hub" admin new li | head -n 1 >"$SCRATCH/li"
tried=$(worn -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: 127.0.0.1')
is "${tried% *}" 429 'the same one'
is "$([ "${tried#* }" -le 5 ] && echo yes)" yes 'which had none left'
is "$(enter li "$(cat "$SCRATCH/li")" -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: 198.51.100.4')" 303 'another'
is "$(grep -c 'refused /fleet[a-z/]* to 127.0.0.1: too many sign-ins' "$hub.log" | sed 's/^[1-9].*/some/')" some 'and the log tells'
finish
