#!/usr/bin/env python3
"""follow.py PROGRAM HUB NODE OTHER ADDRESS PID - follow the hub's feed by long-polls
and event streams while the facilities F1 (NODE) and F2 (OTHER) write, and compare
with its pages.  Prints what isn't so, then 'N passed, N failed'.  The hub is PID,
and stops at the end.
"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

program, hub, node, other, address, pid = sys.argv[1:]
CANARY = "canary_b8e1"
passed = failed = 0
written = 0


def holds(good, what):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(what)


def run(*words):
    return subprocess.run([program, "-C", *words], capture_output=True, text=True).stdout


def token(*words):
    made = json.loads(run(hub, "token", "new", "--json", *words))
    return made["token"], made["id"]


def write(rows, where=node, facility="F1", note="n"):
    """One unit of so many rows, brought to the hub."""
    global written
    run(where, "sql", f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
        f" INSERT INTO care_event(facility_id, kind, at, note) SELECT '{facility}', i % 7, {written} + i, '{note}' || i FROM n")
    written += rows
    said = json.loads(run(where, "sync", "--json"))
    holds(said["state"] == "in_sync", f"sync: {said}")


def get(query, bearer, timeout=60, **fields):
    """The answer to GET /v1/changes; its connection is answer.line."""
    line = http.client.HTTPConnection(address, timeout=timeout)
    line.request("GET", "/v1/changes?" + query, headers={"Authorization": "Bearer " + bearer, **fields})
    answer = line.getresponse()
    answer.line = line
    return answer


def page(query, bearer):
    """Lines and the cursor behind them."""
    lines = get(query, bearer).read().decode().splitlines()
    return lines[:-1], json.loads(lines[-1])["next"]


def whole(bearer, since=""):
    lines, more = [], True
    while more:
        got = get(f"limit=10000&since={since}", bearer).read().decode().splitlines()
        since, more = json.loads(got[-1])["next"], json.loads(got[-1])["more"]
        lines += got[:-1]
    return lines


def events(answer, count=None, until=None):
    """`count` events, or those up to a line of the feed: [(id, data)], comments, the last id."""
    got, comments, last, data = [], 0, None, None
    while (count is None or len(got) < count) and (until is None or not got or got[-1][1] != until):
        text = answer.readline().decode()
        if text == "":
            break
        text = text.rstrip("\n")
        if text.startswith("id: "):
            last = text[4:]
        elif text.startswith("data: "):
            data = text[6:]
        elif text.startswith(":"):
            comments += 1
            if count == 0:
                break
        elif text == "" and data is not None:
            got.append((last, data))
            data = None
    return got, comments, last


def in_thread(work, *args):
    """Begin it; the result is in the list when the thread has ended."""
    result = []
    thread = threading.Thread(target=lambda: result.append(work(*args)), daemon=True)
    thread.start()
    return thread, result


def kib(field):
    with open(f"/proc/{pid}/status") as status:
        return int(next(t for t in status if t.startswith(field + ":")).split()[1])


def waiting():
    """How many connections the hub holds."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def long_polls(f1):
    _, since = page("limit=10000", f1)
    got = []
    for rows in (1, 30, 2):
        thread, result = in_thread(lambda: page(f"feed=longpoll&since={since}", f1))
        thread.join(0.3)
        holds(thread.is_alive(), "a long-poll was answered although nothing is new")
        write(rows)
        thread.join(60)
        holds(len(result) == 1 and len(result[0][0]) == rows, f"a long-poll of {rows} rows: {result}")
        got += result[0][0]
        since = result[0][1]
    holds(got == whole(f1)[-33:], "the long-polls together are the feed")
    lines, there = page(f"feed=longpoll&timeout=1000&since={since}", f1)
    holds(lines == [] and there == since, "an empty page after the time that was asked for")
    lines, _ = page("feed=longpoll&limit=5", f1)
    holds(len(lines) >= 5, "what is there is given at once")
    answer = get("feed=longpoll&timeout=1000&scope=f/F1&since=" + since, f1)
    holds(f"feed=longpoll&timeout=1000" in answer.getheader("Link") and "&scope=f%2FF1" in answer.getheader("Link"),
          f"the Link of a long-poll: {answer.getheader('Link')}")


