//! What a sender's own machine does: sends files, waits for what comes of them, takes answers and figures.
//!
//! It knows a platform by its HTTP API alone, and nothing else of the product.
//! Whatever makes something is sent with a key, so that it is sent again after a cut connection and has its effect once.

#[cfg(test)]
mod answers;
mod api;
mod beside;
mod choose;
mod download;
mod facts;
mod held;
mod release;
mod screen;
mod send;
mod take;
mod trust;
mod watch;

pub use api::{Access, Api, ApiError};
pub use choose::{ChooseError, Chosen, Wanted, choose};
pub use download::download;
pub use facts::{Finding, Obligation, Submission, is_decided};
pub use release::{
    Release, ReleaseFile, TakeReleaseError, WhichRelease, find_release, take_release_file,
};
pub use screen::Screen;
pub use send::{NewFile, Receipt, send, wait};
pub use take::{WantedDataset, findings, obligations, save, status};
pub use watch::{Looked, Told, WatchError, Watcher};
