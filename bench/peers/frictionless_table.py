"""frictionless: `frictionless_table.py FILE`; prints how many mistakes it finds."""

import sys

from frictionless import Checklist, Resource, Schema, checks, system
from rec20 import COLUMNS

TYPES = {"text": "string", "number": "number", "integer": "integer", "date": "date", "boolean": "boolean"}


def field(name, kind, required, constraint):
    constraints = dict(constraint, required=required, unique=name == "RECORD_ID")
    form = {"format": "any"} if kind == "date" else {}
    return {"name": name, "type": TYPES[kind], "constraints": constraints, **form}


def main(path):
    schema = Schema.from_descriptor({"fields": [field(name, *asked) for name, asked in COLUMNS.items()]})
    rules = Checklist(
        checks=[
            checks.row_constraint(formula="STARTED_ON is None or REFERRED_ON is None or STARTED_ON >= REFERRED_ON"),
            checks.row_constraint(formula="CHARGE is None or AMOUNT is None or CHARGE <= AMOUNT"),
        ]
    )
    with system.use_context(trusted=True):
        report = Resource(path=path, schema=schema).validate(rules, limit_errors=10_000_000)
    print(sum(task.stats["errors"] for task in report.tasks))


main(sys.argv[1])
