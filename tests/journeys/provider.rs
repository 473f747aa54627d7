//! A real `OpenID` Connect provider: `oidc-provider` in a process of its own.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::council::client;
use crate::lgdp::{free_address, workspace};
use crate::wait::until;

pub(crate) struct Provider {
    pub(crate) issuer: String,
    process: Child,
}

impl Provider {
    /// For a site at that address.
    pub(crate) async fn start(site: &str) -> Provider {
        let address = free_address();
        let issuer = format!("http://{address}");
        let process = Command::new("node")
            .arg(workspace().join("tests/journeys/provider.mjs"))
            .args([&issuer, &format!("{site}/sign-in/back")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is here: ./run test installs it");
        let provider = Provider { issuer, process };
        until("the provider answers", Duration::from_secs(30), || async {
            TcpStream::connect(&address).ok()
        })
        .await;
        provider
    }

    /// Whose address an account comes with from now on.
    pub(crate) async fn knows(&self, account: &str, email: &str) {
        let url = format!("{}/accounts?account={account}&email={email}", self.issuer);
        let answer = client().get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// What a site's settings say of it.
    pub(crate) fn write_settings(&self, path: &Path) {
        let settings = format!(
            "[[provider]]\nid = \"fife\"\nname = \"Fife Council\"\nissuer = \"{}\"\nclient_id = \"lgdp\"\n\
             client_secret = \"a secret between the two\"\ndomains = [\"fife.example\"]\n",
            self.issuer
        );
        std::fs::write(path, settings).unwrap();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
