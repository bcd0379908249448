"""Free loopback ports."""

import os
import random
import socket

#: Below those that the kernel gives to clients; all have five digits, so that outputs line up.
FIRST, LAST = 10_000, 32_768


def free(count):
    """`count` different ports that nothing listens on. Processes that run tests side by side take them
    from ranges of their own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = (LAST - FIRST) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    begin = FIRST + worker * size
    found = (port for port in random.sample(range(begin, begin + size), size) if is_free(port))
    return [next(found) for _ in range(count)]


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
