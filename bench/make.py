"""Makes the files that the benchmark reads: REC20 as xlsx and csv, FORM20 as xlsx, and REC20 with two mistakes in each row as csv.

    make.py FOLDER [--rows 100000 ...] [--form] [--faulty 50000 ...]

REC20: one sheet, 20 columns, about one row in a hundred with a planted mistake of one of 13 kinds.
FORM20: 20 sheets of 60 lines with a code and 11 numbers, and the return that they are: a table and a sum for each sheet.
The same seed gives the same files. Everything in them is made up.
"""

import argparse
import csv
import datetime
import json
import random
import zipfile
from pathlib import Path

COLUMNS = [
    "RECORD_ID", "CLIENT_ID", "WORKER_ID", "COUNCIL", "SERVICE", "OUTCOME", "GROUP", "TENURE",
    "REFERRED_ON", "STARTED_ON", "ENDED_ON", "BIRTH_DATE", "HOURS", "AMOUNT", "CHARGE", "AGE",
    "VISITS", "POSTCODE", "LIVES_ALONE", "CARER",
]
LETTERS = "ABCDEFGHIJKLMNOPQRST"
EPOCH = datetime.date(1899, 12, 30)
FIRST_DAY = datetime.date(2025, 4, 1)

# Each kind takes a right row and puts one thing wrong in it: (name, column, how).
MISTAKES = [
    ("type-integer", "AGE", lambda row, rows: "forty"),
    ("type-date", "BIRTH_DATE", lambda row, rows: "not known"),
    ("type-decimal", "HOURS", lambda row, rows: "ten"),
    ("enum-service", "SERVICE", lambda row, rows: "9"),
    ("enum-council", "COUNCIL", lambda row, rows: "S12000099"),
    ("pattern-id", "CLIENT_ID", lambda row, rows: "X123"),
    ("pattern-postcode", "POSTCODE", lambda row, rows: "EH1"),
    ("minimum", "AMOUNT", lambda row, rows: -5.25),
    ("maximum", "AGE", lambda row, rows: 130),
    ("required", "TENURE", lambda row, rows: None),
    ("unique", "RECORD_ID", lambda row, rows: rows[-1]["RECORD_ID"] if rows else row["RECORD_ID"]),
    ("date-order", "STARTED_ON", lambda row, rows: row["REFERRED_ON"] - datetime.timedelta(days=3)),
    ("amount", "CHARGE", lambda row, rows: round(row["AMOUNT"] + 1, 2)),
]


def right_row(number, rng):
    referred = FIRST_DAY + datetime.timedelta(days=rng.randrange(365))
    started = referred + datetime.timedelta(days=rng.randrange(30))
    amount = rng.randrange(1_000, 90_000) / 100
    return {
        "RECORD_ID": f"R{number:08}",
        "CLIENT_ID": f"C{rng.randrange(10_000_000):07}",
        "WORKER_ID": f"W{rng.randrange(100_000):05}" if rng.random() < 0.9 else None,
        "COUNCIL": f"S120000{rng.randrange(5, 37):02}",
        "SERVICE": str(rng.randrange(1, 6)),
        "OUTCOME": f"{rng.randrange(1, 13):02}" if rng.random() < 0.7 else None,
        "GROUP": f"G{rng.randrange(1, 21):02}",
        "TENURE": rng.choice("ABCDEFGH"),
        "REFERRED_ON": referred,
        "STARTED_ON": started,
        "ENDED_ON": started + datetime.timedelta(days=rng.randrange(200)) if rng.random() < 0.6 else None,
        "BIRTH_DATE": datetime.date(1930, 1, 1) + datetime.timedelta(days=rng.randrange(33_000)),
        "HOURS": rng.randrange(0, 16_800) / 100,
        "AMOUNT": amount,
        "CHARGE": round(amount * rng.random(), 2),
        "AGE": rng.randrange(0, 100),
        "VISITS": rng.randrange(0, 400) if rng.random() < 0.9 else None,
        "POSTCODE": f"{rng.choice(['EH', 'G', 'AB', 'DD', 'KY', 'IV'])}{rng.randrange(1, 10)} {rng.randrange(1, 10)}{rng.choice('ABDEFGHJ')}{rng.choice('LNPQRSTU')}",
        "LIVES_ALONE": rng.random() < 0.4,
        "CARER": rng.random() < 0.5 if rng.random() < 0.8 else None,
    }


