//! Frames to findings: schemas, code lists and rules.
