//! A real S3 service on this machine, with one bucket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::python;

/// moto's server; ends when dropped.
pub struct S3Server {
    pub endpoint: String,
    pub bucket: String,
    pub region: String,
    process: Child,
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts one with an empty bucket; any key and secret are good for it.
pub fn s3() -> S3Server {
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    let process = Command::new(python())
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p"])
        .arg(address.port().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("moto starts");
    let mut server = S3Server {
        endpoint: format!("http://{address}"),
        bucket: "originals-of-tests".to_owned(),
        region: "us-east-1".to_owned(),
        process,
    };
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Ok(answer) = make_bucket(address, &server.bucket) {
            assert!(answer.starts_with("HTTP/1.1 200"), "no bucket: {answer}");
            return server;
        }
        if let Some(status) = server.process.try_wait().expect("its state is known") {
            panic!("moto ended ({status}): start the tests with ./run test, which installs it");
        }
        assert!(Instant::now() < deadline, "moto does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn make_bucket(address: SocketAddr, bucket: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "PUT /{bucket} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
