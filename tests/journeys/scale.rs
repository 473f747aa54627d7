//! A hundred thousand rows go the whole way, and the worker stays small.

use crate::council::{Council, PERIOD, RETURN, assessed, drawing, repeat, workbook};
use crate::lgdp::Platform;

const COUNCIL: Council = Council {
    code: "S12000036",
    email: "returns@large.example",
};

/// What a worker may take, however large the file is.
const MOST_MEMORY: u64 = 256 << 20;

const LINKED: &str = "cp";
const LINKED_VERSION: &str = "2026";
const LINKED_PERIOD: &str = "2025-26";

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_rows_are_loaded_by_a_small_worker() {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.open(LINKED, LINKED_PERIOD);
    let worker = platform.start_worker();

    // Twelve records a copy.
    let cases = workbook("valid", "230", 8_334);
    let receipt = COUNCIL.send(&platform, "cases.xlsx", cases).await;
    assert_eq!(n_loaded(&assessed(&platform, &receipt).await), 100_008);

    // Twenty-two and more records a copy, in four tables that refer to each other.
    let mut children = drawing(LINKED, LINKED_VERSION, "valid-with-optional-blanks");
    for sheet in ["Child", "Investigation", "Conference", "Transfer"] {
        let sheet = children.sheet_mut(sheet).unwrap();
        repeat(sheet, &["Id", "ChildId", "ChildRecordId"], 4_400);
    }
    let children = report::workbook::write_xlsx(&children).unwrap();
    let receipt = COUNCIL
        .send_for(&platform, LINKED, LINKED_PERIOD, "children.xlsx", children)
        .await;
    let n_loaded = n_loaded(&assessed(&platform, &receipt).await);
    assert!(n_loaded >= 100_000, "{n_loaded} records");

    let peak = worker.peak_memory();
    println!("the worker's memory never passed {} MB", peak >> 20);
    assert!(peak < MOST_MEMORY, "{peak} bytes");
}

/// Records of a file that has nothing to fix.
fn n_loaded(status: &serde_json::Value) -> u64 {
    let tables = status["tables"].as_array().unwrap();
    assert!(
        tables.iter().all(|table| table["rejected"] == 0),
        "{status:#}"
    );
    tables
        .iter()
        .map(|table| table["loaded"].as_u64().unwrap())
        .sum()
}
