//! The layers: which module of `shared` may use which, and which crate. The tables stand where they are read, in
//! `shared/src/lib.rs` and `docs/architecture.md`, from the top down; the tests hold them against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::imports::Crate;
use super::{assert_none, root, sources};

/// What each thing uses, and how that is known.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn a_module_of_shared_uses_only_those_below_it() {
    let folder = root().join("shared/src");
    let module = |file: &Path| {
        let file = file.strip_prefix(&folder).unwrap().with_extension("");
        let first = file.iter().next().unwrap().to_string_lossy().into_owned();
        // The root declares the modules and is none.
        (first != "lib").then_some(first)
    };
    let mut arrows = Arrows::new();
    for source in sources()
        .into_iter()
        .filter(|source| source.is_within(&["shared/src/"]))
    {
        arrows.extend(module(&root().join(source.path)).map(|module| (module, BTreeMap::new())));
    }
    for (file, uses) in Crate::read(&folder.join("lib.rs")).uses() {
        let Some(from) = module(&file) else { continue };
        for (used, names) in uses {
            let Some(to) = module(&used).filter(|to| *to != from) else {
                continue;
            };
            let names: Vec<String> = names.into_iter().collect();
            let place = file.strip_prefix(root()).unwrap().display();
            let arrows = arrows.entry(from.clone()).or_default();
            arrows.insert(to, format!("{place} uses {}", names.join(", ")));
        }
    }
    holds("shared/src/lib.rs", "| Module | May use |", &arrows);
}

#[test]
fn a_crate_uses_only_those_below_it() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let top = metadata["workspace_root"].as_str().unwrap();
    // All of `functions/` is one row.
    let row = |name: &str| {
        let package = packages.iter().find(|package| package["name"] == name)?;
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let is_function = manifest.starts_with(Path::new(top).join("functions"));
        Some(if is_function {
            "functions".to_owned()
        } else {
            name.to_owned()
        })
    };
    let mut arrows = Arrows::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let arrows = arrows.entry(row(name).unwrap()).or_default();
        for used in package["dependencies"].as_array().unwrap() {
            let used = used["name"].as_str().unwrap();
            if let Some(to) = row(used) {
                arrows.insert(to, format!("the manifest of {name} names {used}"));
            }
        }
    }
    holds("docs/architecture.md", "| Crate | May use |", &arrows);
}

/// Holds a table against what is.
fn holds(file: &str, heading: &str, arrows: &Arrows) {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    assert_none(
        &format!("the table `{heading}` of {file} and the code differ"),
        &differences(&rows(&text, heading), arrows),
    );
}

/// The rows of a table: what each is about, and what that may use.
fn rows(text: &str, heading: &str) -> Vec<(String, BTreeSet<String>)> {
    let lines = text.lines().map(|line| line.trim_start_matches("//! "));
    let table = lines.skip_while(|line| !line.starts_with(heading)).skip(2);
    let names = |cell: &str| -> Vec<String> {
        let quoted = cell.split('`').skip(1).step_by(2);
        quoted.map(str::to_owned).collect()
    };
    let row = |line: &str| {
        let mut cells = line.split('|').skip(1).map(names);
        let name = cells.next()?.first()?.clone();
        Some((name, cells.next()?.into_iter().collect()))
    };
    table
        .take_while(|line| line.starts_with('|'))
        .map(|line| row(line).unwrap_or_else(|| panic!("no row of a table: {line}")))
        .collect()
}

/// What is to be done so that a table and what is agree.
fn differences(rows: &[(String, BTreeSet<String>)], arrows: &Arrows) -> Vec<String> {
    let mut found = Vec::new();
    let place = |name: &str| rows.iter().position(|(row, _)| row == name);
    for (name, uses) in arrows {
        let Some(at) = place(name) else {
            let uses: Vec<String> = uses.keys().map(|used| format!("`{used}`")).collect();
            found.push(format!(
                "{name} has no row: put `| {name} | {} |` above those",
                uses.join(", ")
            ));
            continue;
        };
        for (used, how) in uses {
            let is_below = place(used).is_some_and(|below| below > at);
            if !is_below {
                found.push(format!(
                    "{how} of {used}, which is not below {name}: hand it in, or move it to where both may use it"
                ));
            } else if !rows[at].1.contains(used) {
                found.push(format!(
                    "{how} of {used}: add it to the row of {name}, if {name} is to know of it"
                ));
            }
        }
    }
    for (name, allowed) in rows {
        match arrows.get(name) {
            None => found.push(format!("{name} has a row and is not there: strike the row")),
            Some(uses) => {
                let unused = allowed.iter().filter(|used| !uses.contains_key(*used));
                found
                    .extend(unused.map(|used| format!("{name} does not use {used}: strike it from the row")));
            }
        }
    }
    found
}

#[test]
fn every_difference_between_a_table_and_the_code_is_told() {
    let rows = rows(
        "//! | Module | May use | What |\n//! |---|---|---|\n//! | [`roof`] | `wall`, `air` | high |\n//! | `wall` | | |\n//! | `cave` | | |\n//!\n",
        "| Module | May use |",
    );
    let used = |names: &[&str]| -> BTreeMap<String, String> {
        let arrow = |name: &&str| ((*name).to_owned(), format!("a file uses Stone of {name}"));
        names.iter().map(arrow).collect()
    };
    let arrows = Arrows::from([
        ("roof".to_owned(), used(&["wall", "cave"])),
        ("wall".to_owned(), used(&["roof"])),
        ("yard".to_owned(), used(&["wall"])),
    ]);
    let told = differences(&rows, &arrows);
    let told: Vec<&str> = told
        .iter()
        .map(|line| line.split([':', ',']).next().unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "a file uses Stone of cave of cave",
            "a file uses Stone of roof of roof",
            "yard has no row",
            "roof does not use air",
            "cave has a row and is not there",
        ]
    );
}
