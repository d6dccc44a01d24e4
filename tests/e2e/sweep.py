#!/usr/bin/env python3
"""sweep.py HUB NODE TOKEN FOREIGN CANARY - ask every operation of /openapi.json
for what it describes and for what is wrong: each answer has a status that the
document names, each refusal is a problem document, and no byte of another
facility is in any.  Prints what isn't so, then 'N passed, N failed'.

HUB and NODE are ADDR:PORT; TOKEN reads and writes f/F1; FOREIGN is a row's id of
another facility, CANARY a text in that row.
"""
import json
import re
import socket
import sys

hub, node, token, foreign, canary = sys.argv[1:]
passed = failed = 0
ANY = {400, 404, 405, 413, 414, 421, 431, 501}  # of any path, by the server itself


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


def judge(what, answer, documented, wanted=None):
    status, block, content = answer
    holds(status in documented | ANY, f"{what}: {status} isn't in the document")
    if wanted is not None:
        holds(status in wanted, f"{what}: {status} instead of {wanted}: {content[:200]}")
    holds(canary.encode() not in content and canary not in block, f"{what}: the canary")
    holds(foreign.encode() not in content or "/v1/records" in what, f"{what}: a row of another facility")
    if status >= 400 and "text/html" not in block:
        holds("application/problem+json" in block, f"{what}: {status} is no problem document")
        if not what.startswith("HEAD"):
            try:
                problem = json.loads(content)
                good = problem["status"] == status and problem["title"] and problem["detail"]
            except (ValueError, KeyError):
                good = False
            holds(good, f"{what}: {content[:200]}")


def sample(schema):
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "integer":
        return str(schema.get("default", 1))
    if "examples" in schema:
        return schema["examples"][0]
    return {"pattern": "0" * 32}.get("pattern" if "pattern" in schema else "", "")


def good_query(operation):
    """All parameters at once, as the document describes them."""
    given = {"table": "child", "scope": "f/F1"}
    pairs = [(p["name"], given.get(p["name"]) or sample(p["schema"]))
             for p in operation.get("parameters", []) if p["in"] == "query"]
    return "&".join(f"{n}={v}" for n, v in pairs)


def sweep(where, document, role):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if role not in operation["x-served-by"]:
                judge(f"{path} isn't here", ask(where, request(method.upper(), path, where)), set(), {404})
                continue
            one(where, path, method.upper(), operation)


