import gc
import json
import os
import signal
import socket
import struct
import threading
import time

import numpy as np
import psutil
import pytest
import tvm
from server_process import Process, wait_until
from tvm import rpc
from tvm.rpc.tracker import Tracker

from arco_tvm.description import create_task

BAD = ("--import", "server_functions", "--quiet")


def call(session, name: str, *args) -> dict:
    return json.loads(session.get_function(name)(*args))


def connect(server, timeout: int = 0):
    """Connect, and fail instead of hanging if nobody answers."""
    # A session of an earlier test that is garbage but not collected yet would keep the server busy.
    gc.collect()
    found = []
    thread = threading.Thread(
        target=lambda: found.append(rpc.connect("127.0.0.1", server.port, session_timeout=timeout)),
        daemon=True,
    )
    thread.start()
    thread.join(10)
    assert found, "the server accepts the connection and never answers"
    return found[0]


@pytest.fixture(scope="module")
def port():
    """Ports below the range that the kernel hands out for outgoing connections."""
    return iter(range(19100, 19900, 20))


@pytest.fixture(scope="module")
def builder(port, tmp_path_factory):
    """One builder for the tests that it survives: all that do their worst to a session."""
    process = Process(tmp_path_factory.mktemp("builder"), "builder", "--port", str(next(port)), *BAD)
    yield process
    process.end()


def test_a_builder_builds_what_a_device_runs(builder, serve, port, conv_task, tmp_path):
    device = serve("device", "--port", str(next(port)))
    assert (builder.ready["role"], device.ready["role"]) == ("builder", "device")
    assert "cpu" in call(connect(device), "arco.version")["runtimes"]
    session = connect(builder)
    task = create_task(conv_task)
    answer = call(
        session,
        "arco.build",
        json.dumps(conv_task),
        json.dumps(task.config_space.get(7).to_json_dict()),
        "{}",
    )
    library = session.get_function("arco.fetch")(answer["token"])
    assert len(library) == answer["size"]
    (tmp_path / "kernel.so").write_bytes(library)

    remote = connect(device)
    remote.upload(str(tmp_path / "kernel.so"))
    module = remote.load_module("kernel.so")
    args = [tvm.nd.empty(a["shape"], a["dtype"], remote.cpu()) for a in answer["args"]]
    for arg in args:
        remote.get_function("tvm.contrib.random.random_fill")(arg)
    timer = module.time_evaluator(answer["func"], remote.cpu(), number=2, repeat=3)
    assert all(0 < seconds < 1 for seconds in timer(*args).results)
    assert np.isfinite(args[2].numpy()).all()


def test_errors_arrive_as_values_with_a_hint(builder):
    session = connect(builder)
    answer = call(session, "arco.tasks", json.dumps({"model": "resnet18", "target": "llvm"}))
    assert (answer["ok"], answer["kind"]) == (False, "unknown-model")
    assert "resnet-18" in answer["hint"]
    assert call(session, "arco.tasks", "{")["kind"] == "bad-request"
    assert call(session, "arco.build", "[]", "null", "{}")["kind"] == "bad-request"
    assert call(session, "arco.target", "lvm")["kind"] == "unknown-target"


def test_a_frontend_answers_about_itself_targets_and_tasks(serve, port, conv_task):
    session = connect(serve("frontend", "--port", str(next(port))))
    version = call(session, "arco.version")
    assert version["tvm"] == "0.19.0" and "llvm" in version["codegens"]
    assert call(session, "arco.host_cpu")["host_cpu"] == version["host_cpu"] != "native"
    target = call(session, "arco.target", "llvm -mcpu=native")
    assert target["mcpu"] == version["host_cpu"]
    tasks = call(session, "arco.tasks", json.dumps({"model": "mlp", "target": target["target"]}))["tasks"]
    assert sum(task["weight"] for task in tasks if task["name"] == "dense_nopack.x86") == 3
    assert call(session, "arco.filter", json.dumps(conv_task), "[0, 1]")["valid"] == [True, True]
    assert call(session, "arco.filter", json.dumps(conv_task), "[400]")["kind"] == "bad-request"


def test_a_session_that_segfaults_costs_that_session_only(builder):
    for _ in range(3):
        session = connect(builder)
        with pytest.raises(tvm.TVMError):
            session.get_function("test.segfault")()
        del session
    start = time.monotonic()
    assert call(connect(builder), "arco.version")["ok"]
    assert time.monotonic() - start < 2
    assert "error code -11" in builder.stderr()


def test_a_session_over_its_time_is_killed_and_the_next_one_served(builder):
    session = connect(builder, timeout=1)
    pid = session.get_function("arco.pid")()
    with pytest.raises(tvm.TVMError):
        session.get_function("test.sleep")(60)
    del session
    assert call(connect(builder), "arco.version")["ok"]
    assert wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")


