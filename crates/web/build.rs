//! Puts the files that pages need into the binary: our own, and the design system's as npm installed it.
//! Each gets a name with a hash of its content, so that a browser may keep it for as long as it likes.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

const PACKAGE: &str = "node_modules/@scottish-government/design-system";

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let ours = here.join("assets");
    println!("cargo::rerun-if-changed={}", ours.display());
    let Some(theirs) = installed(&here) else {
        // Looked for again at the next build.
        println!("cargo::rerun-if-changed={PACKAGE}");
        println!(
            "cargo::error=the pages' design system is not installed: run `npm ci` at the root of the workspace, or `./run demo`, which installs npm too"
        );
        return Ok(());
    };
    println!("cargo::rerun-if-changed={}", theirs.display());
    let design_system = with_licence(
        &fs::read_to_string(theirs.join("LICENSE.txt"))?,
        &fs::read_to_string(theirs.join("dist/css/design-system.min.css"))?,
    );
    let mut table = String::new();
    for (constant, name, content_type, bytes) in [
        (
            "DESIGN_SYSTEM",
            "design-system.css",
            "text/css; charset=utf-8",
            design_system.into_bytes(),
        ),
        (
            "SITE_STYLE",
            "site.css",
            "text/css; charset=utf-8",
            fs::read(ours.join("site.css"))?,
        ),
        (
            "SITE_SCRIPT",
            "site.js",
            "text/javascript; charset=utf-8",
            fs::read(ours.join("site.js"))?,
        ),
        (
            "ICON",
            "icon.svg",
            "image/svg+xml",
            fs::read(ours.join("icon.svg"))?,
        ),
    ] {
        let address = format!("/assets/{}", hashed(name, &bytes));
        fs::write(out.join(name), &bytes)?;
        fs::write(out.join(format!("{name}.gz")), packed(&bytes)?)?;
        writeln!(
            table,
            "pub(crate) const {constant}: Asset = Asset {{ address: {address:?}, content_type: {content_type:?}, \
             plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")), \
             packed: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\")) }};"
        )?;
    }
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

/// Where npm put it: the next `node_modules` upwards, as node itself looks for it.
fn installed(here: &Path) -> Option<PathBuf> {
    here.ancestors()
        .map(|folder| folder.join(PACKAGE))
        .find(|package| package.join("dist").is_dir())
}

/// The licence asks to be kept with copies. What is said of a source map is left out: it is not served.
fn with_licence(licence: &str, css: &str) -> String {
    let css = css.split("/*# sourceMappingURL=").next().unwrap_or(css);
    format!("/*!\nThe Scottish Government Design System.\n\n{licence}*/\n{css}")
}

/// `site.css` → `site.4f53cda18c2baa0c.css`.
fn hashed(name: &str, bytes: &[u8]) -> String {
    let hash = hex::encode(&Sha256::digest(bytes)[..8]);
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}.{hash}.{ending}"),
        None => format!("{name}.{hash}"),
    }
}

fn packed(bytes: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
