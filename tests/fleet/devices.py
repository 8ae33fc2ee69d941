"""Many device servers at once: `python devices.py TRACKER_PORT KEY COUNT`.

TVM is imported once, then one process is forked for each server; what they have in common stays in shared memory. Each
is the server that `python -m arco_tvm.serve device` runs. All end when standard input does.
"""

import ctypes
import gc
import os
import signal
import sys


def serve(port: int, tracker: int, key: str) -> None:
    from arco_tvm import functions
    from arco_tvm.server import Address, Server

    functions.register(functions.ABOUT)
    server = Server(Address("127.0.0.1", port, port + 400, ("127.0.0.1", tracker), key))
    server.start()
    server.watch()


def main(tracker: int, key: str, count: int) -> None:
    from tvm.rpc import server as tvm_server

    import arco_tvm.compat  # noqa: F401

    tvm_server.logger.setLevel("ERROR")
    gc.collect()
    gc.freeze()
    for number in range(count):
        if os.fork() == 0:
            os.setpgid(0, 0)
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            os.close(0)
            serve(11000 + 3 * number, tracker, key)
            os._exit(1)
    print("ready", flush=True)
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
