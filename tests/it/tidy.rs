//! Rules about the source that no compiler checks. Each failure names the file and what to do.

mod circles;
mod imports;
mod layers;

use std::path::{Path, PathBuf};

/// Beyond this, a file is about more than one thing.
const MOST_LINES: usize = 500;

/// A file of the workspace.
struct Source {
    /// Where it is, from the top, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn is_within(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }

    /// The lines of code, with their numbers: what a comment says is not done.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The top of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

fn sources() -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    for place in ["documents", "functions", "local", "shared", "tests"] {
        collect(root, &root.join(place), &mut sources);
    }
    assert!(
        sources.len() > 50,
        "the workspace was looked for in {}",
        root.display()
    );
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(root, &path, sources);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let within = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            sources.push(Source { path: within, text });
        }
    }
}

/// Fails with every file that a rule is broken in, and why there is the rule.
fn assert_none(why: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{why}:\n\n  {}\n", broken.join("\n  "));
}

/// Where words stand that must not, outside the places that may have them.
fn words(sources: &[Source], allowed: &[&str], forbidden: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.is_within(allowed)) {
        for (number, line) in source.code() {
            let word = forbidden.iter().find(|word| line.contains(**word));
            found.extend(word.map(|word| format!("{}:{number}: {word}", source.path)));
        }
    }
    found
}

#[test]
fn every_file_says_what_it_is_for() {
    let speaks = |source: &Source| {
        source
            .text
            .lines()
            .next()
            .is_some_and(|line| line.len() > "//! .".len() && line.starts_with("//! "))
    };
    let broken: Vec<String> = sources()
        .into_iter()
        .filter(|source| !speaks(source))
        .map(|source| source.path)
        .collect();
    assert_none("begin the file with `//! ` and a sentence", &broken);
}

#[test]
fn no_file_is_too_long() {
    let broken: Vec<String> = sources()
        .into_iter()
        .map(|source| (source.text.lines().count(), source.path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert_none(
        &format!("a file has at most {MOST_LINES} lines; split it by what it is about"),
        &broken,
    );
}

#[test]
fn no_file_is_a_catch_all() {
    const DRAWERS: [&str; 8] = [
        "util", "utils", "helper", "helpers", "misc", "common", "manager", "mod",
    ];
    let is_drawer = |source: &Source| source.path.split(['/', '.']).any(|part| DRAWERS.contains(&part));
    let broken: Vec<String> = sources()
        .into_iter()
        .filter(is_drawer)
        .map(|source| source.path)
        .collect();
    assert_none("name a file after what is in it", &broken);
}

#[test]
fn the_domain_is_pure() {
    let mut sources = sources();
    sources.retain(|source| source.is_within(&["shared/src/domain/", "shared/src/domain.rs"]));
    let forbidden = [
        "std::env",
        "tokio",
        "aws_",
        "crate::store",
        "crate::http",
        "crate::auth",
    ];
    assert_none(
        "the domain knows no world outside; pass in what it needs",
        &words(&sources, &[], &forbidden),
    );
}

#[test]
fn the_time_comes_from_the_clock() {
    let allowed = ["shared/src/clock.rs", "local/", "tests/it/tidy.rs"];
    assert_none(
        "ask App::now, so that tests can choose the time",
        &words(&sources(), &allowed, &["SystemTime::now"]),
    );
}

#[test]
fn settings_are_read_in_one_place() {
    let allowed = [
        "shared/src/config.rs",
        "functions/system/build.rs",
        "local/",
        "tests/",
    ];
    assert_none(
        "add it to Config, so that a missing one stops the cold start",
        &words(&sources(), &allowed, &["std::env::var"]),
    );
}
