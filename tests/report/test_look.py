"""Reports of one's own look: template, style, logo, locale, print, workbook and notebook."""

import base64
import json
import re
import zipfile
from io import BytesIO

import nbformat
import pandas as pd
import pytest

from densing_bayes.display.headline import Statement
from densing_bayes.display.localised import in_locale
from densing_bayes.display.section import Report, Section, Table
from densing_bayes.errors import DensingError
from densing_bayes.report import files
from densing_bayes.report.files import check_formats, report_files, write_report
from densing_bayes.report.look import Look, report_look

ROWS = tuple((f"system-{i}", "2024-01-23", "1,234.5 (0.97 to 2,000.1)") for i in range(30))
DENSITIES = Table(("System", "Released", "Days"), ROWS, long=True)
CELLS = Table(
    ("Name", "Figure"),
    (("=1+1", "0.5"), ("Claude 4.5", "0.5")),
    name="a:b/c",
    numbers=pd.DataFrame({"name": ["=1+1", "Claude 4.5"], "figure": [0.5, float("inf")]}),
)
REPORT = Report(
    "Densities",
    "A few systems",
    "PASS",
    "",
    (Statement("one", "Doubling time", "116 days", "95% interval 92 to 1,155.5", "It is 116.5."),),
    ("Claude 4.5 was released on 2024-06-20 (arXiv 2412.04315).",),
    (
        Section("densities", "Densities", ("Half is 0.5.",), tables=(DENSITIES,)),
        Section("other", "Other", tables=(CELLS, CELLS)),
    ),
    {"title": "Densities"},
    names=frozenset({"Claude 4.5"}),
)


def page(look):
    return report_files(REPORT, ("html",), look)["report.html"].decode()


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("95% interval 1,234.5 to 2,000", "95% interval 1.234,5 to 2.000"),
        ("-0.00529 to inf; P < 0.001.", "-0,00529 to inf; P < 0,001."),
        ("on 2024-06-20, 7.0B params (2.5%)", "on 20.06.2024, 7,0B params (2,5%)"),
        ("qwen2.5-7b, gpt-3.5 and Claude 4.5", "qwen2.5-7b, gpt-3.5 and Claude 4.5"),
        ("arXiv 2412.04315, PyMC 6.3.2, https://x.org/1.5", None),
        ("a date that is none: 2024-99-99", None),
    ],
)
def test_numbers_and_dates_are_those_of_the_locale(text, german):
    assert in_locale("de", {"Claude 4.5"})(text) == (german or text)
    assert in_locale("en", ())(text) == text


def test_a_cell_of_text_is_rewritten_only_if_it_is_a_number():
    local = in_locale("fr_CH")
    assert local("Yi 1.5", True) == "Yi 1.5"
    assert local("1.5", True) == local("1.5") != "1.5"


def test_no_such_locale_is_said_before_anything_is_made():
    for name in ("xx", "deutsch", ""):
        with pytest.raises(DensingError, match=r"no locale .* such as"):
            report_look(locale=name)


def test_a_page_of_a_locale_sorts_by_the_numbers_that_it_was_made_from():
    text = page(Look(locale="de"))
    assert "1.155,5" in text and "20.06.2024" in text and "Claude 4.5 was" in text
    assert '<td data-key="1,234.5 (0.97 to 2,000.1)">1.234,5 (0,97 to 2.000,1)</td>' in text
    assert "data-key=" not in page(Look())
    markdown = report_files(REPORT, ("md",), Look(locale="de"))["report.md"].decode()
    assert "| 23.01.2024 | 1.234,5 (0,97 to 2.000,1) |" in markdown


def test_files_for_programs_stay_english():
    made = report_files(REPORT, ("csv", "json"), Look(locale="de"))
    assert made == report_files(REPORT, ("csv", "json"))


