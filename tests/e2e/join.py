#!/usr/bin/env python3
"""join.py SNAPSHOT CURSOR URL TOKEN DATABASE - read a snapshot, apply the feed from
its cursor on, and compare with the hub's tables: "the same", or what differs.

CURSOR and TOKEN are files.  No line of the feed may be told twice, and a delete
must find its row unless the snapshot never had it.
"""
import json
import sqlite3
import sys
import urllib.request


def value(v, kind):
    """A JSON value as the column has it: BLOBs come as hex."""
    return bytes.fromhex(v) if kind == "BLOB" and isinstance(v, str) else v


def columns(db, table):
    return [(c[1], c[2], c[5]) for c in db.execute(f'PRAGMA table_info("{table}")')]


def read(db, table, names, where=""):
    chosen = ", ".join(f'"{n}"' for n in names)
    return set(db.execute(f'SELECT {chosen} FROM "{table}"{where}'))


def apply(snap, line, tables):
    table = line["table"]
    if table not in tables:
        return f"a line of {table}, which the snapshot hasn't"
    keys = sorted((c for c in tables[table] if c[2]), key=lambda c: c[2])
    given = line["key"] if isinstance(line["key"], list) else [line["key"]]
    where = " AND ".join(f'"{c[0]}" IS ?' for c in keys)
    snap.execute(f'DELETE FROM "{table}" WHERE {where}', [value(v, c[1]) for v, c in zip(given, keys)])
    if line["op"] == "upsert":
        row = line["after"]
        extra = set(row) - {c[0] for c in tables[table]}
        if extra:
            return f"columns that the snapshot hasn't: {extra}"
        kinds = {c[0]: c[1] for c in tables[table]}
        names = ", ".join(f'"{n}"' for n in row)
        snap.execute(f'INSERT INTO "{table}"({names}) VALUES({", ".join("?" * len(row))})',
                     [value(v, kinds[n]) for n, v in row.items()])
    return None


def main():
    snapshot, cursor, url, token, database = sys.argv[1:]
    since, bearer = open(cursor).read().strip(), open(token).read().strip()
    snap = sqlite3.connect(snapshot)
    facts = dict(snap.execute("SELECT name, value FROM yz_snapshot"))
    if facts["cursor"] != since:
        return "the file names another cursor than the header"
    # what the hub itself knows is of the snapshot's moment; the feed speaks of records only
    tables = {t: columns(snap, t) for (t,) in snap.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'yz_snapshot'"
        " AND name NOT GLOB 'v1_*' AND name NOT GLOB 'external_*'")}
    seen, more = set(), True
    while more:
        request = urllib.request.Request(f"{url}/v1/changes?since={since}&limit=500",
                                         headers={"Authorization": f"Bearer {bearer}"})
        for text in urllib.request.urlopen(request):
            line = json.loads(text)
            if "next" in line:
                since, more = line["next"], line["more"]
                continue
            if line["seq"] in seen:
                return f"told twice: {line}"
            seen.add(line["seq"])
            wrong = apply(snap, line, tables)
            if wrong:
                return wrong
    hub = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    for table, cols in tables.items():
        names = [c[0] for c in cols]
        only = f" WHERE facility_id = '{facts['scope'][2:]}'" if facts["scope"] != "all" else ""
        ours, theirs = read(snap, table, names), read(hub, table, names, only)
        if ours != theirs:
            return f"{table}: {len(ours - theirs)} rows too many, {len(theirs - ours)} missing"
    print(f"{len(seen)} lines behind the snapshot")
    return "the same"


print(main())
