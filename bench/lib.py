# SPDX-License-Identifier: Apache-2.0
"""Shared helpers: process counters, HTTP over one kept connection, corpus truth."""
import hashlib, http.client, json, os, random, time, urllib.parse, zlib

HZ = os.sysconf("SC_CLK_TCK")


def proc_cpu(pid):
    """CPU seconds (user + system) a process has used, its threads included."""
    with open(f"/proc/{pid}/stat") as f:
        rest = f.read().rsplit(")", 1)[1].split()
    return (int(rest[11]) + int(rest[12])) / HZ


def proc_mem(pid):
    out = {}
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(("VmHWM", "VmRSS")):
                out[line.split(":")[0]] = int(line.split()[1]) * 1024
    return out


def reset_peak(pid):
    """Restarts VmHWM at the present RSS (needs the same user or root)."""
    try:
        with open(f"/proc/{pid}/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass


def disk_bytes(paths):
    """Allocated bytes under the given folders."""
    total = 0
    for p in paths:
        for d, _, files in os.walk(p):
            for n in files:
                try:
                    total += os.lstat(os.path.join(d, n)).st_blocks * 512
                except OSError:
                    pass
    return total


def proc_io_written(pid):
    with open(f"/proc/{pid}/io") as f:
        for line in f:
            if line.startswith("write_bytes"):
                return int(line.split()[1])


class Http:
    """One keep-alive connection to http://host:port."""

    def __init__(self, base, timeout=120):
        u = urllib.parse.urlsplit(base)
        self.host, self.prefix, self.timeout = u.netloc, u.path.rstrip("/"), timeout
        self.c = None

    def __call__(self, path, method="GET", body=None, headers=None):
        for last in (False, True):
            if self.c is None:
                self.c = http.client.HTTPConnection(self.host, timeout=self.timeout)
            try:
                self.c.request(method, self.prefix + path, body=body, headers=headers or {"Accept": "application/json"})
                r = self.c.getresponse()
                return r.status, r.read()
            except (http.client.HTTPException, ConnectionError):
                self.c.close()
                self.c = None
                if last:
                    raise


def xor_key(tid_hex, key_hex):
    """The trace id that a replay pass with this key gives a corpus trace id."""
    k = int(key_hex, 16).to_bytes(8, "little")
    b = bytes.fromhex(tid_hex)
    return (bytes(x ^ y for x, y in zip(b, k)) + b[8:]).hex()


def load_truth(path, run):
    """(meta, traces) with ids and times as they were sent in every pass of the run."""
    with open(path) as f:
        meta = json.loads(f.readline())
        rows = [json.loads(line) for line in f]
    traces = []
    for p in run["passes"]:
        for t in rows:
            traces.append({**t, "id": xor_key(t["id"], p["key"]), "t": t["t"] + p["base_ns"]})
    return meta, traces


def quantile(xs, q):
    xs = sorted(xs)
    return xs[min(len(xs) - 1, int(q * len(xs)))]


def wait_idle(pid, dirs, quiet=15.0, most=240.0, cores=0.04, log=None):
    """Waits until the process used under `cores` CPU for `quiet` seconds. Returns seconds waited."""
    t0 = time.time()
    marks = [(t0, proc_cpu(pid))]
    while time.time() - t0 < most:
        time.sleep(1)
        marks.append((time.time(), proc_cpu(pid)))
        old = [m for m in marks if m[0] <= marks[-1][0] - quiet]
        if log and len(marks) % 10 == 0:
            log(f"settling {marks[-1][0] - t0:.0f} s, cpu {marks[-1][1]:.1f} s, disk {disk_bytes(dirs) / 1e6:.0f} MB")
        if old and (marks[-1][1] - old[-1][1]) / (marks[-1][0] - old[-1][0]) < cores:
            return marks[-1][0] - t0
    return time.time() - t0


def calibrate():
    """CPU seconds of a fixed piece of work: how slow this machine is right now
    (a busy neighbour inflates CPU seconds too). Compare runs by the ratio."""
    r = random.Random(1)
    words = [r.randbytes(r.randrange(2, 9)).hex().encode() for _ in range(3000)]
    data = b" ".join(words[int(3000 * r.random() ** 3)] for _ in range(300_000))
    t = time.process_time()
    for level in (1, 6):
        zlib.compress(data, level)
    for _ in range(20):
        hashlib.sha256(data).digest()
    d = {}
    for w in data.split():
        d[w] = d.get(w, 0) + 1
    return round(time.process_time() - t, 3)
