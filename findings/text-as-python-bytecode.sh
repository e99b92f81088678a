#!/usr/bin/env bash
# Library:  mimetype-detector 0.3.13 (crates.io)
# Input:    two letters in plain text with the line ends of Windows; the first line of one has two characters
# Expected: text/plain for both
# Seen:     the one that begins "Hi\r\n" is application/x-python-bytecode: the only thing that all versions of
#           Python's compiled files have in common is "\r\n" behind two bytes
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
mimetype-detector = "=0.3.13"
TOML
cat > src/main.rs <<'RUST'
fn main() {
    for text in ["Hi\r\nHow are you?\r\n", "Dear Bob,\r\nHow are you?\r\n"] {
        println!("{text:?} {}", mimetype_detector::detect(text.as_bytes()).mime());
    }
}
RUST

seen=$(cargo run --quiet)
echo "$seen"
diff <(echo "$seen") - <<'SEEN'
"Hi\r\nHow are you?\r\n" application/x-python-bytecode
"Dear Bob,\r\nHow are you?\r\n" text/plain; charset=utf-8
SEEN
