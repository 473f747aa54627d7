-- Three years of made-up history for sixty organisations, put straight into the tables of an empty installation whose
-- returns are published. Nothing in it is anybody's. `bench/site` runs it.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SELECT set_config('lgdp.sees', 'everyone', true) \gset
SELECT setseed(0.4);

INSERT INTO organisation (code, name, kind)
SELECT 'X99' || lpad(n::text, 6, '0'), 'Made-up Organisation ' || n, 'council'
FROM generate_series(1, 60 - (SELECT count(*)::int FROM organisation WHERE kind = 'council')) n;

-- A round for each period that ended in the last three years.
CREATE TEMP TABLE span AS
SELECT kind, label, start_day, end_day FROM (
    SELECT 'financial-year' AS kind, extract(year FROM d)::int || '-' || to_char(d + interval '1 year', 'YY') AS label,
           d::date AS start_day, (d + interval '1 year')::date - 1 AS end_day
    FROM generate_series('2022-04-01'::date, current_date, interval '1 year') d
    UNION ALL
    SELECT 'social-work-year', extract(year FROM d)::int || '-' || to_char(d + interval '1 year', 'YY'), d::date, (d + interval '1 year')::date - 1
    FROM generate_series('2022-08-01'::date, current_date, interval '1 year') d
    UNION ALL
    SELECT 'snapshot-date', d::date::text, d::date, d::date
    FROM generate_series('2022-09-05'::date, current_date, interval '1 year') d
    UNION ALL
    SELECT 'calendar-quarter', extract(year FROM d)::int || '-Q' || extract(quarter FROM d), d::date, (d + interval '3 months')::date - 1
    FROM generate_series('2022-10-01'::date, current_date, interval '3 months') d
    UNION ALL
    SELECT 'financial-quarter',
           extract(year FROM d - interval '3 months')::int || '-' || to_char(d + interval '9 months', 'YY')
               || '-Q' || extract(quarter FROM d - interval '3 months'),
           d::date, (d + interval '3 months')::date - 1
    FROM generate_series('2022-10-01'::date, current_date, interval '3 months') d
) spans
WHERE end_day < current_date AND end_day > current_date - interval '3 years 2 months';

INSERT INTO cycle (return_id, version, period_label, period_start, period_end, opens_on, due_on)
SELECT v.return_id, v.version, s.label, s.start_day, s.end_day, s.end_day + 1, s.end_day + 43
FROM return_version v JOIN span s ON s.kind = v.facts ->> 'period_kind';
CREATE TEMP TABLE sixty AS SELECT code FROM organisation ORDER BY kind <> 'council', code LIMIT 60;
INSERT INTO obligation (cycle_id, organisation) SELECT c.id, code FROM cycle c, sixty;

-- People: five of each organisation, and those of the office.
INSERT INTO person (id, email, name)
SELECT gen_random_uuid(), p.who || '-' || lower(g.code) || '@made-up.example', initcap(p.who) || ' ' || g.code
FROM organisation g, (VALUES ('ann'), ('bo'), ('cy'), ('di'), ('ed')) p (who);
INSERT INTO membership (person_id, role, organisation)
SELECT p.id, r.role, g.code FROM organisation g
JOIN (VALUES ('ann', 'uploader'), ('bo', 'approver'), ('cy', 'auditor'), ('di', 'uploader'), ('ed', 'approver')) r (who, role) ON true
JOIN person p ON p.email = r.who || '-' || lower(g.code) || '@made-up.example';
INSERT INTO person (id, email, name)
SELECT gen_random_uuid(), who || '@office.example', who
FROM (VALUES ('team'), ('team-of-all'), ('another-of-all'), ('scheduler'), ('admin'), ('register_editor')) p (who);
INSERT INTO membership (person_id, role, return_id)
SELECT p.id, 'dataset_team', v.return_id
FROM person p, (SELECT DISTINCT return_id FROM return_version) v
WHERE p.email IN ('team-of-all@office.example', 'another-of-all@office.example')
   OR (p.email = 'team@office.example' AND v.return_id = (SELECT return_id FROM cycle GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1));
INSERT INTO membership (person_id, role)
SELECT id, name FROM person WHERE name IN ('scheduler', 'admin', 'register_editor');

