"""The command line: exit codes, messages, JSON contract, start-up time, interrupts."""

import json
import os
import signal
import subprocess
import sys
import warnings

import pytest
from typer.testing import CliRunner

from densing_bayes import __main__ as start
from densing_bayes.cli.main import app
from densing_bayes.display import terminal
from densing_bayes.ledger import ledger

ESTIMATE = {"mean", "median", "lower", "upper", "ci", "unit"}
HEAVY = ("pymc", "pytensor", "arviz", "pandera", "matplotlib", "nutpie")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "densing_bayes", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def strict_json(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_table_that_is_nearly_too_wide_keeps_its_names_whole(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    interval = "0.12 (-0.89 to 1.12)"
    row = ["chatgpt-level", "PASS", interval, interval, "< 0.001", "> 0.999"]
    header = ["Fit", "Before, /y", "After, /y", "P(>0)", "P(>=1.5x)"]
    terminal.print_table("Hypothesis", header, [row])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[2].split("  ")[0].startswith("chatgpt-level PASS")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", ["0", "20", "40", "80"])
def test_a_narrow_terminal_cuts_no_number(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    cells = ["2024-04-18", "260B*", "0.0028 to 0.0056", "1-12"]
    header = ["Released", "Params", "95%", "Rank"]
    terminal.print_table("System", header, [["a-system-of-a-long-name-8b", *cells]])
    shown = capsys.readouterr().out
    assert all(cell in shown for cell in cells)
    terminal.print_text("doubles in 118.2 days")
    assert "118.2" in capsys.readouterr().out


# The system


@pytest.mark.parametrize(
    "arguments",
    [
        ["trend", "n" * 300],
        ["fit", "n" * 300],
        ["fit", "joint", "--data", "n" * 300],
        ["fit", "joint", "--hypothesis", "n" * 300],
        ["fit", "joint", "--out", "n" * 300 + "/fit.nc"],
        ["data", "validate", "n" * 300],
        ["price", "--data", "n" * 300],
        ["report", "x.nc", "--out", "n" * 300],
        ["data", "validate", "a\0b"],
    ],
)
def test_a_name_that_cannot_be_one_is_said_in_one_message(arguments):
    result = run(*arguments)
    assert result.exit_code == 2, result.exception
    assert "Traceback" not in result.stderr and result.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux only")
def test_a_full_output_is_said_and_a_closed_one_is_none_of_ours():
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "densing_bayes", "data", "list"], stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=300,
        )  # fmt: skip
    assert ended.returncode == 2 and "No space left" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "densing_bayes", "data", "list"], stdout=writing,
        stderr=subprocess.PIPE, text=True, timeout=300,
    )  # fmt: skip
    os.close(writing)
    assert ended.returncode == 0 and not ended.stderr


def test_output_that_knows_ascii_only(tmp_path):
    run("data", "export", "open", tmp_path / "panel")
    (tmp_path / "panel").rename(tmp_path / "größe")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = command("data", "validate", tmp_path / "größe", env=environment)
    assert ended.returncode == 0 and "valid" in ended.stdout
    ended = command("data", "validate", tmp_path / "größe", "--json", env=environment)
    assert strict_json(ended.stdout)["panel"] == "größe"


