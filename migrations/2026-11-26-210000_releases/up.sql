-- Releases: editions of a return's datasets that never change. What was drafted, built, approved and published is each a row of its own.

CREATE TABLE release (
    id uuid PRIMARY KEY,
    return_id text NOT NULL,
    return_version text NOT NULL,
    from_period text NOT NULL,
    to_period text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('provisional', 'final', 'revised')),
    notes text NOT NULL CHECK (length(notes) <= 4000),
    settings jsonb NOT NULL,
    manifest jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system')),
    FOREIGN KEY (return_id, return_version) REFERENCES return_version (return_id, version),
    UNIQUE (id, return_id, from_period, to_period)
);
CREATE INDEX release_by_return ON release (return_id, at DESC);
COMMENT ON TABLE release IS 'An edition of a return''s datasets, as it was drafted: which versions of whose returns it is made of.';
COMMENT ON COLUMN release.id IS 'Given by the form it was drafted in, so that one that is sent twice is there once.';
COMMENT ON COLUMN release.return_id IS 'The return.';
COMMENT ON COLUMN release.return_version IS 'The version of the return whose words it uses.';
COMMENT ON COLUMN release.from_period IS 'Its first period.';
COMMENT ON COLUMN release.to_period IS 'Its last period; the same where it has one.';
COMMENT ON COLUMN release.kind IS 'provisional: of all that stood; final: of what was accepted; revised: final again, after one was published.';
COMMENT ON COLUMN release.notes IS 'What its readers are told.';
COMMENT ON COLUMN release.settings IS 'Which columns it has, and what is hidden in it.';
COMMENT ON COLUMN release.manifest IS 'The submissions it is made of with their hashes, and who is missing. Its files follow from this and the settings alone.';
COMMENT ON COLUMN release.at IS 'When it was drafted, by the database''s clock.';
COMMENT ON COLUMN release.by_kind IS 'What drafted it: person, client or system.';
COMMENT ON COLUMN release.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN release.by_name IS 'Who drafted it, as the audit trail calls them.';

CREATE TABLE release_submission (
    release_id uuid NOT NULL REFERENCES release,
    submission_id uuid NOT NULL REFERENCES submission,
    PRIMARY KEY (release_id, submission_id)
);
CREATE INDEX release_submission_by_submission ON release_submission (submission_id);
COMMENT ON TABLE release_submission IS 'Which submissions a release is made of, so that it is known where each went.';
COMMENT ON COLUMN release_submission.release_id IS 'The release.';
COMMENT ON COLUMN release_submission.submission_id IS 'A submission in its manifest.';

CREATE TABLE release_file (
    release_id uuid NOT NULL REFERENCES release,
    ordinal integer NOT NULL CHECK (ordinal >= 1),
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$'),
    content_type text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    n_bytes bigint NOT NULL CHECK (n_bytes >= 0),
    stored_key text NOT NULL,
    PRIMARY KEY (release_id, ordinal),
    UNIQUE (release_id, name)
);
COMMENT ON TABLE release_file IS 'The files of a release. All of them are put in at once, when all of them are in the file store.';
COMMENT ON COLUMN release_file.release_id IS 'The release.';
COMMENT ON COLUMN release_file.ordinal IS 'Its place in the list.';
COMMENT ON COLUMN release_file.name IS 'What it is called.';
COMMENT ON COLUMN release_file.content_type IS 'What it is.';
COMMENT ON COLUMN release_file.sha256 IS 'Its SHA-256.';
COMMENT ON COLUMN release_file.n_bytes IS 'How long it is.';
COMMENT ON COLUMN release_file.stored_key IS 'Where the file store has it.';

CREATE TABLE release_approval (
    release_id uuid NOT NULL REFERENCES release,
    by_id uuid NOT NULL,
    by_name text NOT NULL CHECK (by_name <> ''),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (release_id, by_id)
);
COMMENT ON TABLE release_approval IS 'Who approved a release: two people before it is published, and each of them once.';
COMMENT ON COLUMN release_approval.release_id IS 'The release.';
COMMENT ON COLUMN release_approval.by_id IS 'The person.';
COMMENT ON COLUMN release_approval.by_name IS 'The person, as the audit trail calls them.';
COMMENT ON COLUMN release_approval.at IS 'When, by the database''s clock.';

CREATE TABLE release_publication (
    release_id uuid PRIMARY KEY,
    return_id text NOT NULL,
    from_period text NOT NULL,
    to_period text NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (release_id, return_id, from_period, to_period) REFERENCES release (id, return_id, from_period, to_period),
    UNIQUE (return_id, from_period, to_period, number)
);
COMMENT ON TABLE release_publication IS 'Releases that are published. The newest of its periods is the one to use; the ones before stay.';
COMMENT ON COLUMN release_publication.release_id IS 'The release.';
COMMENT ON COLUMN release_publication.return_id IS 'Its return.';
COMMENT ON COLUMN release_publication.from_period IS 'Its first period.';
COMMENT ON COLUMN release_publication.to_period IS 'Its last period.';
COMMENT ON COLUMN release_publication.number IS 'Counts the releases of these periods, from 1.';
COMMENT ON COLUMN release_publication.at IS 'When, by the database''s clock.';

-- Two approvals and the files are there before it is published, whoever asks for it.
CREATE FUNCTION release_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM release_approval WHERE release_id = NEW.release_id) < 2
        OR NOT EXISTS (SELECT FROM release_file WHERE release_id = NEW.release_id) THEN
        RAISE EXCEPTION 'a release is published once it is built and two people have approved it'
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION release_is_approved() IS 'Refuses a publication of what is not built, or not approved by two people.';
CREATE TRIGGER release_is_approved BEFORE INSERT ON release_publication
    FOR EACH ROW EXECUTE FUNCTION release_is_approved();

-- Nobody approves what they have not seen: the files are there first.
CREATE FUNCTION release_is_built() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM release_file WHERE release_id = NEW.release_id) THEN
        RAISE EXCEPTION 'a release is approved once it is built' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION release_is_built() IS 'Refuses an approval of a release without files.';
CREATE TRIGGER release_is_built BEFORE INSERT ON release_approval
    FOR EACH ROW EXECUTE FUNCTION release_is_built();

SELECT wall('release', 'everyone'), rows_never_change('release');
SELECT wall('release_submission', 'everyone'), rows_never_change('release_submission');
SELECT wall('release_file', 'everyone'), rows_never_change('release_file');
SELECT wall('release_approval', 'everyone'), rows_never_change('release_approval');
SELECT wall('release_publication', 'everyone'), rows_never_change('release_publication');
GRANT SELECT, INSERT ON release, release_submission, release_file, release_approval, release_publication TO lgdp_app;
