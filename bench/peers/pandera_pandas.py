"""pandera on pandas: `pandera_pandas.py FILE calamine|openpyxl|csv`; prints how many cells it finds fault with."""

import sys

import pandas as pd
import pandera.pandas as pa
from rec20 import COLUMNS

DTYPES = {"text": "string", "number": "Float64", "integer": "Int64", "date": "datetime64[ns]", "boolean": "boolean"}


def checks(constraint):
    if "pattern" in constraint:
        yield pa.Check.str_matches(constraint["pattern"])
    if "enum" in constraint:
        yield pa.Check.isin(constraint["enum"])
    if "minimum" in constraint:
        yield pa.Check.ge(constraint["minimum"])
    if "maximum" in constraint:
        yield pa.Check.le(constraint["maximum"])


def read(path, how):
    if how == "csv":
        frame = pd.read_csv(path, dtype="string")
        for name, (kind, _, _) in COLUMNS.items():
            if kind == "boolean":
                frame[name] = frame[name].map({"true": True, "false": False})
        return frame
    texts = {name: "string" for name, (kind, _, _) in COLUMNS.items() if kind == "text"}
    return pd.read_excel(path, engine=how, dtype=texts)


def main(path, how):
    frame = read(path, how)
    found = set()
    for name, (kind, _, _) in COLUMNS.items():
        if kind == "text" or kind == "boolean":
            continue
        convert = pd.to_datetime if kind == "date" else pd.to_numeric
        typed = convert(frame[name], errors="coerce")
        found.update((row, name) for row in frame.index[frame[name].notna() & typed.isna()])
        frame[name] = typed.astype(DTYPES[kind])
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(DTYPES[kind], list(checks(constraint)), nullable=not required, coerce=True, unique=name == "RECORD_ID")
            for name, (kind, required, constraint) in COLUMNS.items()
        },
        checks=[
            pa.Check(lambda f: ~(f["STARTED_ON"] < f["REFERRED_ON"]), name="STARTED_ON"),
            pa.Check(lambda f: ~(f["CHARGE"] > f["AMOUNT"]).fillna(False), name="CHARGE"),
        ],
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        for case in cases[["index", "column", "check"]].drop_duplicates().itertuples():
            found.add((case.index, case.check if case.check in ("STARTED_ON", "CHARGE") else case.column))
    print(len(found))


main(*sys.argv[1:])
