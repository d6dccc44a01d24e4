#!/usr/bin/env python3
"""snippets.py HUB HUBDIR NODEDIR FOLDER all|without-npm - run what the hub's page
/snippets shows, as it shows it and in its order, in FOLDER, and compare the rows
that come of it with the hub's.  Token and address alone are filled in.

Each snippet of the page has a function here and the other way round.  Some run
until they are ended: they must first tell of a row that is written meanwhile.
"""
import html.parser
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request

address, hub, node, folder, which = sys.argv[1:]
NPM = ("duckdb-install", "first.mjs", "district.mjs")
yizhan = os.environ["YIZHAN"]
env = {**os.environ, "PATH": os.path.dirname(yizhan) + ":" + os.environ["PATH"], "npm_config_prefer_offline": "true",
       "npm_config_audit": "false", "npm_config_fund": "false"}
root = os.getcwd()
passed = failed = written = 0


def holds(good, what):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(what)


class Page(html.parser.HTMLParser):
    """The text of each <pre>, by its name, with its kind."""

    def __init__(self):
        super().__init__()
        self.found, self.now = {}, None

    def handle_starttag(self, tag, attributes):
        if tag == "pre":
            self.now = dict(attributes)
            assert self.now["data-name"] not in self.found, self.now
            self.found[self.now["data-name"]] = [self.now["data-kind"], ""]

    def handle_endtag(self, tag):
        if tag == "pre":
            self.now = None

    def handle_data(self, data):
        if self.now:
            self.found[self.now["data-name"]][1] += data


def run(name, again=False):
    """What the snippet prints; it must end well."""
    kind, text = page.found[name]
    file = os.path.join(folder, name)
    with open(file, "w", encoding="utf-8") as out:
        out.write(text.removeprefix("\n"))
    done = subprocess.run({"sh": ["sh", "-eu"], "env": ["sh", "-eu"], "node": ["node"], "python": ["python3"]}[kind] + [file],
                          cwd=folder, env=env, text=True, capture_output=True, timeout=100)
    holds(done.returncode == 0, f"{name}{' again' if again else ''}: {done.returncode} {done.stderr[-2000:]}")
    return done.stdout


def tell(directory, *words):
    return subprocess.run([yizhan, "-C", directory, *words], check=True, text=True, capture_output=True).stdout


def ask(directory, sql):
    return json.loads(tell(directory, "sql", "--json", sql))


def number(sql):
    return next(iter(ask(hub, sql)[0].values()))


def write():
    """A new row, a changed one and one that goes, brought to the hub: the new one's id."""
    global written
    written += 1
    new = f"{written:032x}"
    tell(node, "sql", f"""INSERT INTO child(id, facility_id, name, sex) VALUES (x'{new}', 'F1', '新{written}', 1);
        UPDATE child SET sex = 3 - sex WHERE id IN (SELECT id FROM child WHERE sex IN (1, 2) ORDER BY id DESC LIMIT 3);
        UPDATE nap_session SET quality = {written % 3 + 1} WHERE enrollment_id IN (SELECT id FROM enrollment ORDER BY id LIMIT 2);
        DELETE FROM enrollment WHERE id IN (SELECT id FROM enrollment ORDER BY id DESC LIMIT 1)""")
    tell(node, "sync")
    return new


def until_told(name):
    """A snippet that runs until it is ended: it tells of a row written meanwhile."""
    kind, text = page.found[name]
    file, out = os.path.join(folder, name), os.path.join(folder, name + ".out")
    with open(file, "w", encoding="utf-8") as script:
        script.write(text.removeprefix("\n"))
    with open(out, "w", encoding="utf-8") as said:
        process = subprocess.Popen([{"sh": "sh", "python": "python3"}[kind], file], cwd=folder, env=env, stdout=said,
                                   stderr=subprocess.STDOUT, start_new_session=True)
    try:
        new = write()
        for _ in range(3000):
            with open(out, encoding="utf-8") as said:
                text = said.read()
            if new in text or process.poll() is not None:
                break
            time.sleep(0.02)
        holds(new in text and process.poll() is None, f"{name}: {new} isn't in {text[-1000:]}")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    return text


def by_sex():
    return ask(hub, "SELECT facility_id, sex, count(*) AS children FROM child GROUP BY 1, 2 ORDER BY 1, 2")


