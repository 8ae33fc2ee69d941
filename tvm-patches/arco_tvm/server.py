"""An ordinary TVM RPC server in this very process, which survives what kills TVM's own.

TVM's listening thread ends with the first session whose process crashes, while the port stays open: every
later connection then hangs. Here a crashed session is logged and the next one is served.
"""

import ctypes
import errno
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

from tvm.rpc import server as tvm_server

logger = logging.getLogger("arco_tvm.server")

_PR_SET_PDEATHSIG = 1
#: A listening thread that dies more often than this within ten seconds isn't started again.
_MAX_RESTARTS = 20
_MAX_COLLISIONS = 20
#: Seconds that a tracker may take to connect or to answer: one that is silent for longer is asked again.
_TRACKER_ANSWERS = 10
#: Seconds after which a tracker is looked for again that is not there.
_TRACKER_PAUSE = 2
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass
class Address:
    """Where to listen and whom to tell: the first free port of [port, port_end)."""

    host: str = "127.0.0.1"
    port: int = 9091
    port_end: int = 9199
    tracker: tuple[str, int] | None = None
    key: str = ""
    custom_address: str | None = None


class Server:
    """A TVM RPC server: one session at a time, each in a process forked from this one.

    What is imported and registered before `start` is there in every session at no cost.
    """

    def __init__(self, address: Address, load_library: str | None = None):
        self.address = address
        self._load_library = load_library
        self._state: tvm_server.PopenRPCServerState | None = None
        self._thread: threading.Thread | None = None
        self._restarts: list[float] = []

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._state.port

    def start(self) -> None:
        """Bind and listen.

        # Errors
        OSError or ValueError if no port of the range can be bound.
        """
        multiprocessing.set_start_method("fork", force=True)
        os.register_at_fork(after_in_child=_in_session)
        tvm_server._serving = _surviving(tvm_server._serving)
        tvm_server.base.connect_with_retry = _tracker_connection
        self._state = self._listen()
        self._thread = self._state.thread

    def _listen(self) -> tvm_server.PopenRPCServerState:
        a = self.address
        for _ in range(_MAX_COLLISIONS):
            try:
                return tvm_server.PopenRPCServerState(
                    a.host,
                    a.port,
                    a.port_end,
                    tracker_addr=a.tracker,
                    key=a.key,
                    load_library=self._load_library,
                    custom_addr=a.custom_address,
                )
            except OSError as exc:
                # TVM binds with SO_REUSEADDR: two servers that start at once can bind the same port, and only
                # the first may listen. The next attempt finds that port taken.
                if exc.errno != errno.EADDRINUSE:
                    raise
        taken = f"others were first at {_MAX_COLLISIONS} ports of [{a.port}, {a.port_end})"
        raise OSError(errno.EADDRINUSE, taken)

    def watch(self) -> None:
        """Wait for ever, and start the listening thread again whenever it dies.

        Returns only if it dies again and again.
        """
        folder = os.getcwd()
        while True:
            self._thread.join()
            now = time.monotonic()
            self._restarts = [t for t in self._restarts if now - t < 10] + [now]
            if len(self._restarts) > _MAX_RESTARTS:
                logger.error("the listening thread died %d times in 10 s: giving up", len(self._restarts))
                return
            logger.warning("the listening thread died: listening on port %d again", self.port)
            # The socket is still open, and clients may be waiting in its queue: go on with the same one.
            os.chdir(folder)
            a = self.address
            self._thread = threading.Thread(
                target=tvm_server._listen_loop,
                args=(self._state.sock, self.port, a.key, a.tracker, self._load_library, a.custom_address),
            )
            self._thread.start()


class Lifetime:
    """The end of a server process: signals, the owner's death, and what is cleaned up then."""

    def __init__(self, owned: bool):
        self._owned = owned
        self._ending = threading.Lock()
        # Everything temporary, also of sessions that are killed, is in one folder that goes with the server.
        self.folder = tempfile.mkdtemp(prefix="arco-")
        tempfile.tempdir = os.environ["TMPDIR"] = self.folder
        if owned and os.getpgrp() != os.getpid():
            os.setpgid(0, 0)
        for number in _SIGNALS:
            # What was ignored at the start (nohup) stays so.
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda number, _: self.end(f"got {signal.Signals(number).name}"))

    def end(self, reason: str, code: int = 0) -> None:
        """End the process with everything that it started. Does not return."""
        if not self._ending.acquire(blocking=False):
            return
        logger.info("ending: %s", reason)
        for child in multiprocessing.active_children():
            child.kill()
        if self._owned:
            _terminate_group()
        shutil.rmtree(self.folder, ignore_errors=True)
        sys.stderr.flush()
        # The listening thread sits in accept() and would keep an orderly exit waiting.
        os._exit(code)


def _terminate_group() -> None:
    """SIGTERM to every other process of our process group (compilers that a session had started)."""
    group, own = os.getpgrp(), os.getpid()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != own:
            try:
                if os.getpgid(int(name)) == group:
                    os.kill(int(name), signal.SIGTERM)
            except OSError:
                continue


def _in_session() -> None:
    """What a forked session needs: to die of signals, and with its server."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _tracker_connection(address: tuple[str, int]) -> socket.socket:
    """A connection to the tracker, however long it takes to have one.

    TVM's has no time limit: a server whose network was cut waits for an answer on a connection that is gone,
    a quarter of an hour or for ever, and is lost to the farm meanwhile. When an answer is late here, TVM's
    loop closes the connection, comes back, and registers the server anew. Where there is no network at all,
    TVM's loop spins.
    """
    while True:
        try:
            return socket.create_connection(address, timeout=_TRACKER_ANSWERS)
        except OSError as exc:
            logger.warning("no tracker at %s:%d: %s; looking again", *address, exc)
            time.sleep(_TRACKER_PAUSE)


def _surviving(serving):
    """TVM's `_serving` with the end of a session, however it came, as an event and not an exception."""

    def wrapper(sock, addr, opts, load_library):
        folder = os.getcwd()
        try:
            serving(sock, addr, opts, load_library)
        except Exception as exc:
            logger.warning("session of %s:%s ended badly: %s", *addr[:2], exc)
        finally:
            # TVM leaves its working directory and the client's socket behind in that case.
            os.chdir(folder)
            sock.close()

    return wrapper
