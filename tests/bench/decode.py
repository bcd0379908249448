"""cargo bench --bench decode, which has its own bars."""

import re
import subprocess

from ..lab import places
from .measure import Result

SOURCE = places.CHECKOUT / "benches/decode.rs"


def run():
    if not SOURCE.exists():
        return Result("decode", "decoding ÷ a bare parser", None, details=["there is no benches/decode.rs: not measured"])
    done = subprocess.run(["cargo", "bench", "--quiet", "--bench", "decode"], cwd=places.CHECKOUT,
                          stdout=subprocess.PIPE, text=True)
    results = [
        Result("decode", f"decode {what}", float(value), float(bar), details=[line])
        for line in done.stdout.splitlines()
        for what, value, bar in re.findall(r"^decode (.*): ([\d.]+) \(bar ([\d.]+)\)", line)
    ]
    if not results or done.returncode and all(result.passed for result in results):
        results.append(Result("decode", "cargo bench --bench decode", None, trouble=f"exit code {done.returncode}"))
    return results