def table_of(name, out):
    """What console.table shows, against the hub."""
    shown = [re.findall(r"[\w]+", line)[1:] for line in out.splitlines() if re.match(r"│ +\d", line)]
    holds(shown == [[str(v) for v in row.values()] for row in by_sex()], f"{name}: {out} instead of {by_sex()}")


# ---------------------------------------------------------------- one function a snippet

def token(name):
    line = run(name).splitlines()[0]
    holds(re.fullmatch(r"[\w-]{43}", line), f"{name}: {line}")
    page.found["where"][1] = page.found["where"][1].replace("paste-the-token-here", line)


def where(name):
    kind, text = page.found[name]
    holds(text.count("http://127.0.0.1:8700") == 1 and "paste-the-token-here" not in text, f"{name}: {text}")
    text = text.replace("http://127.0.0.1:8700", f"http://{address}")
    out = subprocess.run(["sh", "-euc", text + 'printf "%s\\n%s" "$HUB" "$TOKEN"'], text=True, capture_output=True, check=True)
    env["HUB"], env["TOKEN"] = out.stdout.splitlines()


def curl_snapshot(name):
    run(name)
    db = sqlite3.connect(f"{folder}/snapshot.sqlite")
    holds(db.execute("SELECT count(*) FROM child").fetchone()[0] == number("SELECT count(*) FROM child") > 50, name)
    with open(f"{folder}/cursor", encoding="utf-8") as cursor:
        holds(cursor.read().strip() == db.execute("SELECT value FROM yz_snapshot WHERE name = 'cursor'").fetchone()[0], name)