-- Of nine in ten rounds that are past all is accepted; the newest are on their way; some sent twice, one of them often.
CREATE TEMP TABLE sending AS
SELECT o.id AS obligation_id, o.organisation, c.return_id, c.id AS cycle_id, n AS version_number,
       n = last AS is_last,
       CASE WHEN n < last THEN 'needs_correction' WHEN random() < 0.5 THEN 'ready' ELSE 'needs_explanation' END AS outcome,
       c.due_on < current_date - 60 AS is_past,
       least((c.opens_on + 5 * n)::timestamptz + random() * interval '1 day', now() - interval '1 hour') AS at,
       NULL::uuid AS id, NULL::text AS sha256
FROM obligation o JOIN cycle c ON c.id = o.cycle_id
CROSS JOIN LATERAL (SELECT CASE WHEN o.id % 1000 = 7 THEN 40 WHEN random() < 0.3 THEN 2 ELSE 1 END AS last) l
CROSS JOIN LATERAL generate_series(1, last) n
WHERE c.due_on < current_date - 60 OR random() < 0.7;
UPDATE sending SET
    sha256 = encode(sha256(convert_to(obligation_id || ' ' || version_number, 'UTF8')), 'hex'),
    -- As of version 7: in the order of receipt.
    id = (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
          || substr(md5(obligation_id || '/' || version_number), 1, 3) || 'a'
          || substr(md5(obligation_id || '/' || version_number), 4, 15))::uuid;
CREATE INDEX ON sending (id);

INSERT INTO file (sha256, n_bytes, stored_key) SELECT sha256, 40000 + (random() * 200000)::int, 'originals/' || sha256 FROM sending;
INSERT INTO submission (id, obligation_id, organisation, version_number, file_sha256, file_name, uploaded_by, uploaded_by_kind,
                        uploaded_by_id, contact_email, received_at, idempotency_key, assessed_at, outcome, spec_hash)
SELECT s.id, s.obligation_id, s.organisation, s.version_number, s.sha256, s.return_id || ' version ' || s.version_number || '.xlsx',
       p.name, 'person', p.id, p.email, s.at, s.id::text, s.at + interval '5 seconds', s.outcome, repeat('0', 64)
FROM sending s JOIN person p ON p.email = 'ann-' || lower(s.organisation) || '@made-up.example';
INSERT INTO submission_table (submission_id, table_name, sheet, n_rows, n_loaded, n_rejected, n_ignored, ignored, columns)
SELECT id, 'table_' || n, 'Sheet ' || n, 500, 480, 0, 20, '[{"reason": "blank row", "n_rows": 20}]', '{}'
FROM sending, generate_series(1, 3) n;

-- Six checks with something to fix, three to explain, one to know; of those that were sent often, thousands of places.
INSERT INTO finding (submission_id, ordinal, rule, severity, table_name, cell, row_number, item, value, message, fix, key)
SELECT s.id, n, 'table.check-' || n % n_rules,
       CASE s.outcome WHEN 'needs_correction' THEN 'error' WHEN 'needs_explanation' THEN 'query' ELSE 'note' END,
       'table_1', 'Sheet 1!B' || n + 1, n + 1, 'item_' || n % n_rules, (n * 37)::text,
       'The figure ' || n * 37 || ' is larger than made-up figures usually are.', 'Check the figure in row ' || n + 1 || '.', 'key-' || n
FROM sending s
CROSS JOIN LATERAL (SELECT CASE s.outcome WHEN 'needs_correction' THEN 6 WHEN 'needs_explanation' THEN 3 ELSE 1 END AS n_rules) r
CROSS JOIN LATERAL generate_series(1, CASE WHEN s.obligation_id % 1000 = 7 THEN 2000 ELSE n_rules * 4 END) n;
INSERT INTO explanation (organisation, obligation_id, return_id, rule, key, text, submission_id, by_kind, by_id, by_name, at)
SELECT s.organisation, s.obligation_id, s.return_id, f.rule, f.key, 'These made-up figures are right because they were made up so.',
       s.id, 'person', p.id, p.name, s.at + interval '1 hour'
FROM sending s JOIN finding f ON f.submission_id = s.id AND f.severity = 'query'
JOIN person p ON p.email = 'ann-' || lower(s.organisation) || '@made-up.example'
WHERE s.is_past;
INSERT INTO marked_workbook (submission_id, assessed_at, why_not)
SELECT id, at + interval '5 seconds', 'it was made up' FROM sending WHERE outcome <> 'ready';

