"""Reads a Delta table with an engine that is not ours, and prints its rows as JSON lines, in order.

usage: read.py deltars|duckdb|clickhouse ADDRESS [--version N] [--s3 ENDPOINT]
"""

import argparse
import json
import os
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("engine", choices=["deltars", "duckdb", "clickhouse"])
parser.add_argument("address")
parser.add_argument("--version", type=int)
parser.add_argument("--s3")
said = parser.parse_args()


def deltars():
    import deltalake

    options = None
    if said.s3:
        options = {
            "AWS_ENDPOINT_URL": said.s3, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-west-2", "AWS_ALLOW_HTTP": "true",
        }
    table = deltalake.DeltaTable(said.address, version=said.version, storage_options=options)
    builder = deltalake.QueryBuilder().register("t", table)
    read = builder.execute("SELECT * FROM t").read_all()
    names = [field.name for field in read.schema]
    columns = [[value.as_py() for value in read.column(name)] for name in names]
    return [dict(zip(names, row)) for row in zip(*columns)]


def duckdb():
    import duckdb
    import duckdb_extension_delta

    connection = duckdb.connect(config={"allow_unsigned_extensions": "false"})
    extension, = (Path(duckdb_extension_delta.__file__).parent / "extensions").glob("*/delta.duckdb_extension")
    connection.load_extension(str(extension))
    version = "" if said.version is None else f", version => {said.version}"
    found = connection.sql(f"SELECT * FROM delta_scan('{said.address}'{version})")
    return [dict(zip(found.columns, row)) for row in found.fetchall()]


def clickhouse():
    """By ClickHouse's own reader: the others read through the library that we write with. It knows no earlier versions."""
    import chdb

    path = said.address.removeprefix("file://")
    place = f"deltaLakeLocal('{path}')"
    if not said.s3:
        # It reads what is below where it is, and nothing else.
        os.chdir(path)
    else:
        place = f"deltaLake('{said.address.replace('s3://', said.s3.rstrip('/') + '/')}', 'key', 'secret')"
    settings = "allow_experimental_delta_kernel_rs = 0, output_format_json_quote_decimals = 1, output_format_decimal_trailing_zeros = 1"
    found = chdb.query(f"SELECT * FROM {place} SETTINGS {settings}", "JSONEachRow")
    return [json.loads(line) for line in str(found).splitlines()]


rows = {"deltars": deltars, "duckdb": duckdb, "clickhouse": clickhouse}[said.engine]()
lines = [json.dumps(row, sort_keys=True, default=str) for row in rows]
print("\n".join(sorted(lines)))