def rows(n_rows, planted):
    """Rows in order; `planted` collects (row number, column, kind) of each mistake. The heading is row 1."""
    rng = random.Random(20)
    before = []
    for number in range(1, n_rows + 1):
        row = right_row(number, rng)
        if rng.random() < 0.0126:
            name, column, how = MISTAKES[rng.randrange(len(MISTAKES))]
            if name != "unique" or before:
                row[column] = how(row, before)
                planted.append((number + 1, column, name))
        before = [row]
        yield row


HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def write_parts(package, sheet_names):
    sheets = list(enumerate(sheet_names, 1))
    package.writestr(
        "[Content_Types].xml",
        HEAD + f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{SHEET}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{SHEET}.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="{SHEET}.sharedStrings+xml"/>'
        + "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{SHEET}.worksheet+xml"/>' for n, _ in sheets) + "</Types>",
    )
    package.writestr("_rels/.rels", HEAD + f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
    package.writestr(
        "xl/workbook.xml",
        HEAD + f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>' + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in sheets) + "</sheets></workbook>",
    )
    package.writestr(
        "xl/_rels/workbook.xml.rels",
        HEAD + f'<Relationships xmlns="{PACKAGE}/relationships">' + "".join(f'<Relationship Id="rId{n}" Type="{REL}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in sheets)
        + f'<Relationship Id="rIdS" Type="{REL}/styles" Target="styles.xml"/><Relationship Id="rIdT" Type="{REL}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    )
    package.writestr(
        "xl/styles.xml",
        HEAD + f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    )


def cell(place, value, texts):
    if value is None:
        return ""
    if value is True or value is False:
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime.date):
        return f'<c r="{place}" s="1"><v>{(value - EPOCH).days}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="s"><v>{texts.setdefault(value, len(texts))}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def write_texts(package, texts):
    with package.open("xl/sharedStrings.xml", "w") as part:
        part.write((HEAD + f'<sst xmlns="{MAIN}" count="{len(texts)}" uniqueCount="{len(texts)}">').encode())
        for text in texts:
            part.write(f"<si><t>{text}</t></si>".encode())
        part.write(b"</sst>")


def csv_row(row):
    return ["" if row[name] is None else str(row[name]).lower() if isinstance(row[name], bool) else row[name] for name in COLUMNS]


def rec20(folder, n_rows):
    planted, texts = [], {}
    named = folder / f"rec20-{n_rows}"
    with zipfile.ZipFile(f"{named}.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package, open(f"{named}.csv", "w", newline="") as plain:
        lines = csv.writer(plain, lineterminator="\n")
        lines.writerow(COLUMNS)
        write_parts(package, ["REC20"])
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write((HEAD + f'<worksheet xmlns="{MAIN}"><dimension ref="A1:T{n_rows + 1}"/><sheetData>').encode())
            sheet.write(('<row r="1">' + "".join(cell(f"{letter}1", name, texts) for letter, name in zip(LETTERS, COLUMNS)) + "</row>").encode())
            for row_number, row in enumerate(rows(n_rows, planted), 2):
                cells = "".join(cell(f"{letter}{row_number}", row[name], texts) for letter, name in zip(LETTERS, COLUMNS))
                sheet.write(f'<row r="{row_number}" spans="1:20">{cells}</row>'.encode())
                lines.writerow(csv_row(row))
            sheet.write(b"</sheetData></worksheet>")
        write_texts(package, texts)
    Path(f"{named}.json").write_text(json.dumps(planted))


def faulty(folder, n_rows):
    """Two mistakes in each row, of any two kinds: too few of a kind for one mistake throughout a column."""
    rng = random.Random(21)
    kinds = [kind for kind in MISTAKES if kind[0] != "unique"]
    with open(folder / f"faulty-{n_rows}.csv", "w", newline="") as plain:
        lines = csv.writer(plain, lineterminator="\n")
        lines.writerow(COLUMNS)
        for number in range(1, n_rows + 1):
            row = right_row(number, rng)
            # The last two compare columns that the others may spoil.
            for _, column, how in sorted(rng.sample(kinds, 2), key=kinds.index, reverse=True):
                row[column] = how(row, [])
            lines.writerow(csv_row(row))
    (folder / f"faulty-{n_rows}.json").write_text(json.dumps({"mistakes": 2 * n_rows}))


def form20(folder):
    names = [f"Form {n}" for n in range(1, 21)]
    rng = random.Random(20)
    with zipfile.ZipFile(folder / "form20.xlsx", "w", zipfile.ZIP_DEFLATED) as package:
        write_parts(package, names)
        texts = {}
        for n, name in enumerate(names, 1):
            lines = [
                "".join(cell(f"{LETTERS[column]}{row}", f"{name} line {row}" if column == 0 else rng.randrange(10_000), texts) for column in range(12))
                for row in range(1, 61)
            ]
            body = "".join(f'<row r="{row}">{line}</row>' for row, line in enumerate(lines, 1))
            package.writestr(f"xl/worksheets/sheet{n}.xml", HEAD + f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>')
        write_texts(package, texts)


def form20_spec(folder):
    """The return's version folder: like REC20's, but for its tables."""
    spec = folder / "form20" / "1"
    (spec / "tables").mkdir(parents=True, exist_ok=True)
    tables = [f"form{n}" for n in range(1, 21)]
    like = Path(__file__).resolve().parent / "rec20" / "1"
    text = (like / "return.toml").read_text().replace("rec20", "form20").replace("REC20", "FORM20")
    (spec / "return.toml").write_text(text.replace("Twenty columns", "Twenty forms").replace('tables = ["record"]', f"tables = {json.dumps(tables)}"))
    (spec / "CHANGES.md").write_text((like / "CHANGES.md").read_text())
    said = 'source = "performance"\nconfidence = "inferred"\n'
    (spec / "rules.toml").write_text("".join(
        f'[[rule]]\nid = "{table}.more-than-there-is"\ntable = "{table}"\nkind = "assert"\nseverity = "error"\nitems = ["b"]\n'
        f'message = "{{b}} is too much."\nfix = "Correct it."\n{said}assert = "b <= 10000"\n\n'
        for table in tables
    ))
    items = "bcdefghijkl"
    about = {"x-source": "performance", "x-confidence": "inferred"}
    properties = {"line": {"title": "Line", "description": "The line's code.", "type": "string", **about}}
    for item in items:
        properties[item] = {"title": f"Column {item}", "description": "A number.", "type": "integer", "minimum": 0, "maximum": 9_999, **about}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Line", "description": "A line of a form: made up, of nobody.",
        "type": "object", "additionalProperties": False, "properties": properties, "required": ["line", *items],
    }
    for n, table in enumerate(tables, 1):
        (spec / "tables" / f"{table}.schema.json").write_text(json.dumps(schema, indent=2))
        lines = "".join(
            f'[[lines.line]]\ncode = "Form {n} line {row}"\nrow = {row}\nlabel = "Line {row}"\ndescription = "Made up."\n{said}\n' for row in range(1, 61)
        )
        columns = "".join(f'[[lines.column]]\nitem = "{item}"\ncolumn = "{item.upper()}"\n\n' for item in items)
        (spec / "tables" / f"{table}.toml").write_text(
            f'layout = "matrix"\ntitle = "Form {n}"\ncode_column = "A"\n\n[sheet]\nnames = ["Form {n}"]\n\n'
            f'[[anchors]]\ncell = "A1"\ntext = "Form {n} line 1"\n\n[lines]\nitem = "line"\n\n{lines}{columns}'
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, nargs="*", default=[])
    parser.add_argument("--form", action="store_true")
    parser.add_argument("--faulty", type=int, nargs="*", default=[])
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for n in arguments.rows:
        rec20(arguments.folder, n)
    for n in arguments.faulty:
        faulty(arguments.folder, n)
    if arguments.form:
        form20_spec(arguments.folder)
        form20(arguments.folder)
        (arguments.folder / "form20.json").write_text("{}")
