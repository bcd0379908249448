"""Whether a row costs the same in a large table."""

from .instant import instant, path
from .load import Loads
from .measure import Result, Times
from .warehouse import cluster, database

BAR, PAIRS = 1.1, 3


def run(lines):
    few = lines // 10
    many_times, few_times = Times(f"{lines:,} lines"), Times(f"{few:,} lines")
    with (instant(few, lines) as url, cluster() as pg,
          database(pg, f"{url}/{path(few)}") as small, database(pg, f"{url}/{path(lines)}") as large):
        few_loads, many_loads = Loads(small, few), Loads(large, lines)
        for _ in range(PAIRS):
            few_loads.by_sync(few_times)
            many_loads.by_sync(many_times)
    per_row = many_times.least / lines, few_times.least / few
    details = [str(many_times), str(few_times), "{:.1f} and {:.1f} µs for a row".format(*(1e6 * one for one in per_row))]
    return Result("growth", f"time for a row, {lines:,} ÷ {few:,} lines", per_row[0] / per_row[1], BAR, details=details)
