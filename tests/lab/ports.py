"""Free loopback ports."""

import socket


def free(count):
    """`count` different ports that nothing listens on; five digits, so that outputs line up."""
    sockets = []
    while len(sockets) < count:
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        if probe.getsockname()[1] >= 10000:
            sockets.append(probe)
    ports = [probe.getsockname()[1] for probe in sockets]
    for probe in sockets:
        probe.close()
    return ports
