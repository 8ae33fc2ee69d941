"""`python -m vta.exec.rpc_server`: an RPC server that carries the accelerator."""

import argparse

from arco_tvm import library, serve
from arco_tvm.errors import ArcoError


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m vta.exec.rpc_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9091, help="first port to try (default: %(default)s)")
    parser.add_argument("--port-end", type=int, default=9199, help="end of the ports (default: %(default)s)")
    parser.add_argument("--key", default="", help="the server's key at the tracker")
    parser.add_argument("--tracker", default="", metavar="HOST:PORT", help="RPC tracker to register with")
    parser.add_argument("--custom-addr", help="the address that the tracker gives to clients")
    args = parser.parse_args(argv)
    found = next((path for path in library.candidates() if path.is_file()), None)
    if found is None:
        raise ArcoError(
            "no-library", "libarco_tvm.so isn't found", "build it, or set ARCO_TVM_LIBRARY to its path"
        )
    command = ["device", "--host", args.host, "--port", str(args.port), "--port-end", str(args.port_end)]
    command += ["--load-library", str(found)]
    if args.tracker:
        command += ["--tracker", args.tracker, "--key", args.key]
    if args.custom_addr:
        command += ["--custom-address", args.custom_addr]
    return serve.main(command)


if __name__ == "__main__":
    raise SystemExit(main())
