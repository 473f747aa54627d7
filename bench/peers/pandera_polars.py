"""pandera on polars: `pandera_polars.py FILE`; prints how many mistakes it finds."""

import sys

import pandera.polars as pa
import polars as pl
from rec20 import COLUMNS

DTYPES = {"text": pl.String, "number": pl.Float64, "integer": pl.Int64, "date": pl.Date, "boolean": pl.Boolean}


def checks(constraint):
    if "pattern" in constraint:
        yield pa.Check.str_matches(constraint["pattern"])
    if "enum" in constraint:
        yield pa.Check.isin(constraint["enum"])
    if "minimum" in constraint:
        yield pa.Check.ge(constraint["minimum"])
    if "maximum" in constraint:
        yield pa.Check.le(constraint["maximum"])


def main(path):
    frame = pl.read_csv(path, infer_schema=False) if path.endswith(".csv") else pl.read_excel(path)
    n_found = 0
    for name, (kind, _, _) in COLUMNS.items():
        before = frame[name]
        if before.dtype == DTYPES[kind]:
            continue
        if kind == "date":
            after = before.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False) if before.dtype == pl.String else before.cast(pl.Date, strict=False)
        elif kind == "boolean" and before.dtype == pl.String:
            after = before == "true"
        else:
            after = before.cast(DTYPES[kind], strict=False)
        n_found += (before.is_not_null() & after.is_null()).sum()
        frame = frame.with_columns(after.alias(name))
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(DTYPES[kind], list(checks(constraint)), nullable=not required, unique=name == "RECORD_ID")
            for name, (kind, required, constraint) in COLUMNS.items()
        },
        checks=[
            pa.Check(lambda data: data.lazyframe.select(~(pl.col("STARTED_ON") < pl.col("REFERRED_ON")).fill_null(False))),
            pa.Check(lambda data: data.lazyframe.select(~(pl.col("CHARGE") > pl.col("AMOUNT")).fill_null(False))),
        ],
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        n_found += errors.failure_cases.height
    print(n_found)


main(sys.argv[1])
