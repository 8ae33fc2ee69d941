"""`python -m vta.exec.rpc_server`: an RPC server that carries the accelerator."""

import argparse
import json
import sys
from pathlib import Path

from arco_tvm import serve
from arco_tvm.errors import ArcoError


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line: that of the old server, and `--config`."""
    parser = argparse.ArgumentParser(prog="python -m vta.exec.rpc_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9091, help="first port to try (default: %(default)s)")
    parser.add_argument("--port-end", type=int, help="end of the ports to try (default: 200 above the first)")
    parser.add_argument("--key", default="", help="the server's key at the tracker")
    parser.add_argument("--tracker", default="", metavar="HOST:PORT", help="RPC tracker to register with")
    parser.add_argument("--custom-addr", help="the address that the tracker gives to clients")
    parser.add_argument(
        "--config", metavar="GEOMETRY", help="what sessions begin with: a vta_config.json, a preset or a name"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop."""
    args = parse(argv)
    try:
        _configure(args.config)
    except (ValueError, OSError, ArcoError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    command = ["device", "--host", args.host, "--port", str(args.port)]
    for option, value in (
        ("--port-end", args.port_end),
        ("--tracker", args.tracker),
        ("--key", args.key),
        ("--custom-address", args.custom_addr),
    ):
        if value:
            command += [option, str(value)]
    return serve.main(command)


def _configure(text: str | None) -> None:
    """Load the simulator and set its geometry: sessions are forked from this process."""
    from vta.environment import Environment, get_env
    from vta.testing import simulator

    if not simulator.enabled():
        raise ArcoError(
            "no-library", "libarco_tvm.so isn't found", "build it, or set ARCO_TVM_LIBRARY to its path"
        )
    if text is None:
        simulator.configure(get_env())
        return
    path = Path(text)
    simulator.configure(Environment(json.loads(path.read_text()) if path.is_file() else text))


if __name__ == "__main__":
    raise SystemExit(main())
