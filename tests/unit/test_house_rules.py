"""The house: rules that a reader relies on, held by a test instead of by memory."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST_FILE = 300
LONGEST_TEST_FILE = 400
LONGER_ON_PURPOSE = {Path("relay/adapter.py"): 350}  # the plug-in contract is read as one file by people outside
LONGEST_FUNCTION = 40


def committed() -> list[Path]:
    """Return the files of the project: those that git knows, or all where there is no git."""
    done = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=False)
    names = done.stdout.decode().split("\0") if done.returncode == 0 else [str(path) for path in Path().rglob("*.py")]
    return sorted(path for name in names if name and (path := Path(name)).is_file() and path.parts[0] != ".venv")


FILES = committed()
CODE = [path for path in FILES if path.suffix == ".py"]
MODULES = [path for path in CODE if path.parts[0] in {"relay", "adapters"}]

FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(?:home|Users|root|work|opt)/\w"),
    "the address of a package index": re.compile(
        r"https?://[^\s\"')]*(?:/simple\b|pypi|npmjs|registry)", re.IGNORECASE
    ),
}
"""What must not stand in any committed text file."""


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_can_be_read_in_one_go() -> None:
    """A file has one subject and at most 300 lines, a file of tests at most 400."""
    long = []
    for path in CODE:
        longest = LONGER_ON_PURPOSE.get(path, LONGEST_FILE if path in MODULES else LONGEST_TEST_FILE)
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > longest:
            long.append(f"{path} ({lines})")

    assert not long, f"too long, split by subject: {', '.join(long)}"


def test_functions_fit_on_a_screen() -> None:
    """A function has at most 40 lines, its docstring not counted."""
    long = []
    for path in MODULES:
        for function in functions(path):
            begins = function.body[0].end_lineno if ast.get_docstring(function) else function.lineno - 1
            lines = (function.end_lineno or 0) - (begins or 0)
            if lines > LONGEST_FUNCTION:
                long.append(f"{path}: {function.name} ({lines})")

    assert not long, f"too long, say the steps as functions of their own: {', '.join(long)}"


def test_every_module_has_its_tests() -> None:
    """For ``relay/room/name.py`` there is a ``test_name*.py`` in the same room, or one with real peers."""
    tests = [
        path
        for root in ("unit", "contract", "integration", "acceptance")
        for path in Path("tests", root).rglob("test_*.py")
    ]
    missing = []
    for module in MODULES:
        if module.stem.startswith("__") or is_declaration(module):
            continue
        room = module.parts[1:-1] if module.parts[0] == "relay" else module.parts[:-1]
        names = {f"test_{module.stem}", *(f"test_{part}_{module.stem}" for part in room)}
        if not any(test.stem in names or test.stem.startswith(f"test_{module.stem}_") for test in tests):
            missing.append(str(module))

    assert not missing, f"no test file bears the name of: {', '.join(missing)}"


def is_declaration(path: Path) -> bool:
    """Say whether a module only declares: no function with a decision in it, nothing to test."""
    decisions = ast.If | ast.For | ast.While | ast.Try | ast.AsyncFor | ast.Match | ast.IfExp | ast.comprehension
    return not any(isinstance(node, decisions) for function in functions(path) for node in ast.walk(function))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_of_one_machine_is_committed(what: str) -> None:
    """The project builds anywhere: no private path, no package index is written down."""
    found = []
    for path in FILES:
        if path == Path("tests/unit/test_house_rules.py"):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path}: {hit[0]}" for hit in FORBIDDEN[what].finditer(text)]

    assert not found, f"{what}: {'; '.join(found[:10])}"


def documents() -> list[Path]:
    return [path for path in [Path("README.md"), *Path("docs").rglob("*.md")] if path.is_file()]


def test_paths_in_the_documents_exist() -> None:
    """A path that README or a document names is there."""
    roots = "relay|adapters|config|docs|tests|bench"
    named = re.compile(rf"(?<![\w/.:-])(?:\./)?((?:{roots})/[\w./-]*\w)")
    missing = [
        f"{document}: {hit[1]}"
        for document in documents()
        for hit in named.finditer(document.read_text(encoding="utf-8"))
        if not Path(hit[1]).exists() and not hit[1].startswith("bench/results/")
    ]

    assert not missing, "; ".join(missing)
