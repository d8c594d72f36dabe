"""Seconds and memory of a comparison of all built-in hypotheses, beside a fit in the same run.

The fit is made twice, in a process of its own; the second time, with compiled functions cached, is
what counts. Then all hypotheses are compared from an empty store, without exact refits and
forecasts. Memory is that of all processes together, each shared page counted once, looked at every
other second. Needs Linux. Prints and writes results_comparison.json.

    python analyses/speed/comparison.py [--out analyses/speed/results_comparison.json]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import psutil
from corollaries import timed

import densing_bayes as db

EVERY = 2.0  # seconds between two looks at the memory
GIB = 2**30


def memory() -> int:
    """Bytes of this process and its descendants, shared pages in proportion."""
    total = 0
    for process in (own := psutil.Process(), *own.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:  # it has ended since
            continue
    return total


def watch(done: threading.Event, peak: list[int]) -> None:
    """Keep the largest memory until done."""
    while not done.wait(EVERY):
        peak[0] = max(peak[0], memory())


def fit_twice() -> list[float]:
    """Seconds of two fits, one after the other."""
    return [timed(lambda: db.fit("joint"))[0] for _ in range(2)]


def main() -> None:
    """Fit, compare, divide."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results_comparison.json"
    )
    arguments = parser.parse_args()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        fits = pool.submit(fit_twice).result()
    peak, done = [0], threading.Event()
    watcher = threading.Thread(target=watch, args=(done, peak))
    watcher.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            seconds, comparison = timed(lambda: db.compare("joint", store=folder))
            verdicts = comparison.table["verdict"].to_dict()
    finally:
        done.set()
        watcher.join()
    content = {
        "processors": os.cpu_count(),
        "fit_seconds": [round(taken, 1) for taken in fits],
        "comparison_seconds": round(seconds, 1),
        "over_fit": round(seconds / fits[1], 2),
        "hypotheses": len(verdicts),
        "passed": sum(verdict == "PASS" for verdict in verdicts.values()),
        "peak_gib": round(peak[0] / GIB, 2),
    }
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