INSERT INTO handover (submission_id, organisation, verb, follows, at, by_kind, by_id, by_name)
SELECT s.id, s.organisation, h.verb, h.follows, s.at + h.later, 'person', p.id, p.name
FROM sending s
JOIN (VALUES ('submit', NULL, interval '2 hours', 'ann'), ('sign_off', 'submit', interval '1 day', 'bo'),
             ('accept', 'sign_off', interval '3 days', 'team')) h (verb, follows, later, who) ON true
JOIN person p ON p.email = CASE h.who WHEN 'team' THEN 'team-of-all@office.example' ELSE h.who || '-' || lower(s.organisation) || '@made-up.example' END
WHERE s.is_last AND (s.is_past OR (h.verb = 'submit' AND s.obligation_id % 2 = 0));
INSERT INTO message (id, submission_id, organisation, at, by_kind, by_id, by_name, by_organisation, text)
SELECT gen_random_uuid(), s.id, s.organisation, s.at + n * interval '1 hour', 'person', p.id, p.name, s.organisation, 'A made-up message, number ' || n || '.'
FROM sending s JOIN person p ON p.email = 'ann-' || lower(s.organisation) || '@made-up.example'
CROSS JOIN generate_series(1, 2) n WHERE s.is_last;
INSERT INTO waiver (id, organisation, return_id, rule, key, reason, submission_id, by_kind, by_id, by_name, at)
SELECT gen_random_uuid(), s.organisation, s.return_id, 'table.check-1', NULL, 'It is made up every time.', s.id, 'person', p.id, p.name, s.at + interval '1 hour'
FROM sending s JOIN person p ON p.email = 'ann-' || lower(s.organisation) || '@made-up.example'
WHERE s.is_last AND s.outcome = 'needs_explanation' AND s.obligation_id % 10 = 0;
INSERT INTO waiver_decision (waiver_id, organisation, ends_on, reason, by_kind, by_id, by_name)
SELECT w.id, w.organisation, current_date + 300, 'Made-up figures may be so.', 'person', p.id, p.name
FROM waiver w JOIN person p ON p.email = 'team-of-all@office.example' WHERE w.at < now() - interval '60 days';

INSERT INTO email (id, kind, submission_id, recipient, payload, message_id, state, sent_at, created_at)
SELECT gen_random_uuid(), kind, s.id, 'ann-' || lower(s.organisation) || '@made-up.example', '{}', s.id || '-' || kind || '@made-up.example', 'sent', s.at, s.at
FROM sending s CROSS JOIN (VALUES ('receipt'), ('outcome')) k (kind);

INSERT INTO event (at, actor, actor_kind, actor_id, actor_organisation, verb, organisation, obligation_id, submission_id, details)
SELECT d.at, coalesce(p.name, 'worker'), CASE WHEN p.id IS NULL THEN 'system' ELSE 'person' END, p.id, CASE WHEN p.id IS NULL THEN NULL ELSE d.organisation END,
       d.verb, d.organisation, d.obligation_id, d.id, d.details
FROM (
    SELECT at, organisation, obligation_id, id, 'receive' AS verb, 'ann' AS who, jsonb_build_object('file', sha256, 'version', version_number) AS details FROM sending
    UNION ALL SELECT at + interval '5 seconds', organisation, obligation_id, id, 'assess', NULL, jsonb_build_object('outcome', outcome) FROM sending
    UNION ALL SELECT at + interval '1 hour', organisation, obligation_id, id, 'explain', 'ann', '{"n": 3}' FROM sending WHERE is_past AND outcome = 'needs_explanation'
    UNION ALL SELECT h.at, h.organisation, s.obligation_id, h.submission_id, h.verb, CASE h.verb WHEN 'sign_off' THEN 'bo' ELSE 'ann' END, '{}'
        FROM handover h JOIN sending s ON s.id = h.submission_id
) d LEFT JOIN person p ON p.email = d.who || '-' || lower(d.organisation) || '@made-up.example'
ORDER BY d.at;

-- The work that is long done.
INSERT INTO job (kind, payload, state, max_attempts, attempts, created_at, run_at, finished_at)
SELECT 'assess', jsonb_build_object('submission_id', id), 'done', 3, 1, at, at, at + interval '5 seconds' FROM sending;
COMMIT;
ANALYZE;


SELECT (SELECT count(DISTINCT organisation) FROM obligation) AS organisations, (SELECT count(DISTINCT return_id) FROM return_version) AS returns,
       (SELECT count(*) FROM cycle) AS rounds, (SELECT count(*) FROM obligation) AS duties, (SELECT count(*) FROM submission) AS versions,
       (SELECT count(*) FROM finding) AS findings, (SELECT count(*) FROM event) AS events;
