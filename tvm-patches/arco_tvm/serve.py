"""`python -m arco_tvm.serve builder|device|frontend`: one TVM RPC server with a role.

When it listens, it prints one line of JSON on standard output (`{"port", "pid", "role", "host", "tvm"}`);
everything else that it or TVM says goes to standard error. SIGTERM ends it; with `--owned` so does the end of
standard input. Whoever can connect to its port can run code in it: it listens on
127.0.0.1 unless told otherwise.
"""

import argparse
import gc
import importlib
import json
import logging
import os
import sys
import threading

ROLES = ("builder", "device", "frontend")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m arco_tvm.serve", description=__doc__)
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9091, help="first port to try (default: %(default)s)")
    parser.add_argument("--port-end", type=int, help="end of the ports to try (default: 200 above the first)")
    parser.add_argument("--tracker", metavar="HOST:PORT", help="RPC tracker to register with")
    parser.add_argument("--key", default="", help="the server's key at the tracker")
    parser.add_argument("--custom-address", help="the address that the tracker gives to clients")
    parser.add_argument("--load-library", help="libraries to load in each session, separated by ':'")
    parser.add_argument(
        "--import", dest="imports", action="append", default=[], metavar="MODULE", help="import this first"
    )
    parser.add_argument("--cores", type=cores, metavar="LIST", help="cores to run on, for example 0,2-3")
    parser.add_argument("--owned", action="store_true", help="end when standard input does")
    parser.add_argument("--quiet", action="store_true", help="only warnings on standard error")
    args = parser.parse_args(argv)
    if args.tracker:
        host, _, port = args.tracker.rpartition(":")
        if not host or not port.isdigit():
            parser.error(f"--tracker takes HOST:PORT, not {args.tracker!r}")
        if not args.key:
            parser.error("--tracker needs --key")
        args.tracker = (host, int(port))
    return args


def cores(text: str) -> set[int]:
    """The cores of a list such as `0,2-3`."""
    chosen: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        chosen |= set(range(int(first), int(last or first) + 1))
    return chosen


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop; returns 1 if it cannot."""
    args = parse(argv)
    if args.cores:
        # Before TVM is imported: its threads, and sessions and compilers that start from here, stay on these.
        os.sched_setaffinity(0, args.cores)
        os.environ["TVM_NUM_THREADS"] = str(len(args.cores))
    owner = _Owner() if args.owned else None
    # The line on standard output is a protocol: keep it for us, and send whatever else is printed to stderr.
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING if args.quiet else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logger = logging.getLogger("arco_tvm.serve")
    if args.host not in ("127.0.0.1", "localhost", "::1"):
        logger.warning("listening on %s: whoever reaches this port can run code on this machine", args.host)

    import tvm
    from tvm.rpc import server as tvm_server

    from arco_tvm import compat  # noqa: F401
    from arco_tvm.errors import ArcoError
    from arco_tvm.server import Address, Lifetime, Server

    tvm_server.logger.setLevel(logging.ERROR if args.quiet else logging.INFO)
    lifetime = Lifetime(args.owned)
    if owner:
        owner.end = lambda: lifetime.end("the owner is gone")
    for name in args.imports:
        importlib.import_module(name)
    try:
        _prepare(args.role)
    except ArcoError as exc:
        lifetime.end(f"{exc.text}; {exc.hint}", 1)
    address = Address(
        args.host,
        args.port,
        args.port_end or min(args.port + 200, 65536),
        args.tracker,
        args.key,
        args.custom_address,
    )
    server = Server(address, args.load_library)
    # Objects that exist now are never looked at by a session's garbage collector: their pages stay shared.
    gc.collect()
    gc.freeze()
    try:
        server.start()
    except (OSError, ValueError) as exc:
        logger.error("cannot listen on %s:%d: %s", args.host, args.port, exc)
        lifetime.end("no port", 1)
    about = {
        "port": server.port,
        "pid": os.getpid(),
        "role": args.role,
        "host": args.host,
        "tvm": tvm.__version__,
    }
    print(json.dumps(about), file=ready, flush=True)
    server.watch()
    lifetime.end("cannot listen", 1)
    return 1


class _Owner:
    """Whoever started this server holds the other end of standard input: when that closes, the server ends.

    Watched from the first moment, as importing TVM takes seconds in which the owner can be killed.
    """

    def __init__(self):
        self.end = lambda: os._exit(0)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while os.read(0, 4096):
            pass
        self.end()


def _prepare(role: str) -> None:
    """Import and do once what each session would do again: sessions are forked from this process."""
    from arco_tvm import functions

    if role == "device":
        functions.register(functions.ABOUT)
        return
    from arco_tvm import builder, link

    functions.register(functions.FUNCTIONS)
    if role == "frontend":
        from arco_tvm import frontend, verify  # noqa: F401
    else:
        builder.warm_up()
        link.ld_works()


if __name__ == "__main__":
    sys.exit(main())
