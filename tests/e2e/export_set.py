#!/usr/bin/env python3
"""export_set.py URL TOKEN DATABASE FOLDER - follow a hub by the manifests of its exports.

FOLDER keeps what was read: the first run reads all tables, each further one what has
changed since the cursor of the last.  Every file's size, hash and number of lines are
as the manifest says; a download that is cut goes on; a key that is told as gone was
there.  Then the rows are compared with the hub's tables: "the same", or what differs.
TOKEN is a file.
"""
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import urllib.request

url, token, database, folder = sys.argv[1:]
bearer = open(token).read().strip()
state = os.path.join(folder, "rows.json")


def get(path, **headers):
    return urllib.request.urlopen(urllib.request.Request(url + path, headers={"Authorization": f"Bearer {bearer}", **headers}))


def download(entry):
    """In two pieces, as after a cut, what is large."""
    if entry["bytes"] < 1000:
        with get(entry["url"]) as answer:
            return unpack(entry, answer.read())
    half = entry["bytes"] // 2
    with get(entry["url"], Range=f"bytes=0-{half - 1}") as answer:
        assert answer.status == 206, answer.status
        packed = answer.read()
        etag = answer.headers["ETag"]
    with get(entry["url"], **{"Range": f"bytes={half}-", "If-Range": etag}) as answer:
        assert answer.status == 206, answer.status
        packed += answer.read()
    assert etag.strip('"') == entry["sha256"], entry
    return unpack(entry, packed)


def unpack(entry, packed):
    assert len(packed) == entry["bytes"], entry
    assert hashlib.sha256(packed).hexdigest() == entry["sha256"], entry
    lines = subprocess.run(["zstd", "-dqc"], input=packed, capture_output=True, check=True).stdout.splitlines()
    assert len(lines) == entry["count"], entry
    return [json.loads(line) for line in lines]


def main():
    known = json.load(open(state)) if os.path.exists(state) else None
    hub = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    keys = {}

    def key_of(table, row):
        if table not in keys:
            keys[table] = [c[1] for c in sorted(hub.execute(f'PRAGMA table_info("{table}")'), key=lambda c: c[5]) if c[5] > 0]
        values = [row[k] for k in keys[table]]
        return json.dumps(values[0] if len(values) == 1 else values)

    with get("/v1/export" + (f"?since={known['cursor']}" if known else "")) as answer:
        manifest = json.load(answer)
        assert answer.headers["Yz-Cursor"] == manifest["extension"]["cursor"]
    assert known or not manifest["deleted"], "nothing is gone for who has nothing"
    tables = known["tables"] if known else {}
    told = 0
    for entry in manifest["output"]:
        for row in download(entry):
            tables.setdefault(entry["type"], {})[key_of(entry["type"], row)] = row
            told += 1
    for entry in manifest["deleted"]:
        for line in download(entry):
            told += 1
            tables.get(entry["type"], {}).pop(json.dumps(line["key"]), None)
    json.dump({"cursor": manifest["extension"]["cursor"], "tables": tables}, open(state, "w"))

    scope = manifest["extension"]["scope"]
    hub.row_factory = sqlite3.Row
    for (table,) in list(hub.execute("SELECT name FROM yz_table")):
        if table not in tables:
            continue
        where = "" if scope == "all" else f" WHERE facility_id = '{scope[2:]}'"
        theirs = {}
        for row in hub.execute(f'SELECT * FROM "{table}"{where}'):
            row = {k: v.hex() if isinstance(v, bytes) else v for k, v in dict(row).items()}
            theirs[key_of(table, row)] = row
        ours = tables[table]
        if set(ours) != set(theirs):
            return f"{table}: {len(set(ours) - set(theirs))} rows too many, {len(set(theirs) - set(ours))} missing"
        for key, row in ours.items():
            wrong = {n: v for n, v in row.items() if theirs[key][n] != v}
            if wrong:
                return f"{table} {key}: {wrong}"
    print(f"{told} rows told")
    return "the same"


print(main())
