"""Reads a Delta table with an engine that is not ours, and prints its rows as JSON lines, in order.

usage: read.py deltars|duckdb ADDRESS [--version N] [--s3 ENDPOINT]
"""

import argparse
import json
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("engine", choices=["deltars", "duckdb"])
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


rows = deltars() if said.engine == "deltars" else duckdb()
lines = [json.dumps(row, sort_keys=True, default=str) for row in rows]
print("\n".join(sorted(lines)))
