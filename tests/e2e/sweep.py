#!/usr/bin/env python3
"""sweep.py HUB NODE HUBDIR NODEDIR FOREIGN CANARY - ask every operation of
/openapi.json for what it describes and for what is wrong: the rows of ATTACKS
against the operations of the document, so that a new route has all of them.

Each answer has a status that the document names; each refusal is a problem
document as its schema has it; no byte of another facility is in any answer to who
may not read it; and no table has changed but those of CHANGES.  Prints what isn't
so, then 'N passed, N failed'.

HUB and NODE are ADDR:PORT; FOREIGN is a row's id of facility F2, CANARY a text in
that row.
"""
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys

hub, node, hub_dir, node_dir, foreign, canary = sys.argv[1:]
passed = failed = 0
ANY = {400, 404, 405, 413, 414, 421, 431, 501}  # of any path, by the server itself
# who exports is noted, and who was refused at /fleet; a wrong code costs a try
CHANGES = {"hub_export", "hub_enrolment", "hub_sign_in"}
LIVES = {"used_ms"}  # a column that tells when somebody came
document = {}


def yizhan(*words):
    return subprocess.run([os.environ["YIZHAN"], "-C", hub_dir, *words], check=True, text=True, capture_output=True).stdout


def new_token(*words):
    return yizhan("token", "new", *words).split("\n")[0]


mine = new_token("--scope", "f/F1", "--write", "child", "--personal")
theirs = new_token("--scope", "f/F2", "--write", "child", "--personal")
everything = new_token("--scope", "all", "--personal")
few = new_token("--scope", "f/F1", "--tables", "enrollment", "--personal")
revoked = new_token("--scope", "all", "--name", "gone", "--personal")
yizhan("token", "revoke", "gone")
BEARER = f"Authorization: Bearer {mine}"


# ---------------------------------------------------------------- asking and judging

def ask(where, head, body=b"", cut=False):
    """Send a request as it is; its status, header block and body.  With `cut` we leave before its end."""
    host, port = where.rsplit(":", 1)
    s = socket.create_connection((host, int(port)), 20)
    s.sendall(head.encode() + body)
    got = b""
    if cut:
        s.settimeout(0.2)
    try:
        while chunk := s.recv(65536):
            got += chunk
    except TimeoutError:
        if not cut:
            raise
    s.close()
    block, _, content = got.partition(b"\r\n\r\n")
    if not block:
        return 0, "", b""
    return int(block.split()[1]), block.decode("latin-1"), content


def request(method, path, where, *lines, length=None, body=b""):
    fields = [f"{method} {path} HTTP/1.1", f"Host: {where}", "Connection: close", *lines]
    if body or length is not None:
        fields.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(fields) + "\r\n\r\n"


def holds(good, what):
    global passed, failed
    good = bool(good)
    passed += good
    failed += not good
    if not good:
        print(what)


def is_problem(status, content):
    """As the document's schema has it."""
    schema = document["components"]["schemas"]["Problem"]
    try:
        problem = json.loads(content)
    except ValueError:
        return False
    return (set(problem) == set(schema["required"]) == set(schema["properties"])
            and problem["type"] == schema["properties"]["type"]["const"] and problem["status"] == status
            and isinstance(problem["title"], str) and problem["title"] and isinstance(problem["detail"], str)
            and len(problem["detail"]) > 10)


def judge(what, answer, documented, wanted=None):
    status, block, content = answer
    holds(status in documented | ANY, f"{what}: {status} isn't in the document")
    if wanted is not None:
        holds(status in wanted, f"{what}: {status} instead of {wanted}: {content[:200]}")
    holds(canary.encode() not in content and canary not in block, f"{what}: the canary")
    # what was asked for may be named in a refusal; what there is may not
    holds(foreign.encode() not in content or "/v1/records" in what, f"{what}: a row of another facility")
    if status >= 400 and "text/html" not in block:
        holds("application/problem+json" in block, f"{what}: {status} is no problem document")
        if not what.startswith("HEAD"):
            holds(is_problem(status, content), f"{what}: {content[:200]}")


def sample(schema):
    if "enum" in schema:
        return schema["enum"][0]
    if "examples" in schema:
        return str(schema["examples"][0])
    if schema["type"] == "integer":
        return str(schema.get("default", 1))
    return {"pattern": "0" * 32}.get("pattern" if "pattern" in schema else "", "")


EXPORT_FILE = "/v1/export.ndjson.zst"


def export_name(bearer):
    """Of the set that this token's manifest lists."""
    _, _, content = ask(hub, request("GET", "/v1/export", hub, f"Authorization: Bearer {bearer}"))
    return re.search(rb"name=([0-9a-f]{32})&", content).group(1).decode()


# ---------------------------------------------------------------- the operations

