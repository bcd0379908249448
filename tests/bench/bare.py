"""A client that asks for the same pages and throws the answers away."""

import http.client
import queue
import re
import threading
from urllib.parse import urlsplit


def pages(requests, model):
    """The requests that read records of a model, and how many records each asks for."""
    calls = [(request, *request.call()) for request in requests]
    reads = [(request, ids) for request, of, method, ids in calls if (of, method) == (model, "read")]
    return [request for request, _ in reads], [len(ids) for _, ids in reads]


def read(url, requests, connections):
    """Sends the requests over so many connections, each of which takes the next one. Returns how
    many bytes came."""
    waiting = queue.SimpleQueue()
    for request in requests:
        waiting.put(request)
    received, failures = [], []

    def work():
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        try:
            while True:
                answer = waiting.get_nowait().send(connection)
                content = answer.read()
                if answer.status != 200 or re.match(rb'\{"jsonrpc[^}]*"error"', content):
                    raise RuntimeError(f"Odoo answered {answer.status}: {content[:300]!r}")
                received.append(len(content))
        except queue.Empty:
            pass
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(received)
