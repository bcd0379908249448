"""Times, and what is said of them."""

import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass, field


class Times:
    def __init__(self, what):
        self.what, self.seconds = what, []

    @contextmanager
    def one(self):
        begin = time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - begin)

    @property
    def least(self):
        return min(self.seconds)

    @property
    def median(self):
        return statistics.median(self.seconds)

    def __str__(self):
        return (f"{self.what}: min {self.least:.2f}, median {self.median:.2f}, max {max(self.seconds):.2f} s "
                f"of {len(self.seconds)}")


@dataclass
class Result:
    """A line of the table. Where there is a bar, `value` must not exceed it."""

    id: str
    what: str
    value: float | None
    bar: float | None = None
    unit: str = ""
    details: list = field(default_factory=list)
    #: What is wrong besides the bar.
    trouble: str | None = None

    @property
    def passed(self):
        if self.trouble:
            return False
        return None if self.bar is None or self.value is None else self.value <= self.bar


def ratio(id, what, ours, theirs, bar, *details):
    """The ratio of the least times: what else ran on the machine only ever adds."""
    return Result(id, what, ours.least / theirs.least, bar, details=[str(ours), str(theirs), *map(str, details)])


def table(results):
    """The results as text."""
    rows = [("what", "ratio", "bar", "", "again")]
    for result in results:
        value = "-" if result.value is None else f"{result.value:,.3f}".rstrip("0").rstrip(".") + result.unit
        bar = "" if result.bar is None else f"≤ {result.bar:g}{result.unit}"
        verdict = {True: "pass", False: "FAIL", None: ""}[result.passed]
        rows.append((result.what, value, bar, verdict, f"make bench B={result.id}"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