def streams(f1):
    """Ended within a unit and taken up again, by the last id: each line once."""
    write(40)
    lines = whole(f1)
    first = get("feed=eventsource&limit=7", f1)
    holds(re.fullmatch(r'"waiting";r=6[0-3]', first.getheader("RateLimit") or ""), f"how many more: {first.getheader('RateLimit')}")
    holds(first.getheader("Content-Type") == "text/event-stream", "the type of a stream")
    holds(first.readline() == b"retry: 3000\n", "a stream says when to come again")
    got, _, last = events(first, 11)
    first.line.close()
    holds(last == json.loads(got[-1][1])["seq"], "the id of an event is its line's seq")
    # as a browser does: the address that it began with, and the id
    second = get("feed=eventsource&limit=7", f1, **{"Last-Event-ID": last})
    rest, _, last = events(second, len(lines) - 11)
    holds([data for _, data in got + rest] == lines, "a stream that was taken up again is the feed")
    thread, result = in_thread(events, second, 25)
    write(25)
    thread.join(60)
    holds(len(result) == 1 and [data for _, data in result[0][0]] == whole(f1)[-25:], "and goes on with what is new")
    second.line.close()
    holds(get("feed=eventsource&since=" + "0" * 47, f1).status == 400, "a malformed cursor")
    holds(get("feed=eventsource", f1, **{"Last-Event-ID": "f" * 48}).status == 410, "an id of another life")
    head = http.client.HTTPConnection(address, timeout=60)
    head.request("HEAD", "/v1/changes?feed=eventsource", headers={"Authorization": "Bearer " + f1})
    holds(head.getresponse().status == 200, "HEAD of a stream is answered")
    head.close()


def slow(f1):
    """Who doesn't read holds up nobody, and gets all when he does."""
    lines = whole(f1)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((address.split(":")[0], int(address.split(":")[1])))
    sock.settimeout(60)
    sock.sendall(f"GET /v1/changes?feed=eventsource&limit=50 HTTP/1.1\r\nHost: {address}\r\n"
                 f"Authorization: Bearer {f1}\r\n\r\n".encode())
    for _ in range(3):
        write(400, note="x" * 400)
    after = whole(f1)
    holds(len(after) == len(lines) + 1200, "others read on")
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    got, _, _ = events(answer, len(after))
    holds([data for _, data in got] == after, "a slow reader gets all of it")
    sock.close()


def strangers(f1, f2):
    """Whoever may not read it doesn't hear of it, not even that there was something."""
    _, since = page("limit=10000", f2)
    poll, polled = in_thread(lambda: get(f"feed=longpoll&timeout=3000&since={since}", f2).read().decode())
    stream = get(f"feed=eventsource&since={since}", f2)
    write(3, note=CANARY)
    poll.join(60)
    holds(len(polled) == 1 and polled[0].count("\n") == 1 and CANARY not in polled[0], f"a long-poll of F2: {polled}")
    write(2, where=other, facility="F2")
    got, _, _ = events(stream, 2)
    holds(len(got) == 2 and all(json.loads(data)["facility"] == "F2" for _, data in got), f"a stream of F2: {got}")
    stream.line.close()
    holds(get("feed=longpoll&scope=f/F2", f1).status == 403, "a foreign scope")


