//! Compresses the documents and the files of their pages when they are compiled: at a cold start and in a request
//! nothing is left to do. Of each file the program holds the compressed bytes alone, and a tag that changes with them.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

/// What is served, by its path from here. What ends in `.gz` is compressed already.
const FILES: [&str; 9] = [
    "../../asyncapi.json",
    "../../openapi.json",
    "assets/docs-init.js",
    "assets/docs.html",
    "assets/redoc-init.js",
    "assets/redoc.html",
    "assets/redoc.standalone.js.gz",
    "assets/swagger-ui-bundle.js.gz",
    "assets/swagger-ui.css.gz",
];

fn main() -> io::Result<()> {
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let out = out.ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    for path in FILES {
        println!("cargo::rerun-if-changed={path}");
        let bytes = fs::read(path)?;
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
        let (name, packed) = match name.strip_suffix(".gz") {
            Some(name) => (name.to_owned(), bytes),
            None => (name.to_string(), packed(&bytes)?),
        };
        // 128 bits tell any two versions apart.
        let digest = Sha256::digest(&packed);
        let digest = digest
            .first_chunk()
            .copied()
            .map(u128::from_be_bytes)
            .unwrap_or_default();
        fs::write(out.join(format!("{name}.gz")), packed)?;
        fs::write(out.join(format!("{name}.tag")), format!("{digest:032x}"))?;
    }
    Ok(())
}

/// The bytes compressed by gzip (RFC 1952), without a time, so that the same bytes make the same file.
fn packed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = GzBuilder::new().write(Vec::new(), Compression::best());
    packer.write_all(bytes)?;
    packer.finish()
}
