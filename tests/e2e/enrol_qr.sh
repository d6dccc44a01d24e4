#!/bin/sh
# enrol_qr.sh - the QR code that enrol new draws on a terminal says the code, read by
# somebody else's program from a picture of it; and what it says enrols a node.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
command -v zbarimg >/dev/null || { echo 'no zbarimg here (packaging/install-deps --test)'; exit 77; }
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null || exit 1
serve "$hub"

# picture: of a terminal's half blocks, light on dark, eight pixels a module.
picture() {
	python3 -c '
import sys
halves = {" ": "00", "▀": "10", "▄": "01", "█": "11"}
lines = [l.rstrip("\n") for l in sys.stdin if l.strip("\n") and set(l.rstrip("\n")) <= set(halves)]
rows = ["".join(halves[c][half] for c in l) for l in lines for half in (0, 1)]
assert len({len(r) for r in rows}) == 1, "the lines are not of one length"
side = 8
print("P2", side * len(rows[0]), side * len(rows), 255)
for row in rows:
    for _ in range(side):
        print(" ".join(("255" if bit == "1" else "0") for bit in row for _ in range(side)))
'
}

# drawn: what enrol new draws, read back; $code is what it says in letters.
drawn() {
	"$YIZHAN" -C "$hub" enrol new --facility F1 --auto --qr >"$SCRATCH/said" || exit 1
	code=$(head -n 1 "$SCRATCH/said")
	PYTHONIOENCODING=utf-8 picture <"$SCRATCH/said" >"$SCRATCH/code.pgm" || exit 1
	zbarimg -q --raw -Sdisable -Sqrcode.enable "$SCRATCH/code.pgm" 2>"$SCRATCH/zbar"
}

for i in 1 2 3 4 5 6 7 8; do
	read=$(drawn)
	is "$read" "$(head -n 1 "$SCRATCH/said")" "code $i"
done
is "$(printf %s "$read" | grep -cE '^([0-9A-Z]{4}-){6}[0-9A-Z]{4}$')" 1 'of the form of a code'

# behind its dot the whole key of a TLS front: a larger symbol
key=$(printf front | openssl dgst -sha256 -binary | base64)
git config -f "$hub/node.conf" http.pin "sha256//$key"
with_pin=$(drawn)
is "$with_pin" "$(head -n 1 "$SCRATCH/said")" 'a code with a pin'
is "${with_pin#*.}" "$(printf %s "$key" | tr '+/' '-_' | tr -d =)" 'and the pin is the key'

# a picture of which a corner is covered says nothing, so what was read above was read
sed '1s/.*/P2 8 8 255/' "$SCRATCH/code.pgm" >"$SCRATCH/cut.pgm"
is "$(zbarimg -q --raw "$SCRATCH/cut.pgm" 2>/dev/null)" '' 'what is cut off is not read'

check 0 'enrolled as a node of F1' -C "$node" enrol "$read" "http://$address"
finish
