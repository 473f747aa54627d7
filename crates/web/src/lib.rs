//! Routes, extractors, pages, JSON API.