# Usage and bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["price", "--from", "2024-01-01", "--to", "2023-01-01"], "is not before --to 2023-01-01"),
        (["forecast", "x.nc", "--benchmark", "mmlu", "--params", "8e9", "--date", "2026-01-01",
          "--by", "2027-01-01"], "leave out --by, or --date"),
        (["shelf-life", "x.nc", "--probability", "0.8"], "--probability is that of a pay-back"),
        (["shelf-life", "x.nc", "a", "--price", "1", "--probability", "2"], "--probability 2 is"),
        (["shelf-life", "x.nc", "a", "--price", "-0.2"], "--price -0.2 must be"),
        (["shelf-life", "x.nc", "--price", "0.2"], "that of one system"),
        (["fit", "joint", "--out", ""], "the path is empty"),
        (["report", "x.nc", "--out", ""], "the path is empty"),
        (["compare", "joint", "--out", ""], "the path is empty"),
        (["data", "export", "open", ""], "the path is empty"),
        (["report", "x.nc", "--hypotheses", ","], "--hypotheses ',' names nothing"),
        (["report", "x.nc", "--formats", " , "], "--formats ' , ' names nothing"),
        (["compare", "joint", "--draws", "0"], "--draws"),
        (["backtest", "joint", "--chains", "0"], "--chains"),
        (["fit", "joint", "--seed", "18446744073709551616"], "--seed"),
        (["engines", "x.nc", "--ci", "0"], "--ci 0 is not a probability"),
        (["trend", "x.nc", "--ci", "nan"], "--ci nan is not a probability"),
        (["claims", "--ci", "1"], "--ci 1 is not a probability"),
    ],
)  # fmt: skip
def test_arguments_are_checked_before_any_file_is_read(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2 and not result.stdout
    message = " ".join(result.stderr.replace("│", " ").split())
    assert said in message and "Traceback" not in message


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "validate", "open"],
        ["fit", "joint", "--data", "open"],
        ["score", "x.nc", "--data", "open"],
        ["report", "x.nc", "--data", "open"],
        ["trend", "x.nc", "--average", "--data", "open"],
    ],
)
def test_a_folder_is_not_hidden_by_an_embedded_panel(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("data", "export", "open", "open").exit_code == 0
    result = run(*arguments)
    assert result.exit_code == 2 and "write ./open for the folder" in result.stderr
    assert run("data", "validate", "./open").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["no-such-command"],
        ["trend"],
        ["fit"],
        ["fit", "joint", "--draws", "many"],
        ["fit", "joint", "--cores", "0"],
        ["density", "x.nc", "--top", "0"],
        ["forecast", "x.nc", "--params", "8e9"],
        [
            "forecast",
            "x.nc",
            "--params",
            "8e9",
            "--benchmark",
            "mmlu",
            "--score",
            "0.8",
            "--reading",
            "worst",
        ],
    ],
)
def test_bad_usage_exits_2(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert not result.stdout


@pytest.mark.parametrize("command_name", ["trend", "density", "shelf-life", "report"])
def test_missing_fit_file_is_named(command_name, tmp_path):
    extra = ["--out", tmp_path] if command_name == "report" else []
    result = run(command_name, tmp_path / "none.nc", *extra)
    assert result.exit_code == 2
    assert "none.nc" in result.stderr and "densing-bayes fit" in result.stderr
    assert "Traceback" not in result.stderr


def test_file_that_is_no_fit_is_named(tmp_path):
    path = tmp_path / "text.nc"
    path.write_text("not a fit")
    result = run("trend", path)
    assert result.exit_code == 2
    assert str(path) in result.stderr and "not a saved fit" in result.stderr


def test_unknown_specification_lists_those_there_are():
    result = run("fit", "jiont")
    assert result.exit_code == 2
    assert "did you mean 'joint'" in result.stderr


def test_broken_specification_names_the_key(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('name = "own"\n[panle]\nsource = "open"\n')
    result = run("fit", path, "--out", tmp_path / "fit.nc")
    assert result.exit_code == 2
    assert "panle" in result.stderr and "panel" in result.stderr
    assert list(tmp_path.iterdir()) == [path]


def test_bad_table_is_named_before_anything_is_sampled(tmp_path):
    run("data", "export", "open", tmp_path / "own")
    scores = tmp_path / "own" / "scores.csv"
    lines = scores.read_text().splitlines()
    cells = lines[1].split(",")
    cells[2] = "64.2"
    scores.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]))
    for result in (
        run("data", "validate", tmp_path / "own"),
        run("fit", "joint", "--data", tmp_path / "own", "--out", tmp_path / "fit.nc"),
    ):
        assert result.exit_code == 2
        for part in ("scores.csv", "row 2", "64.2", "0.642"):
            assert part in result.stderr


def test_too_few_draws_are_refused(tmp_path):
    result = run("fit", "joint", "--draws", "2", "--out", tmp_path / "fit.nc")
    assert result.exit_code == 2
    assert "--draws" in result.stderr and "10" in result.stderr


@pytest.mark.parametrize("name", ["fit", "report"])
def test_output_that_cannot_be_written_is_refused_before_sampling(name, tmp_path):
    blocker = tmp_path / "file"
    blocker.touch()
    target = blocker / "fit.nc"
    arguments = ["fit", "joint"] if name == "fit" else ["report"]
    result = run(*arguments, "--out", target)
    assert result.exit_code == 2
    assert "is a file; give a folder" in result.stderr
    assert "fitting" not in result.stderr


@pytest.mark.parametrize("spec", ["joint", "scaling"])
def test_a_device_a_pipe_and_a_link_that_leads_nowhere_good_are_refused_before_sampling(
    spec, tmp_path
):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file" / "fit.nc")
    for out, said in [
        ("/dev/null", "it is not a plain file"),
        (tmp_path / "pipe", "it is not a plain file"),
        (tmp_path / "link", "file is a file; give a folder"),
    ]:
        result = run("fit", spec, "--out", out)
        assert result.exit_code == 2 and said in result.stderr
        assert len(result.stderr.splitlines()) == 1, "nothing was begun"


def test_output_that_is_a_folder_is_refused(tmp_path):
    result = run("fit", "joint", "--out", tmp_path)
    assert result.exit_code == 2
    assert "is a folder" in result.stderr


