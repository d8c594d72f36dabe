"""What a new user waits for: the report and the tests on a machine that has never seen the package.

Everything runs with an empty home folder and empty compile caches of its own, so that no cache of
the machine can help. Measured are the report with all caches empty, with a warm compile cache and
an empty store, and again with nothing changed; the compilation of the joint model; its gradient;
and with ``--tests`` the fast tests, cold and warm.

Ratios count. The unit is the wall time of pilot and sampling of the default fit of the open panel
as it was before models were recorded as tapes: on one machine it was UNIT times as long as one
evaluation of the density by hand in numpy (gradient.py), by which it is found on any other.
Needs Linux. Prints and writes results_first_run.json and a table of it beside
results_first_run_before.json, which an earlier version gave on the same machine.

    python analyses/speed/first_run.py [--tests] [--out analyses/speed/results_first_run.json]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from comparison import GIB, watch
from gradient import measure

ROOT = Path(__file__).parents[2]
UNIT = 204_000  # evaluations in numpy: 20.4 s where one took 100 us
COMPILE = """
import time
from densing_bayes import load_panel, load_spec
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.observed.observations import observe
spec = load_spec("joint")
observed = observe(load_panel("open"), spec)
start = time.process_time()
from densing_bayes.fitting.engine.machine import callbacks
compiled = compile_fit(spec, observed)
callbacks()
compiled.engine.log_density()(compiled.engine.start)
compiled.engine.expanded(compiled.engine.start)
print(time.process_time() - start)
"""
IMPORTS = """
import time
start = time.perf_counter()
import pymc, nutpie, arviz_stats, densing_bayes.report.request, densing_bayes.fitting.fit
import densing_bayes.report.assembly, densing_bayes.corollaries.sections
print(time.perf_counter() - start)
"""


def environment(home: Path) -> dict[str, str]:
    """Variables of a process that finds nothing but an empty home folder."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NUMBA_CACHE_DIR": str(home / "numba"),
        "PYTENSOR_FLAGS": f"base_compiledir={home / 'pytensor'}",
    }


def timed(home: Path, *command: str) -> dict[str, float]:
    """Wall and processor seconds of a command, and the memory of all its processes at the peak."""
    peak, done = [0], threading.Event()
    watcher = threading.Thread(target=watch, args=(done, peak))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    watcher.start()
    start = time.perf_counter()
    try:
        subprocess.run(
            [sys.executable, *command],
            env=environment(home),
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    finally:
        done.set()
        watcher.join()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "peak_gib": round(peak[0] / GIB, 2),
    }


def printed(home: Path, code: str) -> float:
    """Number that some code prints."""
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(home),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(found.stdout)


def reports(home: Path) -> dict[str, dict[str, float]]:
    """The report with all caches empty, with compiled functions only, and again."""
    command = ("-m", "densing_bayes", "report", "--out", str(home / "report"))
    first = timed(home, *command)
    shutil.rmtree(home / ".cache" / "densing_bayes")
    return {
        "caches empty": first,
        "compile cache warm": timed(home, *command),
        "again": timed(home, *command),
    }


