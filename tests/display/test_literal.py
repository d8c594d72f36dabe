"""Text of others shows as it was written, on terminals, in spreadsheets, Markdown and figures."""

import dataclasses
import html
import io

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from densing_bayes.display import terminal
from densing_bayes.display.figures.canvas import figure_of, new_axes, styled
from densing_bayes.display.figures.trend import plot_frontier
from densing_bayes.display.literal import in_csv, in_markdown, in_markdown_cell, on_terminal
from densing_bayes.display.section import Report, Section, Table
from densing_bayes.report.files import report_files


def written(figure):
    """Words of a figure as they are drawn."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg")
    plt.close(figure)
    return html.unescape(buffer.getvalue())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", r"\<script>alert(1)\</script>"),
        ("[now](javascript:alert(1))", r"[now\](javascript:alert(1))"),
        ("<javascript:alert(1)>", r"\<javascript:alert(1)>"),
        ("one\ntwo\r\n# three", "one two # three"),
        ("cash$flow$", r"cash\$flow\$"),
        ("&lt;", r"\&lt;"),
        ("P < 0.001, R & D", "P < 0.001, R & D"),
    ],
)
def test_markdown_has_no_html_links_or_lines_of_its_own(text, shown):
    assert in_markdown(text) == shown
    assert in_markdown_cell(text + "|*") == shown + r"\|\*"


@pytest.mark.parametrize("text", ["=1+1", "@sum", "-1+cmd|' /C calc'!A0", "+A1", "\t=1"])
def test_a_cell_that_could_be_a_formula_is_text_to_a_spreadsheet(text):
    assert in_csv(text) == "'" + text


@pytest.mark.parametrize(
    "cell", ["-0.3 to 0.2", "-1.5", "+2.1", "-", "-inf", "-3e-05", "a=b", -1.0]
)
def test_numbers_and_words_are_not_touched_in_a_csv_file(cell):
    assert in_csv(cell) is cell


def test_control_characters_are_written_out_on_a_terminal(capsys):
    odd = "a\x1b[31m\x07\u202eb"
    assert on_terminal(odd + "\nc") == "a\\x1b[31m\\x07\\u202eb\nc"
    terminal.say(odd)
    terminal.print_text(odd)
    terminal.print_table(odd, [odd], [[odd, odd]])
    terminal.print_blocks(["", odd], [[odd, odd]])
    shown = capsys.readouterr()
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.out + shown.err)


def test_files_of_a_report_hold_names_as_text():
    odd = "=cmd|<img src=x onerror=alert(1)>\n[a](javascript:b)"
    named = pd.DataFrame({"=name": [odd]})
    section = Section("odd", odd, (odd,), (odd,), tables=(Table((odd,), ((odd,),), numbers=named),))
    files = report_files(Report(odd, odd, "PASS", odd, (), (odd,), (section,), {}), ["md", "csv"])
    markdown = files["report.md"].decode()
    assert "\n[a" not in markdown and "](java" not in markdown.replace(r"\](java", "")
    assert markdown.count("<img") == markdown.count(r"\<img") > 5
    assert files["report_odd.csv"].decode().startswith("'=name\n\"'=cmd")


def test_a_dollar_in_a_name_is_no_formula():
    @styled
    def plot():
        ax = new_axes(3.0, 2.0)[0]
        ax.plot([1, 10], [1, 10], label="$x_")
        ax.set_yscale("log")
        ax.set_xticks([1, 10], ["$a^", "b$c$"])
        ax.set_title("$t_")
        ax.legend()
        return ax

    drawn = written(figure_of(plot()))
    for text in ("$x_", "$a^", "b$c$", "$t_"):
        assert text in drawn
    assert r"<!-- $\mathdefault{10^{1}}$ -->" in drawn  # exponents of the scale are still set


@pytest.mark.fit
def test_a_system_may_have_a_dollar_in_its_name(small_fit):
    names = [f"$m{i}_" for i in range(len(small_fit.observed.systems))]
    observed = dataclasses.replace(small_fit.observed, systems=tuple(names))
    data = small_fit.data.copy()
    data["posterior"] = type(data)(small_fit.posterior.assign_coords(system=names))
    odd = dataclasses.replace(small_fit, observed=observed, data=data)
    figure = figure_of(plot_frontier(odd))
    assert any(text.get_text().startswith(r"\$m") for text in figure.findobj(mpl.text.Text))
    written(figure)  # which would fail
