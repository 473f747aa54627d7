//! The assessment in a confined process: both ends of the pipe.
//!
//! calamine can abort the process that reads a hostile file, and an abort can't be caught;
//! so every file is read in a child that has no network, opens no files, starts no programs,
//! and is ended when it takes too much memory or time.
//! The parent sends a [`Task`] and the files' bytes; the child answers with [`Part`]s, a JSON line each.
//! A [`MarkTask`] is answered with the sender's own workbook, marked, and a [`RecogniseTask`] with the return that a file is.
//! Knows nothing of queues, databases or the web.

mod collection;
mod confine;
mod inside;
mod marking;
mod outside;
mod part;
mod recognising;
mod task;

pub use inside::main;
pub use marking::Marking;
pub use outside::{Child, ChildError, Doing, Run, Waiting};
pub use part::Part;
pub use recognising::RecogniseTask;
pub use task::{ChildLimits, CollectionTask, FileLimits, InputFile, MarkTask, Task};
