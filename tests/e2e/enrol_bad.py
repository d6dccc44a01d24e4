#!/usr/bin/env python3
"""enrol_bad.py HUB KEY GRANT OTHERS-GRANT CODE EXPIRED USED SAVED FOLDER - ask a hub's doors for nodes
(/v1/enrol, /v1/sync with its grant and rotation, /v1/watch) for what is wrong: each answer is a
problem document with the status that is meant.  Prints what isn't so, then 'N passed, N failed'.

HUB is ADDR:PORT; KEY the seed of a key that is enrolled nowhere, GRANT and OTHERS-GRANT (hex) are
of a node here and of another hub; CODE is open, EXPIRED was expired before
anybody asked with it, USED is another's; SAVED is what an enrolled node sent in a meeting.
"""
import base64
import hashlib
import json
import re
import socket
import subprocess
import sys

hub, seed, grant, others, code, expired, used, saved, folder = sys.argv[1:]
passed = failed = 0


def openssl(*args, data=None):
    return subprocess.run(("openssl",) + args, input=data, capture_output=True, check=True).stdout


with open(f"{folder}/key.der", "wb") as f:
    f.write(bytes.fromhex("302e020100300506032b657004220420" + seed))
openssl("pkey", "-inform", "DER", "-in", f"{folder}/key.der", "-out", f"{folder}/key.pem")
public = openssl("pkey", "-in", f"{folder}/key.pem", "-pubout", "-outform", "DER")[-32:]


def sign(message):
    with open(f"{folder}/message", "wb") as f:
        f.write(message)
    return openssl("pkeyutl", "-sign", "-rawin", "-inkey", f"{folder}/key.pem", "-in", f"{folder}/message")


def ask(raw, cut=False):
    """Send bytes as they are; status, header block, body.  With `cut` we leave within the body."""
    host, port = hub.rsplit(":", 1)
    s = socket.create_connection((host, int(port)), 20)
    s.sendall(raw)
    got = b""
    if cut:
        s.close()
        return 0, "", got
    while chunk := s.recv(65536):
        got += chunk
        head, _, rest = got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length and len(rest) >= int(length[1]):
            break
    s.close()
    head, _, rest = got.partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else 0), head.decode("latin-1"), rest


def refused(what, raw, status, says="", cut=False):
    global passed, failed
    got, head, body = ask(raw, cut)
    try:
        problem = json.loads(body)
        good = problem["status"] == got and says in problem["detail"]
    except (ValueError, KeyError):
        good = cut  # nobody is there to be answered; what counts is that nothing has changed
    good = good and (cut or (got == status and "application/problem+json" in head))
    passed += good
    failed += not good
    if not good:
        print(f"{what}: {got} instead of {status}: {body[:200]}")
    return head


def request(method, path, lines, body=b"", length=None):
    fields = [f"{method} {path} HTTP/1.1", f"Host: {hub}", "Connection: close", *lines]
    if method != "GET":
        fields.append(f"Content-Length: {len(body) if length is None else length}")
    return ("\r\n".join(fields) + "\r\n\r\n").encode() + body


# ---- /v1/enrol


def enrol(for_code, name="n", facility="F1", **members):
    plain = re.sub("[^0-9A-Z]", "", for_code.split(".")[0])
    signed = b"yizhan-enrol-1" + plain.encode() + public
    signed += bytes([len(name)]) + name.encode() + bytes([len(facility)]) + facility.encode()
    ask = {"code": for_code, "key": public.hex(), "name": name, "facility": facility, "signature": sign(signed).hex()}
    ask.update(members)
    return json.dumps({k: v for k, v in ask.items() if v is not None}).encode()


def post(body, *lines, length=None):
    return request("POST", "/v1/enrol", ("Content-Type: application/json",) + lines, body, length)


right = enrol(code)
bad = bytearray.fromhex(json.loads(right)["signature"])
bad[5] ^= 1
unknown = "the hub doesn't know this code, or it was used or is too old"
refused("enrol: a wrong signature", post(enrol(code, signature=bytes(bad).hex())), 403)
refused("enrol: signed for another name", post(right.replace(b'"name": "n"', b'"name": "m"')), 403)
refused("enrol: an expired code", post(enrol(expired)), 403, unknown)
refused("enrol: a used code", post(enrol(used)), 403, unknown)
refused("enrol: another facility's", post(enrol(code, facility="F2")), 403, "this code is for facility F1")
refused("enrol: no code", post(enrol("0000-0000")), 403)
for member in ("code", "key", "name", "facility", "signature"):
    without = {k: v for k, v in json.loads(right).items() if k != member}
    refused(f"enrol: no {member}", post(json.dumps(without).encode()), 400, member)
    refused(f"enrol: {member} a number", post(json.dumps({**without, member: 7}).encode()), 400, member)