class Operation:
    """One of the document's, at `where`."""

    def __init__(self, where, path, method, described):
        self.where, self.path, self.method, self.described = where, path, method, described
        self.statuses = {int(s) for s in described["responses"]}
        self.takes_token = described["security"] == [{"token": []}]
        self.signed = described["security"] == [{"node": []}]
        parameters = described.get("parameters", [])
        self.query = {p["name"]: p for p in parameters if p["in"] == "query"}
        self.headers = [p["name"] for p in parameters if p["in"] == "header"]
        self.body = b'{"key":"s","table":"child","op":"upsert","row":{}}\n' if method == "POST" else b""
        # all parameters at once, but for what goes with another value
        given = {"table": "child", "scope": "f/F1"}
        if path == EXPORT_FILE:
            given["name"] = export_name(mine)
        pairs = [(n, given.get(n) or sample(p["schema"])) for n, p in self.query.items() if "x-only-with" not in p and "x-not-with" not in p]
        self.full = path + ("?" + "&".join(f"{n}={v}" for n, v in pairs) if pairs else "")
        # without a session /fleet looks at nothing
        self.lines = [BEARER] + ([f"Cookie: yz_fleet={session}"] if path == "/fleet" else [])
        self.needed = "&".join(f"{n}={v}" for n, v in pairs if self.query[n].get("required") or n == "table")

    def tried(self, what, target, *lines, wanted=None, method=None, send=None, **more):
        body = self.body if send is None else send
        method = method or self.method
        judge(f"{method} {target} {what}", ask(self.where, request(method, target, self.where, *lines, body=body, **more), body),
              self.statuses, wanted)

    def given(self, name, value):
        """The path with what is needed and one parameter."""
        without = [name, *self.query[name].get("x-not-with", [])]
        needed = "&".join(p for p in self.needed.split("&") if p and p.split("=")[0] not in without)
        return f"{self.path}?{needed}{'&' if needed else ''}{name}={value}"


def as_described(o):
    good = {200, 204, 303, 410} if o.takes_token or not o.signed else {401}
    o.tried("as described", o.full, *o.lines, wanted=good | ({400, 403} if o.method == "POST" else set()))
    if o.method == "GET":
        o.tried("as described", o.full, *o.lines, wanted=good, method="HEAD")


def wrong_token(o):
    if not o.takes_token:
        # nothing is opened by one, and nothing breaks
        o.tried("with a token that is none", o.full, "Authorization: Bearer x", wanted=None if o.method == "POST" else {200, 303, 401})
        return
    o.tried("without a token", o.full, wanted={401})
    for wrong in ("Bearer x", "Bearer " + mine[:-1], "Basic " + mine, "Bearer", mine, "Bearer " + revoked, "Bearer " + mine + " x"):
        o.tried(f"with {wrong[:9]}", o.full, "Authorization: " + wrong, wanted={401})


def foreign_scope(o):
    if "scope" in o.query:
        for scope in ("f/F2", "f%2FF2", "all", "hub", "f/F", "f/F1x", "x" * 100, "'"):
            o.tried("foreign scope", o.given("scope", scope), BEARER, wanted={400, 403})
    if "table" in o.query:
        for table in ("staff%00", "hub_token", "yz_log", "sqlite_master", "child%20UNION", "x" * 500, "", "code_set", "v1_child", "v1_node"):
            o.tried("another table", o.given("table", table), BEARER, wanted={400, 404})
        o.tried("a table that the token hasn't", o.given("table", "child"), f"Authorization: Bearer {few}", wanted={404, 410})
    if "format" in o.query:
        for kind in ("Patient", "Observation", "Encounter"):
            o.tried("resources", f"{o.path}?format=fhir&_type={kind}", BEARER, wanted={200})
            o.tried("resources of others", f"{o.path}?format=fhir&_type={kind}&scope=f/F2", BEARER, wanted={403})
        o.tried("resources of tables that the token hasn't", f"{o.path}?format=fhir&_type=Patient", f"Authorization: Bearer {few}",
                wanted={404})
        for kind in ("Claim", "patient", "x" * 500, "%00"):
            o.tried("a type that there isn't", f"{o.path}?format=fhir&_type={kind}", BEARER, wanted={400, 404})
    if "name" in o.query:
        # the name of what another token was given
        for other in (theirs, everything):
            if o.path == EXPORT_FILE:
                o.tried("another's", o.given("name", export_name(other)), BEARER, wanted={410})
                continue
            _, block, _ = ask(o.where, request("HEAD", o.path, o.where, f"Authorization: Bearer {other}"))
            etag = re.search(r'ETag: "([0-9a-f]{32})"', block, re.I).group(1)
            o.tried("another's", o.given("name", etag), BEARER, wanted={410})
            o.tried("another's range", o.path, BEARER, f'If-Range: "{etag}"', "Range: bytes=0-99", wanted={200})
            o.tried("another's etag", o.path, BEARER, f'If-None-Match: "{etag}"', wanted={200})


