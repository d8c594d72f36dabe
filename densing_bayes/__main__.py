"""``python -m densing_bayes``, and the start of the command line."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly, also while modules are being imported."""
    try:
        from densing_bayes.cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("densing-bayes: interrupted; no half-written file is left", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
