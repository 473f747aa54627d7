//! Where the site listens, and for how long.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

use crate::bulk::Bulk;
use crate::limits::Limits;
use crate::routes::site_map;
use crate::{Site, body, guard, pages, spool};

/// Why the site does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error(
        "{0} can be reached from other machines, and people sign in over TLS only: say under which https:// address a proxy serves the site, or listen on 127.0.0.1 or [::1]"
    )]
    NoTls(SocketAddr),
    #[error("can't listen on {address}")]
    Bind {
        address: SocketAddr,
        source: io::Error,
    },
}

/// Takes an address; port 0 is any that is free. One that other machines reach is for a site behind a proxy with TLS:
/// `base_url` is where people find it.
pub fn listen(address: SocketAddr, base_url: Option<&str>) -> Result<TcpListener, ListenError> {
    let has_tls = base_url.is_some_and(|url| url.starts_with("https://"));
    if !address.ip().is_loopback() && !has_tls {
        return Err(ListenError::NoTls(address));
    }
    let bind = || -> io::Result<TcpListener> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|source| ListenError::Bind { address, source })
}

/// Serves the site until the server's handle is told to stop. Signals are the caller's.
pub fn serve(site: Site, listener: TcpListener) -> io::Result<Server> {
    spool::sweep(&site.config.spool_dir)?;
    site.be_named();
    let n_threads = site.config.n_threads;
    let limits = web::Data::new(Limits::new(site.config.requests_per_minute));
    let bulk = web::Data::new(Bulk::start()?);
    let site = web::Data::new(site);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(site.clone())
            .app_data(limits.clone())
            .app_data(bulk.clone())
            .wrap(from_fn(pages::problem::greet))
            .wrap(from_fn(guard::same_site_only))
            .wrap(from_fn(guard::security_headers))
            .wrap(from_fn(body::held))
            .configure(site_map)
    })
    .workers(n_threads)
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(10)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}
