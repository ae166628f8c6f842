//! Embedded files are read by macros, of which cargo does not know.

fn main() {
    for embedded in ["migrations", "fixtures/documents"] {
        println!("cargo::rerun-if-changed={embedded}");
    }
}
