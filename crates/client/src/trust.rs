//! Why a connection is not made: the platform's certificate is not one to trust.

use std::error::Error;
use std::io;

use rustls::CertificateError as Fault;

/// What is wrong with the certificate, where that is why nothing was sent: with the same one it is so the next time too.
pub(crate) fn fault_of_certificate(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(rustls::Error::InvalidCertificate(fault)) = error.downcast_ref() {
        return Some(in_words(fault));
    }
    // What an error of input and output is made of does not count as its source.
    let within = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match within {
        Some(within) => fault_of_certificate(within),
        None => error.source().and_then(fault_of_certificate),
    }
}

fn in_words(fault: &Fault) -> String {
    match fault {
        Fault::UnknownIssuer => "its certificate is from nobody that this machine trusts; \
             whom it trusts besides can be named in a file, by SSL_CERT_FILE"
            .to_owned(),
        Fault::Expired | Fault::ExpiredContext { .. } => {
            "its certificate has expired, or the clock of this machine is wrong".to_owned()
        }
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => {
            "its certificate is not good yet, or the clock of this machine is wrong".to_owned()
        }
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
            "its certificate is for another address".to_owned()
        }
        fault => format!("its certificate is not good: {fault}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use rustls::pki_types::CertificateDer;
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::{CertifiedKey, Signer, SigningKey};
    use rustls::{
        ServerConfig, ServerConnection, SignatureAlgorithm, SignatureScheme, crypto::ring,
    };

    use super::*;
    use crate::ApiError;
    use crate::answers::api;

    /// For 127.0.0.1 until 2126, by nobody.
    const CERTIFICATE: &str = "3082017d30820123a00302010202146738f271e323d33dbff2af311727a5f26899a8ad300a06082a8648ce3d040302300c31\
        0a300806035504030c01613020170d3230303130313030303030305a180f32313236313130333039323830395a300c310a30\
        0806035504030c01613059301306072a8648ce3d020106082a8648ce3d0301070342000491add6fa7f57117ff15017e4aa88\
        92b54ccf8ba4d7ec0135b1e159f0af06fdb5e1a7b9bafdbc77b5043242d5b4dbfe4a9952b6686258b377e80505c972f1c9b0\
        a361305f301d0603551d0e04160414844c7ba4e5a69a41d993025ecda7b38349420f28301f0603551d23041830168014844c\
        7ba4e5a69a41d993025ecda7b38349420f28300c0603551d130101ff04023000300f0603551d110408300687047f00000130\
        0a06082a8648ce3d04030203480030450220191ace73c5926e9983703c9b44a763b989209b6da4664381f4da6b5948650c8a\
        022100c9098a72442b95bab70ecf254a42a2f74c285ee4288fb97eda1ead85269a223d";

    /// Signs nothing: a certificate that is not trusted is turned down before what it signs is looked at.
    #[derive(Debug)]
    struct Nobody;

    impl ResolvesServerCert for Nobody {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            let certificate = CertificateDer::from(hex::decode(CERTIFICATE).unwrap());
            Some(Arc::new(CertifiedKey::new(
                vec![certificate],
                Arc::new(Nobody),
            )))
        }
    }

    impl SigningKey for Nobody {
        fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
            Some(Box::new(Nobody))
        }

        fn algorithm(&self) -> SignatureAlgorithm {
            SignatureAlgorithm::ECDSA
        }
    }

    impl Signer for Nobody {
        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
            Ok(vec![0; 64])
        }

        fn scheme(&self) -> SignatureScheme {
            SignatureScheme::ECDSA_NISTP256_SHA256
        }
    }

    /// Gives its port, and how many connections it had.
    fn server() -> (u16, Arc<AtomicUsize>) {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Nobody));
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let counted = Arc::new(AtomicUsize::new(0));
        let n_connections = Arc::clone(&counted);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                // It ends with what the other side thinks of the certificate.
                let _ = connection.complete_io(&mut stream.unwrap());
            }
        });
        (port, n_connections)
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_trusted_is_said_at_once() {
        let (port, n_connections) = server();
        let api = api(
            &format!("https://127.0.0.1:{port}"),
            Duration::from_secs(u64::MAX),
        );
        let error = api.stream("/x").await.unwrap_err();
        assert!(matches!(error, ApiError::NotTrusted { .. }), "{error}");
        assert!(!error.is_for_now());
        let told = error.to_string();
        assert!(told.contains("nobody that this machine trusts"), "{told}");
        assert_eq!(n_connections.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_found_however_deep_it_lies() {
        let fault = |fault| {
            let error = io::Error::other(rustls::Error::InvalidCertificate(fault));
            fault_of_certificate(&io::Error::other(io::Error::other(error))).unwrap()
        };
        assert!(fault(Fault::Expired).contains("has expired"));
        assert!(fault(Fault::NotValidYet).contains("not good yet"));
        assert!(fault(Fault::NotValidForName).contains("another address"));
        assert!(fault(Fault::Revoked).contains("not good: "));
        let cut = io::Error::other(rustls::Error::HandshakeNotComplete);
        assert_eq!(fault_of_certificate(&cut), None);
    }
}
