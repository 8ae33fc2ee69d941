"""Tunes zlib for a text with `arco-tvm asktell`: the fastest settings that still halve it.

    python ask_tell.py [PATH OF arco-tvm] [EVALUATIONS]

Nothing here knows of TVM. What is tuned may be anything that can be tried: a compiler's flags, a kernel,
a database.
"""

import json
import subprocess
import sys
import time
import zlib

PARAMETERS = {
    "level": list(range(1, 10)),
    "memory": list(range(1, 10)),
    "window": list(range(9, 16)),
    "strategy": [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED],
}
# Python expressions on the parameters, all of which must hold: Huffman codes alone need no window.
CONSTRAINTS = [f"strategy != {zlib.Z_HUFFMAN_ONLY} or window == 15"]
TEXT = "\n".join(f"{i} squared is {i * i}, and its cube {i**3}" for i in range(4000)).encode()


def evaluate(settings):
    """Milliseconds of the fastest of three runs, and whether they will do."""
    best = float("inf")
    for _ in range(3):
        packer = zlib.compressobj(
            settings["level"], zlib.DEFLATED, settings["window"], settings["memory"], settings["strategy"]
        )
        start = time.perf_counter()
        packed = packer.compress(TEXT) + packer.flush()
        best = min(best, time.perf_counter() - start)
    return ("ok", 1e3 * best) if 2 * len(packed) <= len(TEXT) else ("invalid", None)


def tune(program, budget, seed=0):
    """The best settings that were found, and their milliseconds."""
    names = list(PARAMETERS)
    command = [program, "asktell", "--strategy", "gbt-16", "--seed", str(seed)]
    search = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(message):
        search.stdin.write(json.dumps(message) + "\n")
        search.stdin.flush()

    say(
        {
            "type": "space",
            "protocol": 1,
            "name": "zlib",
            "budget": budget,
            "objective": "time",
            "unit": "ms",
            "direction": "min",
            "params": [{"name": name, "values": values} for name, values in PARAMETERS.items()],
            "constraints": CONSTRAINTS,
        }
    )
    best, used = (float("inf"), None), 0
    for line in search.stdout:
        question = json.loads(line)
        if question["type"] == "done":
            break
        results = []
        for config in question["configs"][: budget - used]:
            # Without a list of configurations each is named by the place of its values.
            settings = {name: PARAMETERS[name][place] for name, place in zip(names, config, strict=True)}
            started = time.perf_counter()
            status, ms = evaluate(settings)
            cost_s = time.perf_counter() - started
            results.append({"config": config, "status": status, "time": ms, "cost_s": cost_s, "new": True})
            if ms is not None and ms < best[0]:
                best = (ms, settings)
        used += len(results)
        say({"type": "tell", "results": results, "used": used, "left": budget - used})
        if used >= budget:
            say({"type": "stop", "reason": "budget"})
            break
    search.stdin.close()
    if search.wait() != 0:
        sys.exit("arco-tvm has ended with an error")
    return best


if __name__ == "__main__":
    program = sys.argv[1] if len(sys.argv) > 1 else "arco-tvm"
    budget = int(sys.argv[2]) if len(sys.argv) > 2 else 96
    milliseconds, settings = tune(program, budget)
    status, default = evaluate({"level": 6, "memory": 8, "window": 15, "strategy": zlib.Z_DEFAULT_STRATEGY})
    print(f"zlib's default: {default or float('nan'):.2f} ms ({status})")
    print(f"best of {budget}: {milliseconds:.2f} ms with {settings}")