@pytest.mark.fit
def test_a_folder_for_the_fit_is_made_and_not_before_there_is_one(small_fit, tmp_path, monkeypatch):
    out = tmp_path / "new" / "fit.nc"
    assert run("fit", "jiont", "--out", out).exit_code == 2
    assert not out.parent.exists()
    monkeypatch.setattr("densing_bayes.fitting.fit.fit", lambda *_, **settings: small_fit)
    assert str(out) in run("fit", "joint", "--out", out).stderr
    assert out.is_file()


@pytest.mark.fit
def test_a_report_says_what_it_is_at_and_makes_only_what_is_wanted(
    small_fit, tmp_path, monkeypatch
):
    monkeypatch.setattr(ledger, "table_fits", lambda: pytest.fail("no claims are wanted"))
    path = small_fit.save(tmp_path / "fit.nc")
    wrong = run("report", path, "--sections", "trends", "--out", tmp_path / "report")
    assert wrong.exit_code == 2 and "did you mean 'trend'?" in wrong.stderr
    asked = ("--sections", "trend", "--no-corollaries", "--formats", "json")
    result = run("report", path, *asked, "--out", tmp_path / "report")
    assert result.exit_code == 0 and "section 'trend'" in result.stderr


# Tables


def test_data_list_names_the_panels():
    panels = strict_json(run("data", "list", "--json").stdout)
    assert [panel["panel"] for panel in panels] == ["current", "open", "paper"]
    assert all(panel["systems"] > 0 and panel["benchmarks"] for panel in panels)
    text = run("data", "list").stdout
    assert "open" in text and "paper" in text and "current" in text


@pytest.mark.parametrize("panel", ["open", "paper", "current"])
def test_exported_panel_is_valid(panel, tmp_path):
    assert run("data", "export", panel, tmp_path).exit_code == 0
    result = run("data", "validate", tmp_path, "--json")
    assert result.exit_code == 0
    assert strict_json(result.stdout)["valid"] is True


def test_export_overwrites_nothing(tmp_path):
    run("data", "export", "open", tmp_path)
    result = run("data", "export", "open", tmp_path)
    assert result.exit_code == 2
    assert "nothing is overwritten" in result.stderr


# Start-up


@pytest.mark.parametrize(
    "arguments", [["--help"], ["fit", "--help"], ["data", "list"]], ids=" ".join
)
def test_quick_commands_load_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from densing_bayes.cli.main import app\n"
        f"app({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stderr.strip() == "[]"


