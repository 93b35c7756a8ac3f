//! The packs and the example estate are compiled into the binary, and Cargo doesn't see new files there by itself.

fn main() {
    for folder in ["policies", "examples"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