def malformed_cursor(o):
    if "since" not in o.query:
        return
    for since in ("1", "0" * 48, "f" * 48, "0" * 47, "0" * 49, "g" * 48, "%00", "-1", "0" * 4000):
        # a node's counter is refused only after its signature
        o.tried("malformed cursor", o.given("since", since), BEARER, wanted={401, 414} if o.signed else {400, 410, 414})
    if o.signed:
        return
    for last in ("1", "0" * 48, "f" * 48, "x" * 4000) if "feed" in o.query else ():
        o.tried("wrong id", f"{o.path}?feed=eventsource", BEARER, "Last-Event-ID: " + last, wanted={400, 410})
    # from behind any line of a neighbour's there is nothing of his
    _, _, lines = ask(hub, request("GET", "/v1/changes?limit=10000", hub, f"Authorization: Bearer {everything}"))
    lines = [json.loads(line) for line in lines.split(b"\n") if b'"seq"' in line]
    holds(any(line["facility"] == "F2" and canary in json.dumps(line) for line in lines), "the neighbour's lines are there for who reads all")
    for line in lines:
        o.tried("a neighbour's cursor", o.given("since", line["seq"]), BEARER, wanted={200})


def huge_limit(o):
    """Each number of the document, less than its minimum, more than its maximum, and none."""
    for name, parameter in o.query.items():
        schema = parameter["schema"]
        if schema.get("type") not in ("integer", "number") or o.signed:
            continue
        wrong = ["99999999999999999999999", "-1", "1e3" if schema["type"] == "integer" else "1e999", "0x10", "%31%00", "NaN"]
        wrong += [str(schema["minimum"] - 1)] if "minimum" in schema else []
        wrong += [str(schema["exclusiveMinimum"])] if "exclusiveMinimum" in schema else []
        wrong += [str(schema["maximum"] + 1)] if "maximum" in schema else []
        for value in wrong:
            o.tried(f"{name} out of bounds", o.given(name, value), *o.lines, wanted={400})
    for name, parameter in o.query.items():
        if "enum" in parameter["schema"] and name != "_type" and not (name == "lang"):
            for value in ("no", parameter["schema"]["enum"][0] + "%00", "x" * 500):
                o.tried(f"{name} that is none", o.given(name, value), *o.lines, wanted={400})
        if "maxLength" in parameter["schema"]:
            o.tried(f"{name} too long", o.given(name, "x" * (parameter["schema"]["maxLength"] + 1)), *o.lines, wanted={400})


def twice(o):
    """Of a header line or parameter given twice one program believes the first, another the last."""
    o.tried("Host twice", o.full, BEARER, f"Host: {o.where}", wanted={400})
    o.tried("another Host", o.full, BEARER, "Host: evil.example", wanted={400})
    o.tried("two lengths", o.full, BEARER, "Content-Length: 7", "Content-Length: 8", wanted={400}, send=b"")
    o.tried("length and chunks", o.full, BEARER, "Content-Length: 3", "Transfer-Encoding: chunked", wanted={400}, send=b"")
    for name in o.query:
        o.tried(f"{name} twice", f"{o.path}?{name}=1&{name}=2", *o.lines, wanted={400})
    lines = ["Authorization", "Origin", *o.headers] + (["Signature", "Signature-Input", "Content-Digest", "Yz-Grant", "Yz-Rotation", "Yz-Report"] if o.signed else [])
    for name in lines:
        o.tried(f"{name} twice", o.full, BEARER, f"{name}: a", f"{name.lower()}: b",
                wanted={400})


def cut_body(o):
    if o.method == "GET":
        for lines in (("Content-Length: 5",), ("Transfer-Encoding: chunked",)):
            answer = ask(o.where, request("GET", o.full, o.where, *o.lines, *lines), b"5\r\nab", cut=True)
            judge(f"GET {o.full} with the beginning of a body", answer, o.statuses | {0}, {0, 400, 413})
        return
    whole = o.body * 3
    for body, lines in ((whole, (f"Content-Length: {len(whole) + 99}",)),
                        (f"{len(whole) + 9:x}\r\n".encode() + whole, ("Transfer-Encoding: chunked",)),
                        (f"{len(whole):x}\r\n".encode() + whole + b"\r\n", ("Transfer-Encoding: chunked",))):
        answer = ask(o.where, request("POST", o.full, o.where, BEARER, *lines), body, cut=True)
        judge(f"POST {o.full} cut", answer, o.statuses | {0}, {0, 400})
    o.tried("too large", o.full, BEARER, wanted={413}, length=1 << 34, send=b"")


