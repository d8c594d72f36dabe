"""Write the parts of architecture.md that come from the code: rooms, imports, calls.

Run ``python docs/architecture.py`` after a room, an import between rooms or a function on the way
of the doubling time has changed. A test fails while the page says something else.
"""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import grimp
from measures import functions as functions_of
from measures import parameter_names

HERE = Path(__file__).parent
PAGE = HERE / "architecture.md"
PACKAGE = "densing_bayes"
LAYERS = "Rooms import from rooms before them"  # the contract in pyproject.toml

# Who calls whom on the way of the doubling time after a change, outermost first. Each function is
# called by the one above it that stands one step further left; the page is not written otherwise.
WAY = """
fitting.fit.fit
  inputs.specification.as_spec
    inputs.specification.load_spec
  inputs.panel.as_panel
    inputs.panel.load_panel
      inputs.tables.reading.read_tables
  observed.observations.observe
    observed.selection.select
  fitting.compiled.compile_fit
    joint.model.assemble
    fitting.start.pilot
    fitting.coordinates.conditioned.condition
    fitting.engine.functions.make_engine
      fitting.engine.tape.record
  fitting.fit.fit_compiled
    fitting.steps.whitened_by
      fitting.whitening.laplace
      fitting.chains.pilot_run
    fitting.steps.sampled
      fitting.chains.sample
        fitting.engine.functions.sample
      posterior.diagnostics.diagnose
    posterior.result.Fit
report.assembly.make_report
  quantities.summary.trend_summary
    quantities.growth.growth
    quantities.growth.doubling_time
      joint.laws.doubling_time
    posterior.estimates.estimate
  display.headline.headline
  report.sections.fit.fit_sections
    display.answers.trend.trend_section
      display.answers.trend.trend_rows
      display.section.Section
report.files.write_report
"""


def contract(name: str) -> dict[str, list[str]]:
    """A contract of import-linter in pyproject.toml, by its name."""
    settings = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    return next(each for each in contracts if each["name"] == name)


def layers(name: str) -> list[list[str]]:
    """Layers of a contract, lowest first; those of one layer do not import each other."""
    return [layer.split(" | ") for layer in reversed(contract(name)["layers"])]


def rooms() -> str:
    """A table of the rooms from the lowest up: what stands there, and what it may import."""
    lines = ["| room | what stands there | may import |", "|---|---|---|"]
    below: list[str] = []
    for layer in layers(LAYERS):
        for room in layer:
            allowed = "nothing of the package" if not below else f"the {len(below)} above"
            lines.append(f"| `{room}` | {first_sentence(room)} | {allowed} |")
            lines += [f"| &emsp;`{each}` | {first_sentence(each)} | |" for each in sub_rooms(room)]
        below += layer
    return "\n".join(lines)


def sub_rooms(room: str) -> list[str]:
    """Folders within a room, and those within them."""
    folder = HERE.parent / PACKAGE
    inside = sorted(path.parent for path in (folder / room).rglob("*/__init__.py"))
    return [".".join(path.relative_to(folder).parts) for path in inside]