def test_a_hung_session_can_be_killed_by_its_process_id(builder):
    session = connect(builder)
    pid = session.get_function("arco.pid")()
    assert pid != builder.ready["pid"]
    threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(tvm.TVMError):
        session.get_function("test.sleep")(60)
    del session
    assert call(connect(builder), "arco.version")["ok"]


def test_bytes_that_are_not_the_protocol_do_not_stop_a_server(builder):
    for key in (b"\xff\xfe", b"", b"client:nobody"):
        with socket.create_connection(("127.0.0.1", builder.port)) as stranger:
            stranger.sendall(struct.pack("<ii", 0xFF271, len(key)) + key)
            stranger.settimeout(2)
            stranger.recv(64)
    assert call(connect(builder), "arco.version")["ok"]
    assert "listening on port" in builder.stderr()


def test_a_server_ends_with_its_owner_and_leaves_nothing_behind(serve, port):
    server = serve("builder", "--port", str(next(port)), *BAD)
    session = connect(server)
    pid = session.get_function("arco.pid")()
    assert list(server.temporary.iterdir()), "the session has a folder"
    server.end()
    assert server.process.returncode == 0
    assert wait_until(lambda: not psutil.pid_exists(pid))
    assert not list(server.temporary.iterdir())


def test_sigterm_ends_a_server_without_an_owner(serve, port):
    server = serve("device", "--port", str(next(port)), owned=False)
    server.process.terminate()
    assert server.process.wait(5) == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()


def test_a_killed_server_takes_its_session_with_it(serve, port):
    server = serve("builder", "--port", str(next(port)), *BAD)
    session = connect(server)
    pid = session.get_function("arco.pid")()
    server.process.kill()
    server.process.wait()
    assert wait_until(lambda: not psutil.pid_exists(pid))


def test_a_taken_port_means_the_next_one_and_no_free_port_an_error(serve, port):
    first = next(port)
    one = serve("device", "--port", str(first))
    two = serve("device", "--port", str(first))
    assert (one.port, two.port) == (first, first + 1)
    with pytest.raises(AssertionError, match="cannot listen"):
        serve("device", "--port", str(first), "--port-end", str(first + 2))


def test_a_port_that_another_server_was_quicker_to_listen_on_means_the_next_one(serve, port):
    first = next(port)
    assert serve("builder", "--port", str(first), "--import", "raced_port").port == first + 1


def test_standard_output_carries_the_ready_line_and_nothing_else(serve, port):
    server = serve("builder", "--port", str(next(port)), *BAD)
    connect(server).get_function("test.print")("hello from a session")
    assert server.end() == ""
    assert "hello from a session" in server.stderr()


def test_a_server_listens_on_this_machine_only_unless_told(serve, port):
    server = serve("device", "--port", str(next(port)))
    addresses = {
        c.laddr.ip for c in psutil.Process(server.ready["pid"]).net_connections() if c.status == "LISTEN"
    }
    assert addresses == {"127.0.0.1"}
    open_one = serve("device", "--port", str(next(port)), "--host", "0.0.0.0")
    assert "can run code" in open_one.stderr()


def test_a_builder_at_a_tracker_is_found_by_its_key_again_and_again(serve, port):
    tracker = Tracker(host="127.0.0.1", port=next(port), port_end=next(port), silent=True)
    try:
        address = f"127.0.0.1:{tracker.port}"
        serve("builder", "--port", str(next(port)), "--tracker", address, "--key", "arco-builder", *BAD)
        client = rpc.connect_tracker("127.0.0.1", tracker.port)
        session = client.request("arco-builder", session_timeout=20)
        assert call(session, "arco.version")["ok"]
        with pytest.raises(tvm.TVMError):
            session.get_function("test.segfault")()
        del session
        again = client.request("arco-builder", session_timeout=20)
        assert call(again, "arco.version")["ok"]
    finally:
        tracker.terminate()


def answer(connection: socket.socket, value) -> list:
    """Take a question as a tracker does, answer it, and return the question."""
    length = struct.unpack("<i", connection.recv(4, socket.MSG_WAITALL))[0]
    question = json.loads(connection.recv(length, socket.MSG_WAITALL))
    text = json.dumps(value).encode()
    connection.sendall(struct.pack("<i", len(text)) + text)
    return question


def test_a_device_whose_tracker_falls_silent_registers_anew(serve, port):
    # A network that is cut looks like that: the connection is there, and nothing comes.
    with socket.create_server(("127.0.0.1", 0)) as tracker:
        tracker.settimeout(30)
        address = f"127.0.0.1:{tracker.getsockname()[1]}"
        serve("device", "--port", str(next(port)), "--tracker", address, "--key", "board")
        connections = []
        for _ in range(2):
            connection, _ = tracker.accept()
            connections.append(connection)
            connection.sendall(connection.recv(4, socket.MSG_WAITALL))
            assert answer(connection, 0)[1]["key"] == "server:board"
            assert answer(connection, 0)[1] == "board"
        for connection in connections:
            connection.close()
