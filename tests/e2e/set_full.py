"""set_full.py PROGRAM NODE HUB SCRATCH KILLS SEED - is a set that is written under kills full?

Four tablets post taps, each with a key of its own, to a running node.  At any
moment the node is killed (SIGKILL) and started again: while it serves, or while
it starts; every fifth time it is the hub that is killed.  A tap without an answer
is asked again by its tablet.  Every READ_EVERY kills, and at the end, all taps
are read back from the file, and each is in one of these:

  stable    acknowledged, and in this reading and every one after its answer
  recovered never acknowledged before the reading, but there: from then on it must stay
  lost      acknowledged or once read, and not there       -> a mistake
  twice     there more than once                           -> a mistake
  phantom   there, and nobody has asked for it             -> a mistake

What was counted is the last line; the keys are in SCRATCH/acknowledged, SCRATCH/asked.
"""

import http.client
import json
import random
import signal
import subprocess
import sys
import threading
import time

TABLETS, READ_EVERY = 4, 25
program, node, hub, scratch = sys.argv[1:5]
kills, chance = int(sys.argv[5]), random.Random(int(sys.argv[6]))
lock = threading.Lock()
asked, acknowledged, seen = set(), set(), set()
counts = dict.fromkeys(('kills_serving', 'kills_starting', 'kills_hub', 'lives', 'answers',
                        'duplicates', 'readings', 'recovered', 'lost', 'twice', 'phantom'), 0)


def sql(directory, text):
    return json.loads(subprocess.check_output([program, '-C', directory, 'sql', '--json', text]))


child = sql(node, 'SELECT id FROM child')[0]['id']


class Tablet(threading.Thread):
    """Posts until the node is gone; goes on with the tap that got no answer."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.number, self.count, self.port = number, 0, None
        self.go, self.idle = threading.Event(), threading.Event()
        self.idle.set()
        self.start()

    def run(self):
        while True:
            self.go.wait()
            self.go.clear()
            try:
                self.post()
            except (OSError, http.client.HTTPException, ValueError):
                pass
            self.idle.set()

    def post(self):
        line = http.client.HTTPConnection('127.0.0.1', self.port, timeout=10)
        while True:
            key = f'tablet{self.number}/{self.count}'
            with lock:
                asked.add(key)
            what = {'do': 'care', 'key': key, 'child': child, 'kind': 1, 'note': key,
                    'at': int(time.time() * 1000)}
            line.request('POST', '/api/v1/batch', json.dumps(what) + '\n')
            state = json.loads(line.getresponse().read())['state']
            if state not in ('stored', 'duplicate'):
                sys.exit(f'{key} is {state}')
            with lock:
                acknowledged.add(key)
                counts['answers'] += 1
                counts['duplicates'] += state == 'duplicate'
            self.count += 1


class Daemon:
    def __init__(self, directory, listen):
        self.process = subprocess.Popen([program, '-C', directory, 'run', '--listen', listen],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait(self):
        """Its port, once it serves."""
        said = []
        for line in self.process.stdout:
            if line.startswith('serving'):
                return int(line.rsplit(':', 1)[1])
            said.append(line)
        sys.exit('it does not start again: ' + ''.join(said))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


def read():
    """All taps in the file, against what we know; nothing runs."""
    notes = [row['note'] for row in
             sql(node, "SELECT note FROM care_event WHERE note LIKE 'tablet%'")]
    there = set(notes)
    counts['readings'] += 1
    counts['twice'] += len(notes) - len(there)
    counts['phantom'] += len(there - asked)
    counts['recovered'] += len(there - acknowledged - seen)
    for key in sorted((acknowledged | seen) - there):
        counts['lost'] += 1
        print(f'lost: {key}')
    seen.update(there)


def life(tablets, hub_port):
    """One life of the node; every fifth, of the hub too."""
    daemon = Daemon(node, '127.0.0.1:0')
    counts['lives'] += 1
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0, 0.08))
        daemon.kill()
        counts['kills_starting'] += 1
        return
    port = daemon.wait()
    for tablet in tablets:
        tablet.port = port
        tablet.idle.clear()
        tablet.go.set()
    time.sleep(chance.uniform(0, 0.15))
    if chance.random() < 0.2:
        the_hub.kill()
        counts['kills_hub'] += 1
        start_hub(hub_port)
        time.sleep(chance.uniform(0, 0.1))
    daemon.kill()
    counts['kills_serving'] += 1
    for tablet in tablets:
        tablet.idle.wait()


def start_hub(port):
    global the_hub
    the_hub = Daemon(hub, f'127.0.0.1:{port}')
    return the_hub.wait()


port = start_hub(0)
code = json.loads(subprocess.check_output(
    [program, '-C', hub, 'enrol', 'new', '--facility', 'F1', '--auto', '--json']))['code']
subprocess.check_call([program, '-C', node, 'enrol', code, f'http://127.0.0.1:{port}'],
                      stdout=subprocess.DEVNULL)
tablets = [Tablet(number) for number in range(TABLETS)]
while counts['kills_serving'] + counts['kills_starting'] + counts['kills_hub'] < kills:
    life(tablets, port)
    if counts['lives'] % READ_EVERY == 0:
        read()
read()
subprocess.check_call([program, '-C', node, 'sync'], stdout=subprocess.DEVNULL)
the_hub.kill()
for name, keys in (('acknowledged', acknowledged), ('asked', asked)):
    with open(f'{scratch}/{name}', 'w', encoding='ascii') as out:
        out.writelines(key + '\n' for key in sorted(keys))
print(f'{len(asked)} taps, {len(acknowledged)} acknowledged')
print(' '.join(f'{name}={count}' for name, count in counts.items()))
sys.exit(1 if counts['lost'] + counts['twice'] + counts['phantom'] > 0 else 0)
