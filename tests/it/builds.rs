//! What is built by which command.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What cargo says about the workspace.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The packages that a command is made of, each with its features.
fn features(arguments: &[&str]) -> BTreeSet<String> {
    let tree = ["tree", "--prefix", "none", "--format", "{p} with {f}"];
    let text = cargo(&[&tree, arguments].concat());
    // A package that is shown again has a star.
    text.lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .collect()
}

/// `cargo t` after `cargo run` builds what only tests use, and nothing once more.
#[test]
fn the_desk_and_the_tests_are_built_with_the_same_features() {
    let run = features(&["--edges", "normal,build"]);
    let tests = features(&["--workspace", "--edges", "normal,build,dev"]);
    let built_again: Vec<&String> = run.difference(&tests).collect();
    assert!(
        built_again.is_empty(),
        "these have more features in tests; is what asks for them in `default-members` of Cargo.toml? {built_again:#?}"
    );
}

/// `cargo lambda build` takes every package of the workspace that the root manifest does not leave out.
#[test]
fn cargo_lambda_builds_the_functions_and_nothing_else() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let root = Path::new(metadata["workspace_root"].as_str().unwrap());
    let is_no_function = |package: &&Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        !manifest.starts_with(root.join("functions"))
    };
    let names = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    let others: BTreeSet<String> = packages
        .iter()
        .filter(is_no_function)
        .map(|package| names(&package["name"]))
        .collect();
    let build = &metadata["metadata"]["lambda"]["build"];
    let left_out: BTreeSet<String> = build["exclude"].as_array().unwrap().iter().map(names).collect();
    assert_eq!(build["workspace"], true);
    assert_eq!(
        left_out, others,
        "`exclude` of [workspace.metadata.lambda.build] in Cargo.toml"
    );
}
