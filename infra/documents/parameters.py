"""The parameters of template.yaml as tables, for the page about deployment."""

import re
from dataclasses import dataclass

from infra.documents.sections import DOCS, ROOT

PAGE = DOCS / "deploy.md"
SECTION = "parameters"
_PARAMETER = re.compile(r"^  (\w+):\n((?: {4}.*\n)+)", re.M)
_GROUP = re.compile(r"- Label: \{default: (.+)\}\n +Parameters: \[(.+)\]")


@dataclass(frozen=True)
class Parameter:
    """A parameter of the template: its default as text, and its description in one line."""

    default: str
    description: str


def parameters() -> dict[str, Parameter]:
    """The parameters by name, in the order of the template."""
    section = _template().partition("\nParameters:\n")[2].partition("\nMappings:\n")[0]
    found = {}
    for name, lines in _PARAMETER.findall(section + "\n"):
        description = lines.partition("    Description: ")[2].removeprefix(">-")
        [default] = re.findall(r"^    Default: (.*)$", lines, flags=re.M)
        found[name] = Parameter(default.strip('"'), " ".join(description.split()))
    return found


def groups() -> dict[str, list[str]]:
    """The names of the parameters by the label of their group, as CloudFormation's console shows them."""
    return {label: names.split(", ") for label, names in _GROUP.findall(_template())}


def tables() -> str:
    """A table for each group, in Markdown."""
    known = parameters()
    lines = []
    for label, names in groups().items():
        lines += [f"**{label}**", "", "| parameter | default | |", "|---|---|---|"]
        for name in names:
            default = f"`{known[name].default}`" if known[name].default else "empty"
            lines.append(f"| `{name}` | {default} | {known[name].description.replace('|', '\\|')} |")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def _template() -> str:
    return (ROOT / "template.yaml").read_text()
