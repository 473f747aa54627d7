//! Postgres: a module per noun, rows stay inside.