def stranger(o):
    if o.takes_token and o.method == "GET":
        o.tried("with a stranger", o.path + "?nothing=1", BEARER, wanted={400})
        o.tried("with a bad escape", o.path + "?scope=%zz", BEARER, wanted={400})
    if o.signed:
        o.tried("with a token instead of a signature", o.full, BEARER, wanted={401})
    o.tried("by another method", o.path, BEARER, wanted={405}, method="POST" if o.method == "GET" else "GET", send=b"")
    o.tried("by another method", o.path, BEARER, wanted={405}, method="DELETE", send=b"")
    if "feed" in o.query:
        for timeout in ("0", "50001", "", "1e3"):
            o.tried("wrong timeout", f"{o.path}?feed=longpoll&timeout={timeout}", BEARER, wanted={400})
    if "name" in o.query:
        for name in ("..%2f..%2fkey", "0" * 32, "f" * 31, "A" * 32, "%0a" * 32, ""):
            o.tried("wrong name", f"{o.path}?name={name}", BEARER, wanted={400, 410})
        for text in ("bytes=0-1,5-6", "bytes=-", "x", "bytes=99999999999999999999-", "bytes=5-1"):
            o.tried("range " + text, o.full if o.path == EXPORT_FILE else o.path, BEARER, "Range: " + text, wanted={200})


ATTACKS = (as_described, wrong_token, foreign_scope, malformed_cursor, huge_limit, twice, cut_body, stranger)


def sweep(where, role):
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            if role not in described["x-served-by"]:
                judge(f"{path} isn't here", ask(where, request(method.upper(), path, where)), set(), {404})
                continue
            operation = Operation(where, path, method.upper(), described)
            for attack in ATTACKS:
                attack(operation)


def records(where):
    """Lines that reach for another facility, or out of the table."""
    row = f'"id":"{foreign}"'
    for line in (f'{{"key":"a","table":"child","op":"delete","row":{{{row},"facility_id":"F1"}}}}',
                 f'{{"key":"b","table":"child","op":"upsert","row":{{{row},"facility_id":"F2","name":"x"}}}}',
                 f'{{"key":"c","table":"child","op":"upsert","row":{{{row},"facility_id":"F1","name":"x"}}}}',
                 '{"key":"d","table":"hub_token","op":"upsert","row":{"id":"x"}}',
                 '{"key":"e","table":"child","op":"upsert","row":{"id":"00","facility_id":"F1","name":1}}',
                 '{"key":"' + "k" * 101 + '","table":"child","op":"delete","row":{}}',
                 "[" * 5000, '{"key":"f"', "\x00", "null"):
        body = line.encode() + b"\n"
        answer = ask(where, request("POST", "/v1/records", where, f"Authorization: Bearer {mine}", body=body), body)
        judge("/v1/records " + line[:60], answer, {200}, {200, 400})
        holds(b'"state":"stored"' not in answer[2], f"stored: {line[:80]}")


def sign_in():
    """A session for /fleet."""
    password = yizhan("admin", "new", "wang").split("\n")[0]
    _, _, form = ask(hub, request("GET", "/fleet/signin", hub))
    body = f"name=wang&password={password}&token=" + re.search(r'name="token" value="([0-9a-f]+)"', form.decode()).group(1)
    _, block, _ = ask(hub, request("POST", "/fleet/enter", hub, body=body.encode()), body.encode())
    return re.search(r"yz_fleet=([0-9a-f]{64})", block).group(1)


def rows(directory):
    """All rows of all tables."""
    db = sqlite3.connect(f"file:{directory}/yizhan.db?mode=ro", uri=True)
    columns = {t: ", ".join(f'"{c[1]}"' for c in db.execute(f'PRAGMA table_info("{t}")') if c[1] not in LIVES)
               for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    return {t: sorted(map(repr, db.execute(f'SELECT {columns[t]} FROM "{t}"')))
            for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()}


session = sign_in()
for address in (hub, node):
    status, _, content = ask(address, request("GET", "/openapi.json", address))
    holds(status == 200 and document in ({}, json.loads(content)), f"hub and node serve the same document: {status}")
    document = json.loads(content)
before = rows(hub_dir), rows(node_dir)
sweep(hub, "hub")
sweep(node, "node")
records(hub)
for was, now in zip(before, (rows(hub_dir), rows(node_dir))):
    different = {t for t in was.keys() | now.keys() if was.get(t) != now.get(t)}
    holds(len(was) > 60 and different <= CHANGES, f"tables that have changed: {different - CHANGES}")
holds(all(re.fullmatch("/[a-z0-9./_]*", p) for p in document["paths"]), "paths")
print(f"{passed} passed, {failed} failed")