def curl_changes(name):
    new = [write(), write()]
    run(name)
    with open(f"{folder}/changes.ndjson", encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    holds([t["key"] for t in told if t["table"] == "child" and t["key"] in new and t["op"] == "upsert"] == new, name)
    holds(sum(t["op"] == "delete" and t["table"] == "enrollment" for t in told) == 2, f"{name}: the deletes")
    run(name, again=True)
    with open(f"{folder}/changes.ndjson", encoding="utf-8") as lines:
        holds(len(list(lines)) == len(told), f"{name}: told again")


def curl_csv(name):
    run(name)
    with open(f"{folder}/child.csv", "rb") as rows:
        text = rows.read()
    holds(text.startswith(b"\xef\xbb\xbfid,") and text.count(b"\r\n") == 1 + number("SELECT count(*) FROM child"), name)
    with open(f"{folder}/seats.csv", encoding="utf-8-sig") as rows:
        holds(rows.readline().startswith("subdistrict_code,"), f"{name}: the view")


def curl_manifest(name):
    out = run(name).splitlines()
    holds(len(out) > 10 and all(line.endswith(".ndjson.zst: OK") for line in out), f"{name}: {out}")
    lines = subprocess.run(["zstd", "-dqc", os.path.join(folder, "child.ndjson.zst")], capture_output=True, check=True).stdout
    holds(lines.count(b"\n") == number("SELECT count(*) FROM child"), f"{name}: the children")
    with open(os.path.join(folder, "changed.json")) as changed:
        holds(json.load(changed)["output"] == [], f"{name}: what has changed")


def curl_fhir(name):
    run(name)
    with open(f"{folder}/patients.ndjson", encoding="utf-8") as lines:
        kinds = [json.loads(line)["resourceType"] for line in lines]
    holds(kinds == ["Patient"] * number("SELECT count(*) FROM child"), name)


def curl_records(name):
    holds('"state":"stored"' in run(name), name)
    holds('"state":"duplicate"' in run(name, again=True), f"{name}: sent twice")
    tell(node, "sync")
    holds(ask(node, "SELECT guardian_name FROM booking") == [{"guardian_name": "王"}], f"{name}: at the facility")
    tell(node, "sql", "UPDATE booking SET state = 3")
    tell(node, "sync")
    run("curl-changes")
    with open(f"{folder}/changes.ndjson", encoding="utf-8") as lines:
        last = [json.loads(line) for line in lines][-1]
    holds(last["table"] == "booking" and last["after"]["state"] == 3, f"{name}: the answer: {last}")


def duckdb_install(name):
    run(name)
    with open(f"{folder}/package-lock.json", encoding="utf-8") as lock:
        here = json.load(lock)["packages"]
    with open(f"{root}/packaging/npm/package-lock.json", encoding="utf-8") as lock:
        ours = json.load(lock)["packages"]
    for at, package in here.items():
        if at:
            holds(package["integrity"] == ours.get(at, {}).get("integrity"), f"{name}: {at} isn't in packaging/npm as it is here")
    holds("node_modules/@duckdb/node-api" in here, name)


def first_mjs(name):
    table_of(name, run(name))


DUMP = """import { DuckDBInstance } from '@duckdb/node-api';
const db = await (await DuckDBInstance.create('district.duckdb')).connect();
for (const row of (await db.runAndReadAll('SELECT "table", row::VARCHAR AS row FROM record')).getRowObjectsJson())
  console.log(JSON.stringify([row.table, JSON.parse(row.row)]));
"""


def district_mjs(name):
    table_of(name, run(name))
    write()
    write()
    table_of(name, run(name, again=True))
    with open(f"{folder}/dump.mjs", "w", encoding="utf-8") as script:
        script.write(DUMP)
    out = subprocess.run(["node", "dump.mjs"], cwd=folder, text=True, capture_output=True, check=True).stdout
    got = sorted(json.dumps(json.loads(line), sort_keys=True) for line in out.splitlines())
    wanted = []
    for table in ("child", "enrollment", "attendance_event", "nap_session"):
        request = urllib.request.Request(f"{env['HUB']}/v1/export?table={table}", headers={"Authorization": "Bearer " + env["TOKEN"]})
        wanted += [json.dumps([table, json.loads(line)], sort_keys=True) for line in urllib.request.urlopen(request)]
    holds(got == sorted(wanted) and len(got) > 200, f"{name}: {len(got)} rows, {len(wanted)} at the hub, {len(set(got) ^ set(wanted))} differ")
    run(name, again=True)


def join_py(name):
    run(name)
    write()
    out = run(name, again=True)
    holds(out.splitlines() == [" ".join(str(v) for v in row.values()) for row in by_sex()], f"{name}: {out}")
    ours, theirs = (sqlite3.connect(f"file:{file}?mode=ro", uri=True) for file in (f"{folder}/district.sqlite", f"{hub}/yizhan.db"))
    tables = [t for (t,) in ours.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'yz_snapshot' AND name NOT GLOB 'v1_*'")]
    for table in tables:
        names = ", ".join(f'"{c[1]}"' for c in ours.execute(f'PRAGMA table_info("{table}")'))
        a, b = (set(db.execute(f'SELECT {names} FROM "{table}"')) for db in (ours, theirs))
        holds(a == b, f"{name}: {table}: {len(a - b)} rows too many, {len(b - a)} missing")
    holds("child" in tables and len(tables) > 40, f"{name}: {tables}")


def follow_py(name):
    first = until_told(name)
    second = until_told(name)
    holds(first.count("\n") > 100 and 0 < second.count("\n") < 20, f"{name}: goes on where it was: {second}")


def export_py(name):
    out = dict(line.split() for line in run(name).splitlines())
    count = str(number("SELECT count(*) FROM growth_measurement"))
    holds(out == {"enrollment": str(number("SELECT count(*) FROM enrollment")), "29463-7": count, "8302-2": count}, f"{name}: {out}")


def records_py(name):
    out = run(name).splitlines()
    holds(len(out) == 2 and out[0].strip() == "tour/2 stored" and out[1].startswith("tour/3 refused "), f"{name}: {out}")
    tell(node, "sync")
    holds(ask(node, "SELECT count(*) AS n FROM booking WHERE guardian_name = '李'") == [{"n": 1}], f"{name}: at the facility")


FUNCTIONS = {
    "token": token, "where": where, "curl-snapshot": curl_snapshot, "curl-changes": curl_changes, "curl-longpoll": until_told,
    "curl-events": until_told, "curl-csv": curl_csv, "curl-manifest": curl_manifest, "curl-fhir": curl_fhir, "curl-records": curl_records,
    "duckdb-install": duckdb_install, "first.mjs": first_mjs, "district.mjs": district_mjs, "join.py": join_py,
    "follow.py": follow_py, "events.py": until_told, "export.py": export_py, "records.py": records_py,
}

page = Page()
with urllib.request.urlopen(f"http://{address}/snippets") as answer:
    holds(answer.headers["Content-Security-Policy"].startswith("default-src 'none'"), "the page's policy")
    page.feed(answer.read().decode())
holds(list(page.found) == list(FUNCTIONS), f"on the page: {list(page.found)}")
for snippet, function in FUNCTIONS.items():
    if which == "all" or snippet not in NPM:
        function(snippet)
print(f"{passed} passed, {failed} failed")
