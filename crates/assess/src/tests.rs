//! Whole files, from their bytes to what their sender is told.

mod exact;
mod mistakes;
mod odd;
