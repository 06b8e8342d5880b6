#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ingest bench: replays a corpus into a running server and reports what it cost.

  python3 ingest.py --pid PID --data-dir DIR --corpus data/shop.corpus --url http://127.0.0.1:4318/v1/traces --out run.json -- --conns 4

Arguments after -- go to the replayer.  CPU is utime+stime of the server.
"cpu_s_per_m" counts until the server is idle again (flushed, merged), less its
own idle rate measured before the run.
"""
import argparse, json, os, subprocess, sys, time
from lib import calibrate, disk_bytes, proc_cpu, proc_io_written, proc_mem, reset_peak, wait_idle

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--pid", type=int, required=True)
ap.add_argument("--data-dir", action="append", default=[])
ap.add_argument("--corpus", required=True)
ap.add_argument("--url", required=True)
ap.add_argument("--replay", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "replay"))
ap.add_argument("--out", required=True, help="run file for query.py; the results go into it too")
ap.add_argument("--label", default="")
ap.add_argument("--quiet", type=float, default=15, help="seconds of idleness that end the settling")
ap.add_argument("--max-settle", type=float, default=240)
ap.add_argument("--baseline", type=float, default=5, help="seconds over which the idle CPU rate is measured first")
ap.add_argument("rest", nargs=argparse.REMAINDER)
a = ap.parse_args()
rest = a.rest[1:] if a.rest[:1] == ["--"] else a.rest

log = lambda m: print(m, file=sys.stderr, flush=True)
ref = [calibrate()]
c = proc_cpu(a.pid)
time.sleep(a.baseline)
idle_rate = (proc_cpu(a.pid) - c) / a.baseline
reset_peak(a.pid)
rss0, disk0, io0, c0, t0 = proc_mem(a.pid)["VmRSS"], disk_bytes(a.data_dir), proc_io_written(a.pid), proc_cpu(a.pid), time.time()
p = subprocess.run([a.replay, "--corpus", a.corpus, "--url", a.url, "--out", a.out, *rest], stdout=subprocess.PIPE, text=True)
c1, t1 = proc_cpu(a.pid), time.time()
ref.append(calibrate())
if p.returncode not in (0, 1):
    sys.exit(f"the replayer failed: {p.returncode}")
log(p.stdout.strip())
disk1, mem1 = disk_bytes(a.data_dir), proc_mem(a.pid)
settle = wait_idle(a.pid, a.data_dir, a.quiet, a.max_settle, max(0.04, idle_rate * 1.5), log)
c2, t2 = proc_cpu(a.pid), time.time()
disk2, mem2 = disk_bytes(a.data_dir), proc_mem(a.pid)
with open(a.out) as f:
    run = json.load(f)
n = run["spans"] or 1
run["server"] = {
    "label": a.label, "calibration_cpu_s": ref, "load_avg": os.getloadavg()[0], "idle_cores_before": round(idle_rate, 4),
    "cpu_s_sending": round(c1 - c0, 2), "cpu_s_until_idle": round(c2 - c0, 2),
    "cpu_s_per_m": round((c2 - c0 - idle_rate * (t2 - t0)) / n * 1e6, 2),
    "cpu_s_per_m_sending": round((c1 - c0) / n * 1e6, 2),
    "spans_per_s": run["spans_per_s"], "spans_per_cpu_s": round(n / max(c2 - c0, 0.01)),
    "settle_s": round(settle, 1), "rss_before": rss0, "rss_peak": mem2["VmHWM"], "rss_after": mem2["VmRSS"],
    "disk_bytes_at_end_of_send": disk1 - disk0, "disk_bytes_idle": disk2 - disk0,
    "disk_bytes_per_span": round((disk2 - disk0) / n, 1), "written_bytes_per_span": round((proc_io_written(a.pid) - io0) / n, 1),
}
with open(a.out, "w") as f:
    json.dump(run, f, indent=1)
print(json.dumps(run["server"], indent=1))
