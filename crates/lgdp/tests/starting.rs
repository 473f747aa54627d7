//! What a role refuses to start with: it says so at once, and ends with status 2.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that can't be set up has to stop, and say why"
)]

use std::process::Command;

/// What standard error says of a start that has to fail.
fn refusal(arguments: &[&str], setting: (&str, &str)) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lgdp"))
        .args(arguments)
        .env(setting.0, setting.1)
        .output()
        .expect("lgdp runs");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_bad_setting_is_named_and_never_shown() {
    let told = refusal(&["serve"], ("LGDP_UPLOAD_MB", "hunter2"));
    assert!(told.contains("LGDP_UPLOAD_MB"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_database_address_that_is_none_is_not_shown_either() {
    let told = refusal(&["admin", "migrate"], ("DATABASE_URL", "hunter2"));
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn the_site_does_not_listen_to_the_world() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let told = refusal(&["serve"], ("LGDP_LISTEN", address));
        assert!(told.contains("over TLS only"), "{told}");
    }
}

#[test]
fn specs_that_are_not_there_are_asked_for() {
    let told = refusal(&["work"], ("LGDP_SPECS", "/nowhere"));
    assert!(told.contains("LGDP_SPECS"), "{told}");
}
