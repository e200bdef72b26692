"""Celery: ``python celery_jobs.py SOCKET JOBS PREFETCH`` adds jobs, lets one worker process them, prints the seconds.

It runs in the peers' own environment and imports nothing of this tree.  Results are kept in Redis.  The worker is a
process of its own that runs jobs in its only thread (``--pool solo``): a job that does nothing gains nothing from more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from celery import Celery
from redis import Redis

_WITHIN = 60.0
_LOOK = 0.01
#: So many keys of the broker may come and go.
_OTHERS = 8


def noop(recipient: int) -> None:
    """Do nothing."""


def application(socket: str, prefetch: int) -> Celery:
    """Return the application: broker and results on the same server."""
    url = f"redis+socket://{socket}"
    app = Celery("bench", broker=url, backend=url)
    app.conf.update(worker_prefetch_multiplier=prefetch, worker_send_task_events=False, task_send_sent_event=False)
    app.task(noop, name="noop")
    return app


def once(app: Celery, redis: Redis, queue: str, count: int) -> dict[str, float]:
    """Add, then process; return the seconds of both, and how many results there are."""
    task, before, keys = app.tasks["noop"], results(redis), int(redis.dbsize())
    began = time.perf_counter()
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(count):
            task.apply_async((number,), queue=queue, producer=producer)
    added = time.perf_counter()
    app.control.add_consumer(queue)  # nobody waits for the answer: the library would wait a whole second
    while time.perf_counter() < added + _WITHIN:
        # Counting all keys is quick; only when nearly all are there the results themselves are counted.
        if int(redis.dbsize()) >= keys + count - _OTHERS and results(redis) >= before + count:
            break
        time.sleep(_LOOK)
    ended = time.perf_counter()
    return {"added": added - began, "processed": ended - added, "kept": results(redis) - before}


def results(redis: Redis) -> int:
    """Return how many results there are."""
    return sum(1 for _ in redis.scan_iter(match="celery-task-meta-*", count=10_000))


def main(socket: str, count: int, prefetch: int) -> None:
    """Start the worker, warm up, and measure."""
    app, redis = application(socket, prefetch), Redis(unix_socket_path=socket)
    words = [sys.executable, __file__, "worker", socket, str(prefetch)]
    worker = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ends = time.perf_counter() + _WITHIN
        while not app.control.ping(timeout=0.2) and time.perf_counter() < ends:
            pass
        once(app, redis, "warm", min(100, count))
        sys.stdout.write(json.dumps(once(app, redis, "bench", count)))
    finally:
        worker.terminate()
        worker.wait()


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        flags = ["--pool", "solo", "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR"]
        application(sys.argv[2], int(sys.argv[3])).worker_main(["worker", "-Q", "idle", *flags])
    else:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
