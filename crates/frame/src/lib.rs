//! Raw cells and a spec to typed frames that remember their cells.