@pytest.mark.fit
@pytest.mark.parametrize("name", ["trend", "density", "shelf-life"])
def test_reading_a_fit_loads_nothing_heavy(name, small_fit_file):
    code = (
        "import sys\n"
        "from densing_bayes.cli.main import app\n"
        f"app([{name!r}, {str(small_fit_file)!r}], standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_every_command_can_be_interrupted(number, monkeypatch, capsys):
    handler = signal.getsignal(number)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which is put back
    monkeypatch.setattr("densing_bayes.cli.main.app", lambda: os.kill(os.getpid(), number))
    with pytest.raises(SystemExit) as ended:
        start.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "densing-bayes: interrupted; no half-written file is left\n"
    assert signal.getsignal(number) == handler


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for single processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_exits_130_and_leaves_no_file(number, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "densing_bayes", "fit", "joint", "--out", str(tmp_path / "fit.nc")],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert "fitting 'joint'" in process.stderr.readline()
        process.send_signal(number)
        assert process.wait(timeout=60) == 130
        assert "interrupted" in process.stderr.read()
    assert list(tmp_path.iterdir()) == []


# Answers


@pytest.mark.fit
def test_trend_json_keeps_its_contract(small_fit_file):
    result = command("trend", small_fit_file, "--json")
    assert result.returncode == 0
    trend = strict_json(result.stdout)
    for name in ("before", "after"):
        assert trend["growth_rate"][name].keys() >= ESTIMATE
        assert trend["growth_rate"][name]["unit"] == "1/day"
        assert trend["growth_rate"][name]["mean"] is not None
        assert trend["doubling_time_days"][name].keys() >= ESTIMATE
        assert trend["doubling_time_days"][name]["mean"] is None
    assert trend["growth_change"].keys() >= ESTIMATE | {"p_gt_0", "p_ge_half"}
    assert trend["growth_ratio"].keys() >= ESTIMATE | {"p_before_gt_0"}
    assert trend["growth_ratio"]["mean"] is None
    assert {"hellaswag", "mmlu", "new benchmark"} <= trend["by_benchmark"].keys()
    assert trend["prior"]["growth_rate"]["after"].keys() >= ESTIMATE
    assert trend["diagnostics"].keys() >= {
        "rhat_max",
        "ess_bulk_min",
        "ess_tail_min",
        "divergences",
        "verdict",
    }
    assert trend["provenance"].keys() >= {"spec_hash", "data_hash", "seed", "versions", "sampler"}


@pytest.mark.fit
def test_ci_reaches_the_answer_and_is_checked(small_fit_file):
    narrow, wide = (
        strict_json(run("trend", small_fit_file, "--json", "--ci", ci).stdout)["growth_change"]
        for ci in (0.5, 0.95)
    )
    assert (narrow["ci"], wide["ci"]) == (0.5, 0.95)
    assert wide["lower"] < narrow["lower"] < narrow["upper"] < wide["upper"]
    result = run("trend", small_fit_file, "--ci", 95)
    assert result.exit_code == 2
    assert "--ci 95 is" in result.stderr


@pytest.mark.fit
def test_density_json_is_ordered_and_cut(small_fit_file):
    document = strict_json(run("density", small_fit_file, "--json", "--top", 7).stdout)
    systems = document["systems"]
    assert len(systems) == 7
    medians = [entry["density"]["median"] for entry in systems]
    assert medians == sorted(medians, reverse=True)
    for entry in systems:
        for key in ("density", "rank", "effective_params"):
            assert entry[key].keys() >= ESTIMATE
            assert entry[key]["lower"] <= entry[key]["median"] <= entry[key]["upper"]
        assert 0 <= entry["p_no_finite"] <= 1


@pytest.mark.fit
def test_shelf_life_json_is_never_negative(small_fit_file):
    document = strict_json(run("shelf-life", small_fit_file, "--json").stdout)
    assert document["kappa"] == 2.0
    assert document["frontier"]["mean"] is None
    for entry in document["systems"]:
        life = entry["shelf_life"]
        assert life["mean"] is None
        assert life["lower"] is None or life["lower"] >= 0
        assert (life["upper"] is None) == life.get("upper_unbounded", False)


@pytest.mark.fit
def test_shelf_life_of_named_systems(small_fit_file):
    document = strict_json(run("shelf-life", small_fit_file, "llama-7b", "gpt2", "--json").stdout)
    assert [entry["system"] for entry in document["systems"]] == ["llama-7b", "gpt2"]
    result = run("shelf-life", small_fit_file, "lama-7b")
    assert result.exit_code == 2
    assert "did you mean 'llama-7b" in result.stderr


@pytest.mark.fit
def test_forecast_is_a_date_or_null(small_fit_file):
    arguments = ["forecast", small_fit_file, "--params", "8e9", "--benchmark", "mmlu"]
    document = strict_json(run(*arguments, "--score", "0.7", "--json").stdout)
    assert document["benchmark"] == "mmlu"
    for key in ("median", "lower", "upper"):
        assert (document[key] is None) == document.get(f"{key}_unbounded", False)
    percent = run(*arguments, "--score", "70")
    assert percent.exit_code == 2
    assert "write 0.7" in percent.stderr
    billions = run(
        "forecast", small_fit_file, "--params", "8", "--benchmark", "mmlu", "--score", "0.7"
    )
    assert billions.exit_code == 2
    assert "8e9" in billions.stderr


@pytest.mark.fit
@pytest.mark.parametrize("name", ["trend", "density", "shelf-life"])
def test_text_fits_80_columns_when_piped(name, small_fit_file):
    result = command(name, small_fit_file)
    assert result.returncode == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "\x1b" not in result.stdout


@pytest.mark.fit
def test_a_fit_of_too_few_draws_is_written_marked_and_exits_3(tmp_path, small_fit, monkeypatch):
    """With the small fit, which fails by its draws; the next test samples for itself."""
    monkeypatch.setattr("densing_bayes.fitting.fit.fit", lambda *_, **settings: small_fit)
    path = tmp_path / "fit.nc"
    result = run("fit", "joint", "--draws", 250, "--out", path)
    assert result.exit_code == 3 and result.stdout == ""
    assert "128 systems" in result.stderr and "FAIL" in result.stderr
    reading = run("trend", path)
    assert reading.exit_code == 0
    assert "[FAIL]" in reading.stdout and "warning" in reading.stderr


@pytest.mark.slow
def test_fit_that_has_not_converged_is_written_marked_and_exits_3(tmp_path):
    path = tmp_path / "fit.nc"
    result = command(
        "fit", "joint", "--draws", 10, "--tune", 10, "--chains", 1, "--seed", 1, "--out", path
    )
    assert result.returncode == 3
    assert result.stdout == ""
    assert "FAIL" in result.stderr and "Sampling:" not in result.stderr
    assert path.exists()
    reading = run("trend", path)
    assert reading.exit_code == 0
    assert "[FAIL]" in reading.stdout and "warning" in reading.stderr
