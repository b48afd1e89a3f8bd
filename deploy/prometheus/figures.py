"""What rules and dashboards ask of Prometheus.

    python figures.py THROW_AWAY.yml

writes every expression of the dashboards into a file of rules, for promtool to read, and looks that each figure that rules and dashboards name is one that
src/app/metrics.rs describes.
"""

import json
import pathlib
import re
import sys

DEPLOY = pathlib.Path(__file__).resolve().parent.parent
RULES = DEPLOY / "prometheus/rules.yml"
# What stands for the variables of a dashboard.
VARIABLES = {"$__rate_interval": "5m", "$operation": ".*", "$instance": ".*", "$route": ".*", "$job": ".*"}
PARTS_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")


def dashboards():
    return sorted((DEPLOY / "grafana/dashboards").glob("*.json"))


def expressions(found):
    """Every `expr` within a dashboard, however deep."""
    if isinstance(found, dict):
        if "expr" in found:
            yield found["expr"]
        for within in found.values():
            yield from expressions(within)
    elif isinstance(found, list):
        for within in found:
            yield from expressions(within)


def filled(expression):
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def names():
    """The figures that are named, and by which files. What rules record has colons in its name."""
    found = {}
    for path in [RULES, *dashboards()]:
        for name in re.findall(r"(?<![\w:])(?:staygate|process)_\w+(?![\w:])", path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(path.name)
    return found


def described():
    """The figures of the source, and of which kind each is."""
    source = (DEPLOY.parent / "src/app/metrics.rs").read_text(encoding="utf-8")
    return {name: kind for kind, name in re.findall(r'describe_(\w+)!\(\s*"(\w+)"', source)}


def figure(name, kinds):
    """The figure that a name belongs to: a histogram is asked for by its parts."""
    for part in PARTS_OF_A_HISTOGRAM:
        whole = name.removesuffix(part)
        if whole != name and kinds.get(whole) == "histogram":
            return whole
    return name


def main(path):
    rules, mistakes = [], []
    for file in dashboards():
        board = json.loads(file.read_text(encoding="utf-8"))
        for number, expression in enumerate(expressions(board)):
            expression = filled(expression)
            if "$" in expression:
                mistakes.append(f"{file.name}: this check does not know a variable of {expression}")
            rules.append({"record": f"throw_away:{number}", "expr": expression})
    # JSON is YAML.
    pathlib.Path(path).write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}), encoding="utf-8")
    kinds = described()
    for name, files in sorted(names().items()):
        if name.startswith("process_"):
            continue
        where, whole = ", ".join(sorted(files)), figure(name, kinds)
        if whole not in kinds:
            mistakes.append(f"{where}: {name} is no figure that src/app/metrics.rs describes")
    print(f"{len(rules)} expressions, {len(names())} figures")
    print(*mistakes, sep="\n")
    return bool(mistakes) or not rules


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
