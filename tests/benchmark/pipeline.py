"""Our side of the benchmark, in a process of its own.

    python pipeline.py WARM_UPS ISSUE.yaml…   each file is loaded, checked and rendered once, in their order
    python pipeline.py css ISSUE.yaml         the style sheets of the issue's theme, for the rival

The first WARM_UPS files are not timed. Prints, as pipeline.mjs does, JSON: {milliseconds: [each file], bytes}.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from unittest.mock import patch

from newsletter.render import pipeline
from newsletter.workspace import Workspace


def measure(warm_ups: int, files: list[Path]) -> str:
    workspace = Workspace.open(files[0].parent)
    milliseconds = []
    html = ""
    for file in files:
        start = time.perf_counter()
        html = workspace.load(file).render().html
        milliseconds.append((time.perf_counter() - start) * 1000)
    return json.dumps({"milliseconds": milliseconds[warm_ups:], "bytes": len(html.encode())})


def style_sheets(file: Path) -> str:
    """What the theme keeps in the head, and what it has inlined."""
    with patch.object(pipeline, "inline", wraps=pipeline.inline) as inline:
        rendered = Workspace.open(file.parent).load(file).render()
    kept = re.search(r"<mj-style>(.*?)</mj-style>", rendered.mjml, re.DOTALL)
    assert kept
    return f"{kept[1]}\n{inline.call_args.args[1]}"


if __name__ == "__main__":
    first, *rest = sys.argv[1:]
    paths = [Path(argument) for argument in rest]
    print(style_sheets(paths[0]) if first == "css" else measure(int(first), paths))
