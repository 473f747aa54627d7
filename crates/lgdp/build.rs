//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A child is started for each file, and each start applies half a million relocations: packed, they are read from
    // a hundredth of the pages. The C libraries of all supported systems (glibc 2.36, of 2022) know the packed form.
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