def bounds(f1):
    """64 of one token, and no more; others have room."""
    mine = token("--scope", "f/F1")[0]
    _, since = page("limit=10000", mine)
    polls = [in_thread(lambda: get(f"feed=longpoll&since={since}", mine)) for _ in range(65)]
    while not any(result for _, result in polls):
        polls[0][0].join(0.02)
    refused = [result[0] for _, result in polls if result]
    text = json.loads(refused[0].read())
    holds(len(refused) == 1 and refused[0].status == 429 and refused[0].getheader("Retry-After"), "one of 65 is refused")
    holds(text["status"] == 429 and "64" in text["detail"], f"and told why: {text}")
    holds(refused[0].getheader("RateLimit-Policy") == '"waiting";q=64;qu="concurrent-requests"'
          and refused[0].getheader("RateLimit") == '"waiting";r=0;t=' + refused[0].getheader("Retry-After"), "by which rule, and what is left")
    holds(get(f"feed=eventsource&since={since}", mine).status == 429, "a stream too many")
    holds(get(f"feed=normal&since={since}", mine).status == 200, "a page beside them")
    holds(get(f"feed=longpoll&timeout=1000&since={since}", f1).status == 200, "another token's")
    write(1)
    for thread, _ in polls:
        thread.join(60)
    answers = [result[0] for _, result in polls if result]
    holds(sorted(a.status for a in answers) == [200] * 64 + [429], "64 were answered")
    holds(all(a.read().count(b"\n") == 2 for a in answers if a.status == 200), "with the one row")


def crowd(count):
    """Parked ones cost no threads and little memory, and all hear of one row."""
    tokens = [token("--scope", "f/F1")[0] for _ in range(count // 60)]
    _, since = page("limit=10000", tokens[0])
    threads, rss, fds = kib("Threads"), kib("VmRSS"), waiting()
    socks = []
    for i in range(count):
        sock = socket.create_connection(tuple([address.split(":")[0], int(address.split(":")[1])]), 60)
        sock.sendall(f"GET /v1/changes?feed=longpoll&since={since} HTTP/1.1\r\nHost: {address}\r\n"
                     f"Authorization: Bearer {tokens[i % len(tokens)]}\r\n\r\n".encode())
        socks.append(sock)
        while i % 60 == 59 and waiting() < fds + i + 1:
            threading.Event().wait(0.01)
    page("limit=1", tokens[0])  # the lane is in order: they have been read before
    holds(kib("Threads") == threads, f"{kib('Threads')} threads instead of {threads} with {count} parked")
    print(f"a parked long-poll: {(kib('VmRSS') - rss) / count:.1f} KiB")
    write(1)
    for sock in socks:
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        body = answer.read().decode()
        if not (answer.status == 200 and body.count("\n") == 2):
            holds(False, f"one of the crowd: {answer.status} {body[:200]}")
        sock.close()
    holds(len(socks) == count, "the crowd")


def revoked():
    mine, name = token("--scope", "f/F1")
    _, since = page("limit=10000", mine)
    stream = get(f"feed=eventsource&since={since}", mine)
    poll, polled = in_thread(lambda: get(f"feed=longpoll&since={since}", mine))
    poll.join(0.3)
    run(hub, "token", "revoke", name)
    write(2, note=CANARY)
    poll.join(60)
    holds(len(polled) == 1 and polled[0].status == 401 and CANARY not in polled[0].read().decode(),
          "a long-poll of a token that was revoked")
    got, _, _ = events(stream)
    holds(got == [], f"a stream of a token that was revoked: {got}")


def stopped(f1):
    _, since = page("limit=10000", f1)
    stream = get(f"feed=eventsource&since={since}", f1)
    poll, polled = in_thread(lambda: get(f"feed=longpoll&since={since}", f1))
    poll.join(0.3)
    os.kill(int(pid), signal.SIGTERM)
    poll.join(60)
    holds(len(polled) == 1 and polled[0].status == 503, "a long-poll when the hub stops")
    holds(events(stream)[0] == [], "a stream when the hub stops")


f1, f2 = token("--scope", "f/F1")[0], token("--scope", "f/F2")[0]
write(5)
long_polls(f1)
streams(f1)
strangers(f1, f2)
slow(f1)
bounds(f1)
crowd(300)
revoked()
stopped(f1)
print(f"{passed} passed, {failed} failed")
