//! Typed clients, made of the documents by generators that people use, and compiled.
//!
//! The generators are no part of the tests' dependencies: they come from npm and `PyPI`, in the versions that
//! `tests/data/clients` names.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a command in a folder; fails with what it said unless it succeeds.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    let failure = format!("{program} {}:\n{said}\n{complained}", arguments.join(" "));
    assert!(output.status.success(), "{failure}");
    said
}

/// A folder with the documents and the files of `tests/data/clients`; what was installed in it before is still there.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().unwrap();
    let files = std::fs::read_dir(tests.join("data/clients")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    for file in files.chain([root.join("openapi.json"), root.join("asyncapi.json")]) {
        std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
    folder
}

/// Whether a program is on this machine. Says so if it is not.
fn is_here(program: &str) -> bool {
    let is_here = Command::new(program).arg("--version").output().is_ok();
    if !is_here {
        println!("there is no {program}: its clients are not made");
    }
    is_here
}

#[test]
#[ignore = "it installs generators from npm; .ci/run calls it by name"]
fn typed_clients_in_typescript_compile() {
    if !is_here("npm") {
        return;
    }
    let folder = folder("typescript");
    run(
        &folder,
        "npm",
        &["install", "--ignore-scripts", "--no-audit", "--no-fund"],
    );
    run(
        &folder,
        "npx",
        &["openapi-typescript", "openapi.json", "--output", "api.ts"],
    );
    let models = run(&folder, "node", &["models.mjs"]);
    let nameless = models.lines().filter(|name| name.contains("Anonymous"));
    assert_eq!(nameless.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(models.lines().count() >= 40, "{models}");
    let files = [
        "tsc",
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "api.ts",
        "use.ts",
        "models.ts",
    ];
    run(&folder, "npx", &files);
}

#[test]
#[ignore = "it installs a generator from PyPI; .ci/run calls it by name"]
fn typed_clients_in_python_compile() {
    if !is_here("python3") {
        return;
    }
    let folder = folder("python");
    run(&folder, "python3", &["-m", "venv", "venv"]);
    run(
        &folder,
        "venv/bin/pip",
        &["install", "--quiet", "--requirement", "requirements.txt"],
    );
    let arguments = [
        "generate",
        "--overwrite",
        "--fail-on-warning",
        "--path",
        "openapi.json",
        "--config",
        "python.yaml",
        "--meta",
        "none",
        "--output-path",
        "tidings_client",
    ];
    run(&folder, "venv/bin/openapi-python-client", &arguments);
    run(&folder, "venv/bin/python", &["use.py"]);
}
