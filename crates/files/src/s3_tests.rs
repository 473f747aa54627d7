//! On a real S3 service: the same promises as on a local folder.

use testkit::S3Server;

use super::tests::Case;
use super::*;

/// Larger than one part, so that it is put in two.
const LARGE: usize = 8 * 1024 * 1024 + 4321;

fn bucket() -> (S3Server, Case) {
    // As `main` does; another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = testkit::s3();
    let files = Files::open(&Config::S3(S3 {
        endpoint: Some(server.endpoint.clone()),
        bucket: server.bucket.clone(),
        region: server.region.clone(),
        access_key: "key".to_owned(),
        secret_key: "secret".to_owned(),
        allow_http: true,
    }))
    .unwrap();
    (server, Case::of(files))
}

fn bytes(n_bytes: usize) -> Vec<u8> {
    (0..=250).cycle().take(n_bytes).collect()
}

#[tokio::test]
async fn a_bucket_keeps_what_a_folder_keeps() {
    let (_server, case) = bucket();
    for n_bytes in [0, 5, LARGE] {
        case.check_bytes_come_back_however_often_they_are_put(&bytes(n_bytes))
            .await;
    }
    for n_bytes in [6, LARGE + 1] {
        case.check_many_at_once_can_put_the_same(&bytes(n_bytes))
            .await;
        case.check_other_bytes_than_promised_are_not_kept(&bytes(n_bytes))
            .await;
    }
    case.check_what_is_not_there_is_said().await;
    case.check_bytes_that_changed_are_noticed_and_not_given()
        .await;
}
