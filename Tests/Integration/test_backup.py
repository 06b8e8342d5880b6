# SPDX-License-Identifier: Apache-2.0
"""Backups of a folder in use, what a restore brings back, and what a look from outside says of folders good and bad."""

import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import load
import pytest
from server import Server, eventually
from test_command import ESCAPE, in_terminal


class Sending(threading.Thread):
    """Sends traces one request after the other until told to stop; `acknowledged` are those that were taken."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.acknowledged, self.stopped = server, {}, threading.Event()
        self.start()

    def run(self):
        while not self.stopped.is_set():
            body, ids = load.trace_request("backup", 20)
            if self.server.post(body).status == 200:
                self.acknowledged |= ids
            time.sleep(load.PAUSE)

    def stop(self):
        self.stopped.set()
        self.join()


@pytest.fixture(scope="module")
def template(binary):
    """A folder after a clean stop, with a block and with spans in the log. The block takes a quarter of a minute to
    come, so it is made once."""
    with tempfile.TemporaryDirectory(prefix="skein-") as path:
        with Server(binary, Path(path) / "data") as server:
            words = ["load", "--endpoint", server.otlp_http, "--traces", "600", "--rate", "0", "--seed", "7"]
            subprocess.run([binary, *words], check=True, stdout=subprocess.DEVNULL)
            eventually(lambda: list((server.data_dir / "blocks").glob("*.block")), timeout=60, every=0.5)
            body, _ = load.trace_request("filled", 20)
            assert server.post(body).status == 200
        yield server.data_dir


@pytest.fixture
def filled(template, folder):
    """A copy of it for one test."""
    return Path(shutil.copytree(template, folder / "data"))


def test_a_backup_beside_a_busy_server_has_all_that_was_acknowledged(serve, run, folder):
    server = serve()
    sending = Sending(server)
    busy = subprocess.Popen(
        [server.binary, "load", "--endpoint", server.otlp_http, "--seconds", "60", "--rate", "4000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    backups = []
    try:
        for number, flags in enumerate([[], ["--copy"]]):
            time.sleep(2)
            before = dict(sending.acknowledged)
            done = run("backup", "--data-dir", server.data_dir, "--to", folder / f"backup-{number}", *flags)
            assert done.returncode == 0, done.stderr
            assert re.fullmatch(
                r"Backed up .* \d+ files? \(.*\) linked, [\d,]+ files? \(.*\) copied\.\n", done.stdout
            ), done.stdout
            backups.append((folder / f"backup-{number}", before))
            checked = run("verify", "--data-dir", server.data_dir)
            assert checked.returncode == 0, checked.stdout + checked.stderr
    finally:
        busy.kill()
        busy.wait()
        sending.stop()
    assert server.stop() == 0
    for number, (backup, before) in enumerate(backups):
        assert len(before) > 20
        checked = run("verify", "--data-dir", backup)
        assert checked.returncode == 0, checked.stdout
        target = folder / f"restored-{number}"
        done = run("restore", backup, "--data-dir", target)
        assert done.returncode == 0, done.stderr
        again = serve(target.name)
        found = {trace["traceId"]: trace["spanCount"] for trace in again.search_all('load.marker = "backup"')}
        assert {trace: found.get(trace) for trace in before} == dict.fromkeys(before, load.SPANS)
        for trace in list(before)[:10] + list(before)[-10:]:
            assert {span["spanId"] for span in again.otlp_spans(trace)} == before[trace]
        assert again.stop() == 0


def test_blocks_are_linked_and_not_copied(run, filled, folder):
    assert run("backup", "--data-dir", filled, "--to", folder / "b").returncode == 0
    [block] = (filled / "blocks").iterdir()
    assert (folder / "b" / "blocks" / block.name).stat().st_ino == block.stat().st_ino
    assert (folder / "b" / "catalog").stat().st_ino != (filled / "catalog").stat().st_ino
    assert run("restore", folder / "b", "--data-dir", folder / "r").returncode == 0
    assert (folder / "r" / "blocks" / block.name).stat().st_ino != block.stat().st_ino


def test_what_is_there_is_not_written_over(run, filled, folder):
    (folder / "there").mkdir()
    done = run("backup", "--data-dir", filled, "--to", folder / "there")
    assert done.returncode == 1 and "is there already" in done.stderr
    assert run("backup", "--data-dir", filled, "--to", folder / "b").returncode == 0
    done = run("restore", folder / "b", "--data-dir", filled)
    assert done.returncode == 1 and "not empty" in done.stderr
    done = run("restore", folder / "there", "--data-dir", folder / "r")
    assert done.returncode == 1 and "no backup" in done.stderr
    assert not (folder / "r").exists()


def test_a_damaged_backup_is_not_restored(run, filled, folder):
    assert run("backup", "--data-dir", filled, "--to", folder / "b", "--copy").returncode == 0
    [block] = (folder / "b" / "blocks").iterdir()
    content = bytearray(block.read_bytes())
    content[len(content) // 2] ^= 4
    block.write_bytes(content)
    done = run("restore", folder / "b", "--data-dir", folder / "r")
    assert done.returncode == 1
    assert f"checksum of blocks/{block.name} does not match" in done.stderr
    assert not (folder / "r").exists()
    done = run("verify", "--data-dir", folder / "b")
    assert done.returncode == 1 and "not what the manifest says" in done.stdout


def test_a_backup_is_not_served(run, filled, folder, binary):
    assert run("backup", "--data-dir", filled, "--to", folder / "b").returncode == 0
    server = Server(binary, folder / "b", log=folder / "log").launch()
    assert server.process.wait(30) == 1
    assert "skein restore" in server.output()


def test_verify_of_a_good_folder(run, filled):
    before = {path: path.read_bytes() for path in filled.rglob("*") if path.is_file()}
    done = run("verify", "--data-dir", filled)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("No damage.\n")
    answer = json.loads(run("verify", "--data-dir", filled, "--json").stdout)
    assert answer["good"] and answer["findings"] == []
    assert answer["bytes"] == sum(map(len, before.values()))
    assert {path: path.read_bytes() for path in filled.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", ["catalog", "log/*.log", "blocks/*.block"])
def test_verify_of_a_damaged_folder(run, filled, kind):
    [path] = filled.glob(kind)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    done = run("verify", "--data-dir", filled)
    assert done.returncode == 1, done.stdout
    assert str(path.relative_to(filled)) in done.stdout and "The next start" in done.stdout
    answer = json.loads(run("verify", "--data-dir", filled, "--json").stdout)
    [finding] = answer["findings"]
    assert finding["damage"] and finding["file"] == str(path.relative_to(filled)) and not answer["good"]


def test_verify_where_there_is_nothing(run, folder):
    for path in [folder, folder / "nowhere"]:
        done = run("verify", "--data-dir", path)
        assert done.returncode == 2 and str(path) in done.stderr


def test_the_list_of_blocks(run, filled, binary):
    done = run("blocks", "--data-dir", filled)
    assert done.returncode == 0 and ESCAPE not in done.stdout
    heading, row = done.stdout.splitlines()
    assert heading.split()[:5] == ["BLOCK", "GEN", "SPANS", "TRACES", "BYTES"]
    assert row.startswith("1-")
    # Numbers stand below the end of their heading.
    assert row[: heading.index("SPANS") + 5].split()[-1].replace(",", "").isdigit()
    [block] = json.loads(run("blocks", "--data-dir", filled, "--json").stdout)["blocks"]
    assert block["bytes"] == (filled / "blocks" / block["file"]).stat().st_size
    status, shown = in_terminal([binary, "blocks", "--data-dir", filled], columns=80)
    assert status == 0 and ESCAPE in shown


def test_the_columns_of_a_block(run, filled):
    [block] = json.loads(run("blocks", "--data-dir", filled, "--json").stdout)["blocks"]
    done = run("blocks", "--data-dir", filled, block["segments"])
    assert done.returncode == 0
    for word in ["span id", "parent", "filters: values", "ATTRIBUTE", "span: user.id", "bytes a span"]:
        assert word in done.stdout
    details = json.loads(run("blocks", "--data-dir", filled, block["file"], "--json").stdout)
    assert sum(part["storedBytes"] for part in details["columns"]) == block["bytes"]
    done = run("blocks", "--data-dir", filled, "99-99")
    assert done.returncode == 1 and "no block 99-99" in done.stderr
