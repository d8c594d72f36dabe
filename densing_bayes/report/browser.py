"""Chromium without a window, where it is installed: it prints the page of a report."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from densing_bayes.errors import DensingError
from densing_bayes.writing import write_file

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 120  # seconds


def find_browser() -> str:
    """Path of a Chromium.

    Raises
    ------
    DensingError
        If there is none.
    """
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise DensingError(
        f"a PDF is printed by Chromium, and none of {', '.join(NAMES)} is installed; install one, "
        "or open report.html in a browser and print it"
    )


def print_pdf(page: Path, target: Path) -> Path:
    """Print an HTML file to a PDF, replaced in one step.

    Raises
    ------
    DensingError
        If there is no Chromium, or it fails.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / "page.pdf"
        command = [
            browser,
            "--headless",
            "--no-sandbox",  # a container has no sandbox, and the page is our own
            "--disable-gpu",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={printed}",
            page.resolve().as_uri(),
        ]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DensingError(f"{browser} could not print {page}: {error}") from error
        if ran.returncode or not printed.exists():
            last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise DensingError(f"{browser} could not print {page}: {last}")
        write_file(target, printed.read_bytes())
    return target
