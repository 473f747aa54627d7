-- What was done with a version last is asked for every version that any page lists.
CREATE INDEX handover_in_order ON handover (submission_id, ordinal DESC) INCLUDE (verb, organisation);
