//! Messages, a folder each, and how they leave.