def test_a_template_of_ones_own_gives_the_blocks_that_differ(tmp_path):
    file = tmp_path / "house.html.jinja"
    file.write_text(
        '{% extends "report.html.jinja" %}{% block footer %}<p>{{ report.title }} & house</p>'
        "{% endblock %}"
    )
    text = page(report_look(template=file))
    assert "<p>Densities & house</p>" in text and "Made by densing_bayes" not in text
    assert "<h1>Densities</h1>" in text and "system-29" in text
    file.write_text("<title>{{ report.title }}</title>{{ section_html(report.sections[0])|safe }}")
    assert page(report_look(template=file)).startswith("<title>Densities</title><section")


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ report.titel }}", "titel"),
        ("a\n{% block x %}", "line 2"),
        ('{% extends "other.jinja" %}', "other.jinja"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_what_is_wrong_in_a_template_is_one_error(template, says):
    with pytest.raises(DensingError, match="the template cannot be filled in") as caught:
        page(Look(template=template))
    assert says in str(caught.value)


def test_logo_and_style_become_a_part_of_the_page(tmp_path):
    logo, css = tmp_path / "logo.svg", tmp_path / "house.css"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    css.write_text("h1 { color: red } /* </style><script>alert(1)</script> */")
    text = page(report_look(css=css, logo=logo))
    held = base64.b64encode(logo.read_bytes()).decode()
    assert f'<img class="logo" src="data:image/svg+xml;base64,{held}" alt="">' in text
    assert "h1 { color: red }" in text and text.count("</style>") == 1
    assert text.index("h1 { color: red }") > text.index("@page")


def test_files_that_cannot_be_taken_are_named(tmp_path):
    for option, name, says in (
        ("logo", "logo.exe", "another kind"),
        ("logo", "none.png", r"cannot read the logo .*No such file"),
        ("css", "", "cannot read the style"),
        ("template", "n" * 300, r"cannot read the template .*too long"),
    ):
        with pytest.raises(DensingError, match=says):
            report_look(**{option: tmp_path / name})
    (tmp_path / "latin").write_bytes("é".encode("latin-1"))
    with pytest.raises(DensingError, match="is not UTF-8"):
        report_look(css=tmp_path / "latin")


def test_print_has_the_first_rows_of_a_long_table_and_says_so():
    text = page(Look())
    assert ".long tbody tr:nth-child(n+21) { display: none; }" in text
    assert "The first 20 of 30 rows are printed" in text and text.count("<tr>") > 30
    for rows in (0, 30):
        assert "rows are printed" not in page(Look(print_rows=rows))
    assert "nth-child(n+" not in page(Look(print_rows=0))
    with pytest.raises(DensingError, match="print_rows = -1"):
        report_look(print_rows=-1)


def test_a_workbook_has_a_sheet_for_each_table_and_no_formula():
    book = zipfile.ZipFile(BytesIO(report_files(REPORT, ("xlsx",))["report.xlsx"]))
    sheets = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
    assert sheets == ["headline", "densities", "a-b-c", "a-b-c 2"]
    parts = [name for name in book.namelist() if name.startswith("xl/worksheets/")]
    assert len(parts) == 4 and not any(b"<f>" in book.read(name) for name in parts)
    strings = book.read("xl/sharedStrings.xml").decode()
    assert ">'=1+1<" in strings and "Doubling time" in strings
    assert "<v>0.5</v>" in book.read("xl/worksheets/sheet3.xml").decode()  # a number


def test_a_notebook_is_valid_and_its_code_finds_the_numbers(tmp_path, monkeypatch):
    write_report(REPORT, tmp_path, ("json", "ipynb"), Look(locale="de"))
    book = nbformat.read(tmp_path / "report.ipynb", as_version=4)
    nbformat.validate(book)
    assert [cell.cell_type for cell in book.cells] == ["markdown"] * 3 + ["code"]
    assert book.cells[0].source.startswith("# Densities") and "1.155,5" not in book.cells[1].source
    assert "1.234,5" in book.cells[1].source
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(book.cells[-1].source, found)
    assert set(found["numbers"]["sections"]) == {"densities", "other"}
    assert json.loads((tmp_path / "report.ipynb").read_text()) == json.loads(
        report_files(REPORT, ("ipynb",), Look(locale="de"))["report.ipynb"]
    )


def test_what_is_not_installed_is_said_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    for name, package in (("xlsx", "XlsxWriter"), ("ipynb", "nbformat")):
        with pytest.raises(DensingError, match=rf"{package}.*pip install 'densing-bayes\[reports"):
            check_formats([name])
