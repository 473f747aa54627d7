//! Whole files, from their bytes to what their sender is told.

mod earlier;
mod exact;
mod forms;
mod mistakes;
mod odd;
mod recognise;
