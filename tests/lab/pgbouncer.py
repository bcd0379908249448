"""PgBouncer in front of a cluster, in transaction mode: each transaction of a client runs in whichever connection to the
server is free, without a reset between two clients."""

import os
import shutil
import signal
import socket
import time

from . import places

SETTINGS = """\
[databases]
* = host={cluster.folder} port={cluster.port} user={user}

[pgbouncer]
listen_port = {port}
unix_socket_dir = {folder}
pidfile = {folder}/pid
logfile = {folder}/log
auth_type = any
pool_mode = transaction
default_pool_size = {size}
"""


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "PgBouncer neither comes nor goes"
        time.sleep(0.02)


class Pooler:
    """Its clients, whatever their names, share `size` connections to the server as `user`."""

    def __init__(self, folder, cluster, port, user, size):
        self.folder, self.port = folder, port
        folder.mkdir()
        settings = folder / "pgbouncer.ini"
        settings.write_text(SETTINGS.format(cluster=cluster, user=user, port=port, folder=folder, size=size))
        places.give_to_service(folder)
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or "pgbouncer"
        places.run(places.as_service([program, "-q", "-d", settings]), "pgbouncer", cwd="/", env=places.service_environment())
        wait_until(self.answers)

    def dsn(self, database):
        return f"host={self.folder} port={self.port} user=client dbname={database}"

    def answers(self):
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(f"{self.folder}/.s.PGSQL.{self.port}") == 0

    def stop(self):
        pid = int((self.folder / "pid").read_text())
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
