"""The documents are true: commands, settings, links, samples and dependencies that they name are there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from relay.cli import app
from relay.commands.alert_file import read
from relay.commands.options import GLOBALS
from relay.commands.validate import examine
from relay.directory.egress import Guard
from relay.directory.recipient import parse
from relay.settings import Section, Settings, load

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
EXAMPLES = ROOT / "docs" / "examples"

_CODE = re.compile(r"^```\w*\n(?P<block>.*?)^```$|`(?P<inline>[^`\n]+)`", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r"--[a-z][a-z-]*")
_GPL = re.compile(r"(?<!L)GPL|GNU (?:Affero )?General Public", re.IGNORECASE)

#: Packages that this environment does not have, so that their licence cannot be looked up here.
_NOT_INSTALLED = {"arq", "celery"}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_lines(page: Path) -> Iterator[str]:
    """Yield what the page sets as code, line by line."""
    for match in _CODE.finditer(text_of(page)):
        yield from (match["block"] or match["inline"]).splitlines()
    yield from (line[4:] for line in text_of(page).splitlines() if line.startswith("    ./run"))


def ids(page: Path) -> str:
    return page.name


def _command(words: list[str]) -> tuple[str, Mapping[str, Any]]:
    """Return what is wrong with the command that ``words`` begin with, and its options by name."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return f"no command {words[0]}", {}
        command = command.commands[words.pop(0)]
    options = {name: parameter for parameter in command.params for name in parameter.opts}
    return "", options | dict.fromkeys(("--help", *GLOBALS))


def faults(page: Path) -> list[str]:
    """Return the commands of a page that the relay does not have, with what is wrong with each."""
    found = []
    for line in code_lines(page):
        match = re.match(r"(?:\./run )?relay ((?:[a-z]+ ?)+)(.*)", line.strip())
        if match is None:
            continue
        fault, options = _command(match[1].split())
        unknown = [name for name in _OPTION.findall(match[2]) if name not in options]
        found += [f"{line}: {said}" for said in (fault, *unknown) if said]
    return found


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_exist(page: Path) -> None:
    """Whoever types a command of a page finds it, with the options that the page gives it."""
    assert faults(page) == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_words_of_run_exist(page: Path) -> None:
    """``./run WORD`` is one that the script knows."""
    known = set(re.findall(r"^([a-z| ]+)\)$", (ROOT / "run").read_text(encoding="utf-8"), re.MULTILINE))
    words = {word.strip() for line in known for word in line.split("|")}
    named = {word for line in code_lines(page) for word in re.findall(r"\./run ([a-z]+)", line)}

    assert {"demo", "test", "serve", "relay"} <= words
    assert named <= words


def test_a_wrong_command_is_found(tmp_path: Path) -> None:
    """The check sees blocks, inline code, and options that do not exist."""
    page = tmp_path / "page.md"
    page.write_text("Type `relay alerts lst`.\n\n```sh\n./run relay stop --resaon x\n```\n", encoding="utf-8")

    assert faults(page) == ["relay alerts lst: no command lst", "./run relay stop --resaon x: --resaon"]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the project, or to a heading of the page, works."""
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    }
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)) if "://" not in target]
    broken = [
        target
        for target in targets
        if (target[1:] not in headings if target.startswith("#") else not (page.parent / target).exists())
    ]

    assert broken == []


def settings_of(section: type[Section], prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of all settings."""
    for name, field in section.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from settings_of(field.annotation, f"{prefix}{name}.")


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_settings_exist(page: Path) -> None:
    """A setting that a page names by section and name is one of the relay's."""
    known = set(settings_of(Settings))
    sections = "|".join(name.partition(".")[0] for name in known if "." in name)
    named = {
        name
        for match in _CODE.finditer(text_of(page))
        for name in re.findall(rf"^(?:{sections})\.[a-z_]+$", match["inline"] or "")
    }

    assert named <= known


def test_readme_is_plain() -> None:
    """One picture, no badges, no emoji."""
    text = text_of(ROOT / "README.md")

    assert re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text) == ["docs/status.png"]
    assert "shields.io" not in text
    assert re.findall("[\u2600-\u27bf\U0001f300-\U0001faff]", text) == []
    assert "./run demo" in text
    assert "./run test" in text


ALERTS = sorted([*EXAMPLES.glob("*.xml"), *EXAMPLES.glob("*.json")])


