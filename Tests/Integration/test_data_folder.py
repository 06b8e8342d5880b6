# SPDX-License-Identifier: Apache-2.0
"""The data folder in the states in which an operator may leave it."""

import os
import subprocess
import uuid

import load
import otlp
import pytest
from server import LISTENERS, eventually

can_mount = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists("/proc/mounts"), reason="mounting a small disk needs root on Linux"
)


@pytest.fixture
def small_disk(folder):
    """mount(MiB) gives a folder on a disk of that size; mounted again with another size it grows."""
    mounted = []

    def mount(size):
        path = folder / "disk"
        path.mkdir(exist_ok=True)
        remount = "remount," if mounted else ""
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"{remount}size={size}m", "tmpfs", path], check=True)
        mounted.append(path)
        return path

    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", mounted[0]], check=True)


def ends_badly(server, *words):
    """The process ends by itself, soon, with an error that has these words."""
    status = server.process.wait(30)
    assert status not in (0, None) and status > 0, f"ended with {status}"
    for word in words:
        assert word.lower() in server.output().lower(), server.output()
    assert "Fatal error" not in server.output()


def test_a_folder_is_made_when_missing(serve):
    server = serve("not/yet/there")
    assert server.data_dir.is_dir()
    assert server.stop() == 0


def test_a_folder_in_use(serve):
    first = serve()
    second = serve(launch_only=True)
    ends_badly(second, str(first.data_dir), "use")
    assert first.get("/healthz").status == 200
    assert first.stop() == 0
    assert serve().stop() == 0


def test_a_port_in_use(serve, binary, folder):
    first = serve()
    port = first.ports["web"]
    done = subprocess.run(
        [
            *(binary, "serve", "--data-dir", folder / "other", "--listen", f"web=127.0.0.1:{port}"),
            *(word for name in LISTENERS if name != "web" for word in ("--listen", f"{name}=off")),
        ],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode > 0
    assert str(port) in done.stdout + done.stderr and "web" in done.stdout + done.stderr


def test_a_path_that_is_a_file(serve, folder):
    (folder / "data").write_text("not a folder")
    ends_badly(serve(launch_only=True), str(folder / "data"))
    assert (folder / "data").read_text() == "not a folder"


@can_mount
def test_a_read_only_folder(serve, small_disk):
    path = small_disk(8)
    subprocess.run(["mount", "-o", "remount,ro", path], check=True)
    server = serve("disk/data", launch_only=True)
    ends_badly(server, str(path))
    subprocess.run(["mount", "-o", "remount,rw", path], check=True)


@can_mount
def test_a_full_disk_refuses_with_a_delay_and_recovers(serve, small_disk):
    small_disk(8)
    server = serve("disk/data")
    marker = uuid.uuid4().hex
    acknowledged, refusal = {}, None
    for _ in range(3000):
        body, ids = load.trace_request(marker, 5, padding=8000)
        answer = server.post(body)
        if answer.status != 200:
            refusal = answer
            break
        acknowledged |= ids
    assert refusal is not None, "8 MiB never filled up"
    assert refusal.status in (429, 503), refusal
    assert int(refusal.headers["retry-after"]) >= 1
    assert otlp.status_message(refusal)
    # Reading goes on, and nothing acknowledged is missing.
    assert server.running()
    load.check_stored(server, marker, acknowledged, [ids])
    assert server.get("/api/skein/v1/status").json["health"] == "degraded"
    with otlp.Grpc(server.otlp_grpc) as client:
        try:
            client.export(load.trace_request("other", 400)[0])
        except Exception as error:
            assert error.code().name in ("UNAVAILABLE", "RESOURCE_EXHAUSTED"), error
    # With room again it takes spans again, by itself.
    small_disk(64)
    eventually(lambda: server.post(otlp.export(otlp.span(otlp.trace_id()))).status == 200, timeout=60)
    eventually(lambda: server.get("/api/skein/v1/status").json["health"] == "ok", timeout=60)
    server.kill()
    server.start()
    load.check_stored(server, marker, acknowledged, [ids])
    assert server.stop() == 0


@can_mount
def test_a_disk_that_is_full_from_the_start(serve, small_disk):
    """A start needs no room: senders are asked to come again, and are welcome once there is some."""
    filler = small_disk(1) / "filler"
    filler.write_bytes(b"x" * (1 << 20))
    server = serve("disk/data")
    body = otlp.export(otlp.span(otlp.trace_id()))
    refusal = server.post(body)
    assert refusal.status == 503 and int(refusal.headers["retry-after"]) >= 1, refusal
    assert "disk is full" in server.get("/api/skein/v1/status").json["problems"][0]
    filler.unlink()
    eventually(lambda: server.post(body).status == 200, timeout=60)
    assert server.stop() == 0


def test_damaged_files_are_set_aside_and_the_rest_is_served(serve):
    """Bytes flipped and files cut short: the server starts, says so, and serves what is whole."""
    server = serve()
    marker = uuid.uuid4().hex
    body, ids = load.trace_request(marker, 20)
    assert server.post(body).status == 200
    assert server.stop() == 0
    files = [f for f in server.data_dir.rglob("*") if f.is_file() and f.stat().st_size > 64]
    assert files
    for file in files:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 0xFF
        damaged = bytes(content)
        whole = file.read_bytes()
        file.write_bytes(damaged)
        server.launch()
        try:
            eventually(lambda: "ready" in server.output() or not server.running(), timeout=60)
            assert "Fatal error" not in server.output(), f"{file.name}: {server.output()[-2000:]}"
            if server.running():
                for trace in server.search_all(f'load.marker = "{marker}"'):
                    assert {s["spanId"] for s in server.otlp_spans(trace["traceId"])} <= ids[trace["traceId"]], (
                        file.name
                    )
                assert server.stop() == 0
            else:
                assert str(file) in server.output() or file.name in server.output(), server.output()
        finally:
            if server.running():
                server.kill()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(whole)
