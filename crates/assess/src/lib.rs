//! Bytes, a spec and reference data to an assessment.
