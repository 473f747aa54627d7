//! Embeds the migrations anew when one is added: the macro alone does not see a new folder.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
