//! Standing records to consolidated tables with their source cells.
