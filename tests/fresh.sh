#!/bin/bash
# fresh.sh [COMMAND...] - what the README promises, on a machine that has nothing.
#
# Makes a minimal Debian 12 with git, gcc and make in a temporary folder, clones
# HEAD into it, and runs the README's commands there (or those given, one
# argument each).  Needs root and mmdebstrap; the chroot has its own /proc and
# sees this machine's network.  How this machine reaches the registries (apt's
# mirrors and proxies, npm's configuration, certificates, proxy variables) is
# handed on when it runs, and is written into the temporary folder only.
#
#   FRESH_KEEP=1     leave the folder for a look
#   FRESH_BASE=FILE  a tar of the bare system: used if it is there, else made,
#                    so that a second run is quicker
set -u
cd "$(dirname "$0")/.." || exit 2
[ $# -gt 0 ] || set -- 'make demo' 'make check'

die() {
	echo "fresh.sh: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || die "needs to be root"
command -v mmdebstrap >/dev/null || packaging/install-deps --ci || exit 1

work=$(mktemp -d "${TMPDIR:-/tmp}/yizhan-fresh.XXXXXX") || exit 2
root=$work/root
chmod 755 "$work"

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	mount | awk -v r="$root/" 'index($3, r) == 1 { print $3 }' | sort -r |
		while read -r place; do umount "$place" || umount -l "$place"; done
	[ -n "${FRESH_KEEP-}" ] && echo "kept: $root" && return
	# Should something still be mounted, it is not ours to empty.
	rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

took() {
	echo "== $1: $((SECONDS - $2)) s"
}

# ---------------------------------------------------------------- the bare system

# The Debian mirrors that this machine uses, as sources.list lines.
mirrors() {
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)' \
		'Created-By: Packages' 2>/dev/null |
		awk '$4 ~ /^Debian/ && $2 ~ /^bookworm/ && $3 == "main" && !seen[$0]++ { print "deb", $1, $2, $3 }'
}

bare_system() {
	local start=$SECONDS
	if [ -f "${FRESH_BASE-}" ]; then
		mkdir -p "$root"
		tar -xpf "$FRESH_BASE" -C "$root" || die "cannot unpack $FRESH_BASE"
		took 'unpack a bare Debian 12' "$start"
		return
	fi
	[ -n "$(mirrors)" ] || apt-get -qq update
	mirrors >"$work/sources.list"
	[ -s "$work/sources.list" ] || echo 'deb http://deb.debian.org/debian bookworm main' >"$work/sources.list"
	apt-config dump | grep -E '^Acquire::(http|https|Retries|ForceIPv|Check-)' >"$work/apt.conf"
	mmdebstrap --quiet --mode=root --variant=minbase --aptopt="$work/apt.conf" \
		--include=git,gcc,libc6-dev,make,ca-certificates \
		bookworm "$root" "$work/sources.list" </dev/null >"$work/mmdebstrap.log" 2>&1 ||
		{ tail -n 30 "$work/mmdebstrap.log"; die "mmdebstrap failed"; }
	took 'make a bare Debian 12' "$start"
	[ -z "${FRESH_BASE-}" ] || tar -cpf "$FRESH_BASE" --one-file-system -C "$root" .
}

# What a person at that machine would have set up to reach the network.
hand_on_network() {
	local file
	for file in /etc/resolv.conf /etc/hosts /etc/npmrc /usr/etc/npmrc /root/.npmrc; do
		[ -f "$file" ] && install -D -m600 "$file" "$root$file"
	done
	chmod 644 "$root/etc/resolv.conf" "$root/etc/hosts" 2>/dev/null
	if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
		cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
		chroot "$root" update-ca-certificates >/dev/null 2>&1
	fi
	cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
}

# Most programs want these; none is needed to build.
mount_system() {
	mount -t proc proc "$root/proc" || echo "fresh.sh: no /proc in the chroot"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" 2>/dev/null ||
		{ mkdir -p "$root/dev/shm" && chmod 1777 "$root/dev/shm"; }
}

# inside COMMAND: run it in the clone, with nothing of this machine's environment
# but what leads to the network.
inside() {
	local forward
	forward=$(env | grep -iE '^((https?|ftp|no)_proxy|npm_config_[a-z_]+|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR))=')
	local -a vars=()
	[ -z "$forward" ] || mapfile -t vars <<<"$forward"
	chroot "$root" env -i "${vars[@]}" HOME=/root LANG=C.UTF-8 TERM="${TERM-dumb}" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c "cd /root/yizhan && $1" </dev/null
}

bare_system
hand_on_network
git clone --quiet --no-local . "$root/root/yizhan" || die "cannot clone"
git -C "$root/root/yizhan" checkout --quiet --detach "$(git rev-parse HEAD)" || die "cannot check out HEAD"
chown -R 0:0 "$root/root/yizhan"
mount_system

status=0
for command in "$@"; do
	start=$SECONDS
	echo "== $command"
	inside "$command" || { status=1; echo "== FAILED: $command"; }
	took "$command" "$start"
done
# Nothing that is generated may be tracked or left beside the sources.
dirt=$(git -C "$root/root/yizhan" status --porcelain)
[ -z "$dirt" ] || { echo "== the clone is not clean afterwards:"; echo "$dirt"; status=1; }
[ $status = 0 ] && echo '1 passed, 0 failed' || echo '0 passed, 1 failed'
exit $status
