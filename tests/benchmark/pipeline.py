"""Our side of the benchmark, in a process of its own: each file named is loaded and rendered once, in their order.

    python pipeline.py WARM_UPS ISSUE.yaml…

The first WARM_UPS files are not timed. Prints, as pipeline.mjs does, JSON: {milliseconds: [each file], bytes,
peakRss (bytes)}.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from newsletter.workspace import Workspace


def main(warm_ups: int, files: list[Path]) -> None:
    workspace = Workspace.open(files[0].parent)
    milliseconds = []
    html = ""
    for file in files:
        start = time.perf_counter()
        html = workspace.load(file).render().html
        milliseconds.append((time.perf_counter() - start) * 1000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"milliseconds": milliseconds[warm_ups:], "bytes": len(html.encode()), "peakRss": peak}))


if __name__ == "__main__":
    main(int(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
