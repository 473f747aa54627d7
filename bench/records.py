"""Made-up records for what was sent in the history, by the schemas of the returns; what is drafted of them, and who is told."""

import csv
import http.client
import json
import re
import tomllib
import urllib.parse
import uuid

from served import say

# Of a form all that is asked for, from everybody for every year; of records that accumulate a million over three years.
FORM, RECORDS = "lfr", "hl1"
N_RECORDS = 1_000_000
# Of each organisation's cases in a quarter, this many are new; the rest are those of the quarter before, sent again.
NEW_OF_TEN = 6


def fill(site, specs):
    """Records of the two returns, releases of the form and a server that is told."""
    for return_id in (FORM, RECORDS):
        folder, = (path for path in (specs / return_id).iterdir() if path.is_dir())
        document = tomllib.loads((folder / "return.toml").read_text())
        for table in document["return"]["tables"]:
            say(f"making the records of {return_id}, {table}")
            put(site, folder, document["return"], table)
    site.sql(statement=WEBHOOKS)
    site.sql("-c", "VACUUM (ANALYZE)")


def put(site, folder, document, table):
    layout = tomllib.loads((folder / "tables" / f"{table}.toml").read_text())
    schema = json.loads((folder / "tables" / f"{table}.schema.json").read_text())
    stored = f"ret.{document['id']}_v{document['version'].replace('.', '_')}_{table}"
    lines = [line["code"] for line in layout["lines"]["line"]] if layout["layout"] == "matrix" else []
    known_by = {layout["lines"]["item"]: f"({array(lines)})[i]"} if lines else {layout["keys"][-1]: f"'R' || to_char(quarter * each * {NEW_OF_TEN} / 10 + i, 'FM00000000')"}
    columns = {name: known_by.get(name) or made_up(folder, name, said, place) for place, (name, said) in enumerate(schema["properties"].items())}
    n_each = str(len(lines)) if lines else f"{N_RECORDS} / count(*) OVER ()"
    names = ", ".join(f'"{name.lower()}"' for name in columns)
    needed = set(schema.get("required", []))
    # One value in twenty is blank, where it may be.
    values = ", ".join(value if name in needed or name in known_by or lines else f"CASE WHEN (i * 7 + {place * 3}) % 20 > 0 THEN {value} END" for place, (name, value) in enumerate(columns.items()))
    letters = {name: column_letters(place + 1) for place, name in enumerate(columns)}
    site.sql(statement=f"""
        BEGIN;
        SELECT set_config('lgdp.sees', 'everyone', true);
        CREATE TEMP TABLE sent AS
        SELECT s.id, s.organisation, c.period_end, ({n_each})::int AS each,
               (row_number() OVER (PARTITION BY s.organisation ORDER BY c.period_end, s.version_number))::int AS quarter,
               abs(hashtext(s.organisation)) % 20 + 1 AS size
        FROM submission s JOIN obligation o ON o.id = s.obligation_id JOIN cycle c ON c.id = o.cycle_id
        WHERE c.return_id = '{document["id"]}'
          AND NOT EXISTS (SELECT FROM submission newer WHERE newer.obligation_id = s.obligation_id AND newer.version_number > s.version_number);
        INSERT INTO submission_table (submission_id, table_name, sheet, n_rows, n_loaded, n_rejected, n_ignored, ignored, columns)
        SELECT id, '{table}', 'Made up', each, each, 0, 0, '[]', '{json.dumps(letters)}' FROM sent;
        INSERT INTO {stored} (submission_id, organisation, row_number, {names})
        SELECT id, organisation, i + 1, {values} FROM sent CROSS JOIN LATERAL generate_series(1, each) i;
        COMMIT;""")


def made_up(folder, name, said, place):
    """A value of the kind that the schema asks for, by the row `i`."""
    turn = f"(i * {place * 2 + 3} + quarter * {place + 1})"
    if "x-codes" in said:
        codes = codes_of(folder, said["x-codes"]["list"])
        return f"({array(codes)})[1 + {turn} % {len(codes)}]"
    if "enum" in said:
        return f"({array(said['enum'])})[1 + {turn} % {len(said['enum'])}]"
    if said.get("format") == "date":
        return f"(period_end - ({turn} % 90)::int)"
    if said["type"] == "integer":
        return f"({said.get('minimum', 0)} + size * (10 + {turn} % 90))"
    if said["type"] == "number":
        return f"({said.get('minimum', 0)} + size * ({turn} % 9000) / 100.0)"
    if said["type"] == "boolean":
        return f"({turn} % 2 = 0)"
    return f"('M' || {turn})"