def imports() -> str:
    """Rooms by rooms, with a mark where the one at the left imports the one at the top."""
    order = [room for layer in layers(LAYERS) for room in layer]
    graph = grimp.build_graph(PACKAGE)
    edges = {
        (room_of(importer), room_of(imported))
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    }
    width = max(map(len, order))
    lines = []
    for number, room in enumerate(order):
        marks = ["x" if (room, other) in edges else "." for other in order[:number]]
        lines.append(f"{room:{width}}  {' '.join(marks)}")
    legend = "columns, from the left: " + ", ".join(order[:-1])
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```", "", legend])


def way() -> str:
    """The calls of :data:`WAY`, each with the first sentence of its docstring."""
    lines, callers = ["| function | what it does |", "|---|---|"], []
    for line in WAY.strip().splitlines():
        depth, name = (len(line) - len(line.lstrip())) // 2, line.strip()
        callers = [*callers[:depth], name]
        if depth and not calls(callers[-2], name):
            raise LookupError(f"{callers[-2]} does not call {name}: correct WAY in {__file__}")
        lines.append(f"| {'&emsp;' * depth}`{name}` | {first_sentence(name)} |")
    return "\n".join(lines)


def passage() -> str:
    """Modules that the specification of a fit passes through, room by room."""
    graph = grimp.build_graph(PACKAGE)
    end = f"{PACKAGE}.fitting.fit"
    reached = sorted({end, *graph.find_upstream_modules(end)})
    lines = ["| room | modules that take `spec` |", "|---|---|"]
    for room in (room for layer in layers(LAYERS) for room in layer):
        names = [
            name.removeprefix(f"{PACKAGE}.{room}").removeprefix(".")
            for name in reached
            if room_of(name) == room and takes_spec(name.removeprefix(f"{PACKAGE}."))
        ]
        if names:
            lines.append(f"| `{room}` | {', '.join(f'`{name}`' for name in names)} |")
    return "\n".join(lines)


def takes_spec(module: str) -> bool:
    """Whether a function of a module has a parameter of this name."""
    text = file_of(module).read_text(encoding="utf-8")
    return any("spec" in parameter_names(node) for node in functions_of(text))


def room_of(module: str) -> str:
    """The room of a module: what follows the name of the package."""
    return module.split(".")[1] if "." in module else PACKAGE


def first_sentence(name: str) -> str:
    """What the docstring of a room, module or function begins with."""
    node = definition(name)
    words = (ast.get_docstring(node) or "").split("\n\n")[0]
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", " ".join(words.split())).removesuffix(".")


def calls(caller: str, called: str) -> bool:
    """Whether a function names another, itself or through functions of its own module."""
    module, _, start = caller.rpartition(".")
    waiting, seen = [start], set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in functions(module):
            seen.add(name)
            waiting += names_in(functions(module)[name])
    named = seen | {name for each in seen for name in names_in(functions(module)[each])}
    target, _, function = called.rpartition(".")
    aliases = {alias for alias, of in imported_as(module).items() if of == f"{PACKAGE}.{called}"}
    of_module = imported_as(module).get(target.rpartition(".")[2]) == f"{PACKAGE}.{target}"
    here = target == module and function in named
    return bool(here or named & aliases or (of_module and function in named))


def names_in(node: ast.AST) -> set[str]:
    """Names and attributes that a piece of source uses."""
    nodes = list(ast.walk(node))
    names = {each.id for each in nodes if isinstance(each, ast.Name)}
    return names | {each.attr for each in nodes if isinstance(each, ast.Attribute)}


def imported_as(module: str) -> dict[str, str]:
    """Full names of what a module imports from the package, by the name that it gives it."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(source(module))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def definition(name: str) -> ast.Module | ast.FunctionDef | ast.ClassDef:
    """Syntax tree of a room, module, function or class, by its name within the package."""
    module, _, function = name.rpartition(".")
    if not module or file_of(name).exists():
        return source(name)
    if function not in functions(module):
        raise LookupError(f"there is no {name}: correct WAY in {__file__}")
    return functions(module)[function]


def functions(module: str) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    """Functions and classes of a module, by name."""
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name: node for node in source(module).body if isinstance(node, kinds)}


@cache
def source(module: str) -> ast.Module:
    """Syntax tree of a module."""
    return ast.parse(file_of(module).read_text(encoding="utf-8"))


def file_of(module: str) -> Path:
    """File of a module or room, whether or not there is one."""
    place = HERE.parent.joinpath(PACKAGE, *module.split("."))
    room = place / "__init__.py"
    return room if room.exists() else place.with_suffix(".py")


PARTS = {
    "rooms": rooms,
    "imports": imports,
    "way": way,
    "passage": passage,
}


def written(page: str) -> str:
    """A page with its parts between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` anew."""
    for name, make in PARTS.items():
        begin, end = f"<!-- begin {name} -->\n", f"\n<!-- end {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise LookupError(f"{PAGE} has no part '{name}': it needs {begin}...{end}")
        page = f"{before}{begin}\n{make()}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
