//! The packages that the product is built on are dependencies of what is deployed, and not only of its tests.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What the design names (design §1).
const NAMED: [&str; 10] = [
    "aws-sdk-apigatewaymanagement",
    "aws-sdk-dynamodb",
    "aws-sdk-s3",
    "aws-sdk-sqs",
    "jsonwebtoken",
    "lambda_http",
    "lambda_runtime",
    "serde",
    "tokio",
    "uuid",
];

#[test]
fn what_is_deployed_depends_on_the_named_packages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let is_deployed = |package: &&Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        manifest.starts_with(root.join("functions")) || manifest.starts_with(root.join("shared"))
    };
    // The kind of a normal dependency is null.
    let found: BTreeSet<&str> = packages
        .iter()
        .filter(is_deployed)
        .flat_map(|package| package["dependencies"].as_array().unwrap())
        .filter(|dependency| dependency["kind"].is_null())
        .map(|dependency| dependency["name"].as_str().unwrap())
        .collect();
    let missing: Vec<&str> = NAMED.into_iter().filter(|name| !found.contains(name)).collect();
    assert!(
        missing.is_empty(),
        "add to [dependencies] of shared/Cargo.toml, and use it there: {missing:?}"
    );
}