def codes_of(folder, named):
    shared, _, version = named.removeprefix("shared/").partition("@")
    where = folder.parent.parent / "code-lists" / shared if named.startswith("shared/") else folder / "codes"
    found, *_ = sorted(where.rglob(f"{version}.csv" if version else f"{named}.csv"))
    with found.open() as rows:
        return [row["code"] for row in csv.DictReader(rows)]


def array(texts):
    quoted = ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
    return f"ARRAY[{quoted}]"


def column_letters(place):
    return chr(ord("A") + place) if place < 26 else column_letters(place // 26 - 1) + column_letters(place % 26)


class Office:
    """Somebody of the team, pressing buttons."""

    def __init__(self, site, session):
        self.site, self.headers = site, {"cookie": f"__Host-lgdp={session}", "content-type": "application/x-www-form-urlencoded"}

    def ask(self, verb, path, fields=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=60)
        connection.request(verb, path, urllib.parse.urlencode(fields) if fields else None, self.headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def press(self, path, **fields):
        _, page = self.ask("GET", path)
        token = re.search(r'name="form_token" value="([^"]+)"', page).group(1)
        status, page = self.ask("POST", path, {"form_token": token, **fields})
        assert status == 303, f"{path} is answered {status}: {page}"


def release(site, one, other, n_published):
    """Releases of the form's newest year that is in: some published, and one that nobody has approved yet."""
    period = site.newest(FORM)
    for n in range(n_published + 1):
        identifier = str(uuid.uuid4())
        one.press(f"/returns/{FORM}/{period}/datasets", id=identifier, of="accepted", notes=f"Made up, number {n + 1}.")
        site.sql(statement=BUILT.format(identifier=identifier))
        if n < n_published:
            for person in (one, other):
                person.press(f"/releases/{identifier}")


# There is no worker: its files are said to be there.
BUILT = """
    BEGIN;
    SELECT set_config('lgdp.sees', 'everyone', true);
    INSERT INTO release_file (release_id, ordinal, name, content_type, sha256, n_bytes, stored_key)
    SELECT '{identifier}', n, 'made-up-' || n || '.csv', 'text/csv', repeat('0', 64), 1, 'none' FROM generate_series(1, 14) n;
    COMMIT;"""

# One of each side, told of five hundred things each; both have ended, so that nobody is called.
WEBHOOKS = f"""
    BEGIN;
    SELECT set_config('lgdp.sees', 'everyone', true);
    INSERT INTO webhook (id, organisation, return_id, url, secret, ended_at)
    VALUES (gen_random_uuid(), 'S12000036', NULL, 'https://made-up.example/council', sha256('a'), now()),
           (gen_random_uuid(), NULL, '{FORM}', 'https://made-up.example/team', sha256('b'), now());
    INSERT INTO webhook_message (id, webhook_id, organisation, event, submission_id, data, made_at, taken_at)
    SELECT gen_random_uuid(), w.id, w.organisation, 'submission.accepted', s.id, '{{}}', s.received_at, s.received_at
    FROM webhook w CROSS JOIN LATERAL (
        SELECT s.id, s.received_at FROM submission s JOIN obligation o ON o.id = s.obligation_id JOIN cycle c ON c.id = o.cycle_id
        WHERE s.organisation = w.organisation OR c.return_id = w.return_id ORDER BY s.received_at DESC LIMIT 500) s;
    INSERT INTO webhook_attempt (message_id, organisation, at, status)
    SELECT m.id, m.organisation, m.made_at + n * interval '1 minute', CASE WHEN n = 3 THEN 204 ELSE 503 END
    FROM webhook_message m CROSS JOIN generate_series(1, 3) n;
    COMMIT;"""
