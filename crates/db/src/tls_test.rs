//! A Postgres with a certificate, over TCP: TLS is verified or there is no connection.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use postgres::{Cluster, Durability, Options};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::{Access, Config, Db, DbError};

/// A server whose certificate is for `localhost` and no other name; ends when dropped.
struct Server {
    port: u16,
    process: Child,
    dir: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[derive(QueryableByName)]
struct Folders {
    #[diesel(sql_type = Text)]
    data: String,
    #[diesel(sql_type = Text)]
    programs: String,
}

impl Server {
    async fn start() -> Server {
        let dir = tempfile::tempdir().unwrap();
        let folders = make_cluster(&dir.path().join("cluster")).await;
        let data = Path::new(&folders.data);
        let owner = fs::metadata(data).unwrap();

        let trusted = authority("Trusted");
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &trusted)
            .unwrap();
        for (name, pem) in [
            ("server.crt", certificate.pem()),
            ("server.key", key.serialize_pem()),
        ] {
            let path = data.join(name);
            fs::write(&path, pem).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        fs::write(dir.path().join("trusted.pem"), trusted.pem()).unwrap();
        fs::write(dir.path().join("another.pem"), authority("Another").pem()).unwrap();

        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let mut command = Command::new(Path::new(&folders.programs).join("postgres"));
        command.arg("-D").arg(data).arg("-p").arg(port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "ssl=on",
            "fsync=off",
        ] {
            command.args(["-c", setting]);
        }
        // Postgres refuses to be root; setting what we are already is allowed to everyone.
        let process = command
            .uid(owner.uid())
            .gid(owner.gid())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { port, process, dir };
        server.wait_until_it_answers().await;
        server
    }

    async fn wait_until_it_answers(&self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while let Err(error) = Db::connect(&self.config("127.0.0.1", "disable", None)).await {
            assert!(Instant::now() < deadline, "{error}");
            ticks.tick().await;
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self, host: &str, mode: &str, root: Option<&str>) -> Config {
        let port = self.port;
        let url = format!("postgresql://lgdp@{host}:{port}/postgres?sslmode={mode}");
        Config {
            tls_root_file: root.map(|name| self.file(name)),
            access: Access::Owner,
            ..Config::new(url)
        }
    }

    async fn refusal(&self, host: &str, mode: &str, root: Option<&str>) -> String {
        match Db::connect(&self.config(host, mode, root)).await {
            Ok(_) => panic!("connected to {host} with sslmode={mode} and {root:?}"),
            Err(error) => error.to_string(),
        }
    }
}

/// The data of a cluster that does not run, and where its programs are.
async fn make_cluster(dir: &Path) -> Folders {
    let options = Options {
        durability: Durability::Throwaway,
        ..Options::default()
    };
    let cluster = Cluster::start_with(dir, &options).unwrap();
    let config = Config {
        access: Access::Owner,
        ..Config::new(cluster.url("postgres"))
    };
    let db = Db::connect(&config).await.unwrap();
    let folders = sql_query(
        "SELECT current_setting('data_directory') AS data,
                (SELECT setting FROM pg_config WHERE name = 'BINDIR') AS programs",
    )
    .get_result(db.conn().await.unwrap().connection())
    .await
    .unwrap();
    db.close();
    assert!(cluster.stop());
    folders
}

#[derive(QueryableByName)]
struct Encrypted {
    #[diesel(sql_type = Bool)]
    ssl: bool,
}

async fn is_encrypted(db: &Db) -> bool {
    let row: Encrypted = sql_query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .get_result(db.conn().await.unwrap().connection())
        .await
        .unwrap();
    row.ssl
}

#[tokio::test]
async fn tls_is_verified_or_there_is_no_connection() {
    let server = Server::start().await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let db = Db::connect(&server.config("localhost", mode, Some("trusted.pem")))
            .await
            .unwrap();
        assert!(is_encrypted(&db).await, "{mode}");
        db.migrate().await.unwrap();

        let told = server.refusal("127.0.0.1", mode, Some("trusted.pem")).await;
        assert!(told.contains("not valid for name"), "another host: {told}");
        for root in [Some("another.pem"), None] {
            let told = server.refusal("localhost", mode, root).await;
            assert!(told.contains("UnknownIssuer"), "{root:?}: {told}");
        }
    }
    let plain = Db::connect(&server.config("localhost", "disable", None))
        .await
        .unwrap();
    assert!(!is_encrypted(&plain).await);
}

#[tokio::test]
async fn a_root_file_that_is_none_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    for file in [empty, dir.path().join("missing.pem")] {
        let config = Config {
            tls_root_file: Some(file.clone()),
            ..Config::new("postgresql://a@localhost/d?sslmode=require")
        };
        let error = Db::connect(&config).await.err().unwrap();
        assert!(matches!(error, DbError::Address(_)), "{error}");
        assert!(error.to_string().contains(file.to_str().unwrap()));
    }
}
