//! The assessment in a confined process: both ends of the pipe.
