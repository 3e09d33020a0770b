"""docs/reference/parameters.md, from the parameters and outputs of template.yaml."""

from collections.abc import Iterator, Mapping
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tools.reference.markdown import code, table

INTRODUCTION = """# Parameters and outputs of the stack

*For whoever deploys a stack. It answers: what does each parameter mean, which values may it have, and which outputs
does the stack have?*

`sam deploy --guided` asks for each parameter; `sam deploy --parameter-overrides Name=Value` sets one.

"""
TYPES = {"CommaDelimitedList": "list, joined by commas", "Number": "number", "String": "text"}


def page(template: str) -> str:
    """Return the page for the text of a template."""
    document = yaml_parse(template)
    return "".join((INTRODUCTION, *_groups(document), _outputs(document.get("Outputs", {}))))


def _groups(document: Mapping[str, Any]) -> Iterator[str]:
    parameters = document["Parameters"]
    interface = document.get("Metadata", {}).get("AWS::CloudFormation::Interface", {})
    grouped: list[str] = []
    for group in interface.get("ParameterGroups", []):
        grouped += group["Parameters"]
        yield _parameters(group["Label"]["default"], {name: parameters[name] for name in group["Parameters"]})
    rest = {name: each for name, each in parameters.items() if name not in grouped}
    if rest:
        yield _parameters("Other parameters" if grouped else "Parameters", rest)


def _parameters(title: str, parameters: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (code(name), each.get("Description", "-"), _default(each), _allowed(each)) for name, each in parameters.items()
    ]
    return f"## {title}\n\n" + table(("parameter", "description", "default", "allowed values"), rows)


def _default(parameter: Mapping[str, Any]) -> str:
    if "Default" not in parameter:
        return "must be set"
    return code(str(parameter["Default"])) if parameter["Default"] != "" else "empty"


def _allowed(parameter: Mapping[str, Any]) -> str:
    kind = TYPES.get(parameter["Type"], parameter["Type"])
    if "AllowedValues" in parameter:
        return ", ".join(code(str(value)) for value in parameter["AllowedValues"])
    if "AllowedPattern" in parameter:
        return f"{kind} that matches {code(parameter['AllowedPattern'])}"
    bounds = [f"from {parameter['MinValue']}" if "MinValue" in parameter else ""]
    bounds += [f"to {parameter['MaxValue']}" if "MaxValue" in parameter else ""]
    return " ".join((kind, *filter(None, bounds)))


def _outputs(outputs: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [(code(name), each.get("Description", "-")) for name, each in outputs.items()]
    return "## Outputs\n\n" + table(("output", "description"), rows)