refused("enrol: a member more", post(enrol(code, role="hub")), 400, "nothing else")
refused("enrol: a member twice", post(right[:-1] + b',"facility":"F2"}'), 400)
refused("enrol: a key that is short", post(enrol(code, key="00")), 400, "key")
refused("enrol: a name with a control", post(enrol(code, name="a\u001bb")), 403)
for cut in (1, len(right) // 2, len(right) - 1):
    refused(f"enrol: JSON of {cut} bytes", post(right[:cut]), 400)
    refused(f"enrol: a body cut after {cut}", post(right[:cut], length=len(right)), 400, cut=True)
refused("enrol: no body", post(b""), 400)
refused("enrol: a large body", post(right + b" " * 20000), 413)
refused("enrol: GET", request("GET", "/v1/enrol", ()), 405)
refused("enrol: two lengths", post(right, f"Content-Length: {len(right)}"), 400, "more than once")
refused("enrol: two Hosts", post(right, f"Host: {hub}"), 400, "more than one Host")

# ---- signed requests


def signed(method, path, body=b"", nonce="0", query="", spoil=None, more=()):
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
    parts = '"@method" "@path" ' + ('"@query" ' if query else "") + '"content-digest"'
    params = f'({parts});created=1772438400;nonce="{nonce}";keyid="{public.hex()}";alg="ed25519"'
    base = f'"@method": {method}\n"@path": {path}\n' + (f'"@query": ?{query}\n' if query else "")
    base += f'"content-digest": {digest}\n"@signature-params": {params}'
    mac = bytearray(sign(base.encode()))
    if spoil == "signature":
        mac[9] ^= 1
    if spoil == "digest":
        digest = digest.replace(digest[12], "A" if digest[12] != "A" else "B", 1)
    lines = [f"Content-Digest: {digest}", f"Signature-Input: yz={params}"]
    lines.append(f"Signature: yz=:{base64.b64encode(bytes(mac)).decode()}:")
    lines = [line for line in lines if spoil is None or not line.startswith(spoil)]
    return request(method, path + ("?" + query if query else ""), (*lines, *more), body)


def fresh():
    """The hub's nonce, as it comes with a refusal."""
    _, head, _ = ask(signed("POST", "/v1/sync", b"x"))
    return re.search(r"(?i)yz-nonce: (\S+)", head)[1]


nonce = fresh()
for method, path, query, body in (("POST", "/v1/sync", "", b"body"), ("GET", "/v1/watch", "since=1", b"")):
    for spoil in ("signature", "digest", "Content-Digest", "Signature-Input", "Signature:"):
        refused(f"{path}: wrong {spoil}", signed(method, path, body, nonce, query, spoil), 401)
    refused(f"{path}: a nonce nobody gave", signed(method, path, body, "f" * len(nonce), query), 401, "nonce")
    old = "%08x" % (int(nonce[:8], 16) - 3600) + nonce[8:]
    refused(f"{path}: an old nonce", signed(method, path, body, old, query), 401, "nonce")
    refused(f"{path}: a stranger", signed(method, path, body, nonce, query), 403, "not enrolled here")
    twice = re.search(rb"Signature: .*\r\n", signed(method, path, body, nonce, query))[0].decode().strip()
    refused(f"{path}: two signatures", signed(method, path, body, nonce, query, more=(twice,)), 400, "twice")
refused("/v1/watch: not signed", request("GET", "/v1/watch?since=1", ()), 401)
refused("/v1/watch: POST", request("POST", "/v1/watch", ()), 405)

# ---- with a grant and a chain of keys

stranger = "not enrolled here"
good = f"Yz-Grant: {grant}"
for what, lines in (
    ("a grant for another key", (good,)),
    ("another hub's grant", (f"Yz-Grant: {others}",)),
    ("a grant that isn't hex", ("Yz-Grant: zz",)),
    ("half a grant", (f"Yz-Grant: {grant[: len(grant) // 2]}",)),
    ("a grant with a byte turned", (f"Yz-Grant: {grant[:60]}{int(grant[60], 16) ^ 1:x}{grant[61:]}",)),
    ("a rotation that is none", (good, "Yz-Rotation: 00ff")),
    ("a rotation that isn't hex", (good, "Yz-Rotation: xyz")),
):
    refused(f"/v1/sync: {what}", signed("POST", "/v1/sync", b"body", nonce, more=lines), 403, stranger)

# from the node's key to ours: of the two signatures only ours is right
node = bytes.fromhex(grant)[14:46]
doc = b"yizhan-rotation-1" + bytes.fromhex(grant)[46:62] + node + public + b"\x01\x00"
forged = doc + sign(doc) + sign(doc)
chain = bytes([len(forged) & 127 | 128, len(forged) >> 7]) + forged
more = (good, f"Yz-Rotation: {chain.hex()}")
refused("/v1/sync: a forged rotation", signed("POST", "/v1/sync", b"body", nonce, more=more), 403, stranger)
for name in ("Yz-Grant", "Yz-Rotation", "Yz-Report"):
    more = (f"{name}: {grant}", f"{name}: {grant}")
    refused(f"/v1/sync: {name} twice", signed("POST", "/v1/sync", b"body", nonce, more=more), 400, "twice")

# ---- what a node sent once, again and otherwise

with open(saved, "rb") as f:
    sent = f.read()
start = sent.rindex(b"POST /v1/sync")
head, _, rest = sent[start:].partition(b"\r\n\r\n")
length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
body = rest[:length]
whole = head + b"\r\n\r\n" + body
got, _, _ = ask(whole)
passed += got == 200
failed += got != 200
if got != 200:
    print(f"a request again: {got}")
turned = bytearray(body)
turned[len(turned) // 2] ^= 1
refused("/v1/sync: another body", head + b"\r\n\r\n" + bytes(turned), 401)
refused("/v1/sync: a body cut off", head + b"\r\n\r\n" + body[: length // 2], 400, cut=True)
shorter = re.sub(rb"(?i)content-length: \d+", b"Content-Length: %d" % (length // 2), head)
refused("/v1/sync: half a body", shorter + b"\r\n\r\n" + body[: length // 2], 401)
refused("/v1/sync: for another path", whole.replace(b"POST /v1/sync", b"POST /v1/sync?x=1", 1), 401)

print(f"{passed} passed, {failed} failed")