@pytest.mark.parametrize("sample", ALERTS, ids=ids)
def test_sample_alerts_are_good(sample: Path) -> None:
    """A sample has no error and nothing to repair, whatever its encoding."""
    report = examine(
        read(sample), settings=Settings(), strict=True, language="en", now=datetime(2026, 1, 1, tzinfo=UTC)
    )

    assert report["valid"], report
    assert [finding for finding in report["findings"] if finding["severity"] != "warning"] == []


def test_sample_alerts_speak_the_languages() -> None:
    """The samples cover English, Russian, Kazakh and Kyrgyz, and an old encoding."""
    texts = [sample.read_bytes() for sample in ALERTS]
    languages = {found.decode() for text in texts for found in re.findall(rb'language(?:>|": ")([a-z]+)', text)}

    assert languages >= {"en", "ru", "kk", "ky"}
    assert any(b'encoding="windows-1251"' in text for text in texts)


def test_sample_people_and_configuration_are_good() -> None:
    """The people can be imported, with fictional numbers and mailboxes; the configuration can be used."""
    lines = (EXAMPLES / "people.ndjson").read_bytes().splitlines()
    people = [parse(line, guard=Guard(), make_secret=lambda: "").recipient for line in lines]
    addresses = [address.value for person in people for address in person.addresses]

    assert len({person.id for person in people}) == len(lines)
    assert all(value.startswith("+7701000") or value.endswith(".example") for value in addresses)
    assert {channel.adapter for channel in load(EXAMPLES / "first-alert.toml").channels.values()} == {
        "console",
        "webhook",
    }


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def direct() -> set[str]:
    """Return the names of all packages that ``pyproject.toml`` asks for."""
    tables = (project()["project"]["optional-dependencies"], project()["dependency-groups"])
    asked = [
        *project()["project"]["dependencies"],
        *(each for table in tables for group in table.values() for each in group),
    ]
    return {canonicalize_name(Requirement(each).name) for each in asked}


def brought(asked: Iterable[str]) -> dict[str, str]:
    """Return what is installed for ``asked``, with all that it needs: name and licence as the package gives it."""
    found: dict[str, str] = {}
    waiting = [Requirement(each) for each in asked]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        meta = distribution(name).metadata.json
        said = str(meta.get("license_expression") or meta.get("license") or "").partition("\n")[0]
        classes = [each for each in meta.get("classifier", ()) if each.startswith("License ::")]
        found[name] = said or " / ".join(each.rpartition(":: ")[2] for each in classes)
        waiting += [Requirement(each) for each in distribution(name).requires or ()]
    return found


def listed() -> dict[str, str]:
    """Return the packages of ``docs/dependencies.md`` with the licence that stands there."""
    rows = re.findall(
        r"^\| ([a-z0-9-]+) \| [^|]+ \| ([^|]+) \| [^|]+ \|$", text_of(ROOT / "docs/dependencies.md"), re.MULTILINE
    )
    return {name: licence.strip() for name, licence in rows if name != "package"}


def test_every_dependency_is_listed() -> None:
    """The page has a line for each package that the project asks for, and for no other."""
    assert set(listed()) == direct()


@pytest.mark.parametrize("name", sorted(listed()))
def test_licences_are_those_of_the_packages(name: str) -> None:
    """The licence on the page is the one that the installed package gives."""
    try:
        given = brought([name])[name]
    except PackageNotFoundError:
        assert name in _NOT_INSTALLED
        return

    assert given.startswith((listed()[name], listed()[name].removesuffix(" License")))


def test_what_runs_is_listed_and_free_of_the_gpl() -> None:
    """The page names everything that an installation brings, and none of it is under the GPL."""
    runs = brought(project()["project"]["dependencies"])
    extras = brought(project()["project"]["optional-dependencies"]["demo"])
    sentence = re.search(r"^They bring: (.*?):", text_of(ROOT / "docs/dependencies.md"), re.MULTILINE | re.DOTALL)
    locked = set(re.findall(r"^([a-z0-9-]+)==", text_of(ROOT / "requirements.lock"), re.MULTILINE))

    assert sentence is not None
    named = set(re.split(r"[,\s]+", sentence[1].strip()))
    assert set(runs) - direct() <= named <= locked
    assert {name: licence for name, licence in (runs | extras).items() if not licence or _GPL.search(licence)} == {}
