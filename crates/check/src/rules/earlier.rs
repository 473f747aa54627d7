//! Records of an earlier period, found by their key.

use std::collections::HashMap;

use frame::{Frame, Value};
use spec::rule::Against;

use super::{Scene, key};

/// The same table of an earlier period.
pub(super) fn frame<'a>(scene: &Scene<'a>, against: Against) -> Option<&'a Frame> {
    scene.reference.earlier(against)?.frame(&scene.table.name)
}

/// Each earlier record by its key; of doubles the last.
pub(super) fn by_key<'f>(
    earlier: &'f Frame,
    item_idxs: &[usize],
) -> HashMap<Vec<Value<'f>>, usize> {
    (0..earlier.n_records())
        .filter_map(|record_idx| Some((key(earlier, item_idxs, record_idx)?, record_idx)))
        .collect()
}