def cold_fit(home: Path) -> dict[str, Any]:
    """Seconds of one fit by part, with all caches empty and again."""
    found = {}
    for when in ("caches empty", "again"):
        answer = subprocess.run(
            [sys.executable, "analyses/speed/cold_fit.py"],
            env=environment(home),
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        found[when] = json.loads(answer.stdout)
    return found


def said(seconds: float) -> str:
    """A time as README says it: seconds below a minute and a half, else minutes."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = f"{seconds / 60:.1f}".removesuffix(".0")
    return f"{minutes} minutes"


def in_readme(content: dict[str, Any]) -> str:
    """The sentence of README on the times of the committed results."""
    first, again = (said(content["report"][at]["seconds"]) for at in ("caches empty", "again"))
    return (
        f"On two cores, once the packages are installed (1.4 GB), the first report takes {first} "
        f"(caches empty); again, with nothing changed, it takes {again}."
    )


def markdown(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Tables of the results beside those from before models were recorded as tapes."""
    lines = ["| what | before, units | now, units | now, s | processor s | memory, GiB |"]
    lines.append("|---|---|---|---|---|---|")
    for when, found in after["report"].items():
        earlier = before["report"][when]["seconds"] / before["unit_seconds"]
        now = found["seconds"] / after["unit_seconds"]
        lines.append(
            f"| report, {when} | {earlier:.1f} | {now:.2f} | {found['seconds']:.0f} | "
            f"{found['processor_seconds']:.0f} | {found['peak_gib']:.1f} |"
        )
    for when, seconds in after["compile_processor_seconds"].items():
        earlier = before["compile_processor_seconds"][when] / before["unit_seconds"]
        now = seconds / after["unit_seconds"]
        lines.append(
            f"| functions of the joint model, {when} | {earlier:.1f} | {now:.2f} | | "
            f"{seconds:.1f} | |"
        )
    for when, found in after.get("tests", {}).items():
        lines.append(
            f"| fast tests, {when} | | {found['seconds'] / after['unit_seconds']:.1f} | "
            f"{found['seconds']:.0f} | {found['processor_seconds']:.0f} | "
            f"{found['peak_gib']:.1f} |"
        )
    lines += [
        "",
        "| systems | gradient before, us | a line now, us | as shipped, us | ready after, s |",
    ]
    lines.append("|---|---|---|---|---|")
    for one in after["gradient"]:
        earlier = {row["systems"]: row["gradient_us"] for row in before["gradient"]}
        was = earlier.get(one["systems"])
        lines.append(
            f"| {one['systems']} | {f'{was:.0f}' if was else ''} | "
            f"{one['gradient_of_a_line_us']:.0f} | {one['gradient_us']:.0f} | "
            f"{one['compile_seconds']:.1f} |"
        )
    parts = after["fit_seconds"]
    lines += ["", "| part of a fit, s | caches empty | again |", "|---|---|---|"]
    for part in sorted(parts["caches empty"], key=lambda part: parts["caches empty"][part]):
        cells = (f"{parts[when].get(part, 0.0):.1f}" for when in parts)
        lines.append(f"| {part} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def tests(home: Path) -> dict[str, dict[str, float]]:
    """The fast tests with all caches empty, and again, but for the one on these results."""
    own = "tests/test_docs.py::test_the_times_of_the_readme_are_those_of_the_committed_benchmark"
    command = ("-m", "pytest", "-q", "-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
    command += ("--deselect", own)
    return {when: timed(home, *command) for when in ("caches empty", "again")}


def main() -> None:
    """Measure, divide, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", action="store_true", help="time the fast tests, too")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results_first_run.json"
    )
    arguments = parser.parse_args()
    gradients = [measure(1), *(measure(times) for times in (1, 10, 80))][1:]
    unit = 1e-6 * UNIT * gradients[0]["numpy_value_us"]
    content: dict[str, Any] = {
        "processors": os.cpu_count(),
        "unit_seconds": round(unit, 1),
        "gradient": gradients,
    }
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        content["compile_processor_seconds"] = {
            when: round(printed(home, COMPILE), 2) for when in ("caches empty", "again")
        }
        content["import_seconds"] = round(printed(home, IMPORTS), 2)
    with tempfile.TemporaryDirectory() as folder:
        content["fit_seconds"] = cold_fit(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        content["report"] = reports(Path(folder))
    if arguments.tests:
        with tempfile.TemporaryDirectory() as folder:
            content["tests"] = tests(Path(folder))
    content["units"] = {
        f"report, {when}": round(found["seconds"] / unit, 2)
        for when, found in content["report"].items()
    } | {
        f"compilation, {when}": round(seconds / unit, 2)
        for when, seconds in content["compile_processor_seconds"].items()
    }
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))
    before = Path(__file__).parent / "results_first_run_before.json"
    table = markdown(json.loads(before.read_text("utf-8")), content)
    arguments.out.with_suffix(".md").write_text(table, encoding="utf-8")
    print(in_readme(content))


if __name__ == "__main__":
    main()