def one(where, path, method, operation):
    documented = {int(s) for s in operation["responses"]}
    bearer = f"Authorization: Bearer {token}"
    query = good_query(operation)
    full = path + ("?" + query if query else "")
    takes_token = operation["security"] == [{"token": []}]
    body = b'{"key":"s","table":"child","op":"upsert","row":{}}\n' if method == "POST" else b""

    def tried(what, target, *lines, wanted=None, send=body, **more):
        judge(f"{method} {target} {what}", ask(where, request(method, target, where, *lines, body=send, **more), send),
              documented, wanted)

    good = {200, 204, 303, 410} if takes_token or not operation["security"] else {401}
    tried("as described", full, bearer, wanted=good | ({400, 403} if method == "POST" else set()))
    if takes_token:
        tried("without a token", full, wanted={401})
        for wrong in ("Bearer x", "Bearer " + token[:-1], "Basic " + token, "Bearer", token):
            tried(f"with {wrong[:9]}", full, "Authorization: " + wrong, wanted={401})
        tried("with two tokens", full, bearer, "Authorization: Bearer x", wanted={400})
    if takes_token and method == "GET":
        tried("with a stranger", path + "?nothing=1", bearer, wanted={400})
        tried("with a bad escape", path + "?scope=%zz", bearer, wanted={400})
    if operation["security"] == [{"node": []}]:
        tried("with a token instead of a signature", full, bearer, wanted={401})
        tried("signed twice", full, "Signature: a", "Signature: b", wanted={400})
    names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
    for name in names:
        tried(f"{name} twice", f"{path}?{name}=1&{name}=2", bearer, wanted={400})
    if "scope" in names:
        for scope in ("f/F2", "f%2FF2", "all", "hub", "f/F", "f/F1x", "x" * 100, "'"):
            tried("foreign scope", f"{path}?table=child&scope={scope}" if "table" in names else f"{path}?scope={scope}",
                  bearer, wanted={400, 403})
    if "since" in names and takes_token:
        for since in ("1", "0" * 48, "f" * 48, "0" * 47, "0" * 49, "g" * 48, "%00", "-1", "0" * 4000):
            tried("malformed cursor", f"{path}?since={since}", bearer, wanted={400, 410, 414})
    if "limit" in names:
        for limit in ("0", "10001", "99999999999999999999999", "-1", "1e3", "", "0x10"):
            tried("huge limit", f"{path}?limit={limit}", bearer, wanted={400})
    if "feed" in names:
        for feed in ("", "longpol", "continuous", "normal%00", "x" * 500):
            tried("another feed", f"{path}?feed={feed}", bearer, wanted={400})
        for timeout in ("0", "50001", "-1", "", "1e3", "99999999999999999999999"):
            tried("wrong timeout", f"{path}?feed=longpoll&timeout={timeout}", bearer, wanted={400})
        for last in ("1", "0" * 48, "f" * 48, "x" * 4000):
            tried("wrong id", f"{path}?feed=eventsource", bearer, "Last-Event-ID: " + last, wanted={400, 410})
        tried("two ids", f"{path}?feed=eventsource", bearer, "Last-Event-ID: ", "last-event-id: 1", wanted={400})
    if "name" in names:
        for name in ("..%2f..%2fkey", "0" * 32, "f" * 31, "A" * 32, "%0a" * 32, ""):
            tried("wrong name", f"{path}?name={name}", bearer, wanted={400, 410})
        for lines in (("Range: bytes=0-", "Range: bytes=1-"), ("If-Range: a", "If-Range: b")):
            tried("header lines twice", path, bearer, *lines, wanted={400})
        for text in ("bytes=0-1,5-6", "bytes=-", "x", "bytes=99999999999999999999-", "bytes=5-1"):
            tried("range " + text, path, bearer, "Range: " + text, wanted={200})
    if "table" in names:
        for table in ("staff%00", "hub_token", "yz_log", "sqlite_master", "child%20UNION", "x" * 500, "", "code_set"):
            tried("another table", f"{path}?table={table}", bearer, wanted={400, 404})
    tried("Host twice", full, bearer, f"Host: {where}", wanted={400})
    tried("another Host", full.replace("/", "/", 1), bearer, "Host: evil.example", wanted={400})
    tried("two lengths", full, bearer, "Content-Length: 7", "Content-Length: 8", wanted={400}, send=b"")
    other = "POST" if method == "GET" else "GET"
    judge(f"{other} {path}", ask(where, request(other, path, where, bearer)), documented, {405})
    if method == "POST":
        judge(f"{path} cut", ask(where, request(method, path, where, bearer, length=len(body) + 99), body, cut=True),
              documented | {0}, {0, 400})
        judge(f"{path} too large", ask(where, request(method, path, where, bearer, length=1 << 34)), documented, {413})


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
        answer = ask(where, request("POST", "/v1/records", where, f"Authorization: Bearer {token}", body=body), body)
        judge("/v1/records " + line[:60], answer, {200}, {200, 400})
        holds(b'"state":"stored"' not in answer[2], f"stored: {line[:80]}")


def main():
    documents = []
    for where in (hub, node):
        status, _, content = ask(where, request("GET", "/openapi.json", where))
        holds(status == 200, f"/openapi.json of {where}: {status}")
        documents.append(json.loads(content))
    holds(documents[0] == documents[1], "hub and node serve the same document")
    sweep(hub, documents[0], "hub")
    sweep(node, documents[0], "node")
    records(hub)
    holds(all(re.fullmatch("/[a-z0-9./_]*", p) for p in documents[0]["paths"]), "paths")
    print(f"{passed} passed, {failed} failed")


main()
