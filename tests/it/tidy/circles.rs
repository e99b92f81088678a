//! No files that use each other in a circle: none of them could be read, tested or changed by itself.
//!
//! A file and those in the folder of its name are one module, so a part may use what its whole keeps for its parts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use super::imports::{Crate, Uses};
use super::{assert_none, root, sources};

#[test]
fn no_files_use_each_other_in_a_circle() {
    let roots = sources().into_iter().map(|source| root().join(source.path));
    let is_root = |file: &Path| file.ends_with("lib.rs") || file.ends_with("main.rs");
    let circles: Vec<String> = roots
        .filter(|file| is_root(file))
        .flat_map(|file| circles(&Crate::read(&file).uses(), root()))
        .collect();
    assert_none(
        "move what one of them takes from the next to the file that it is about, or to a file of its own",
        &circles,
    );
}

/// A shortest circle through each file that is in one, in words.
fn circles(uses: &Uses, root: &Path) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for start in uses.keys() {
        let Some(circle) = shortest(uses, start) else {
            continue;
        };
        let files: BTreeSet<&Path> = circle.iter().copied().collect();
        if told.insert(files) {
            circles.push(words(uses, &circle, root));
        }
    }
    circles
}

/// The shortest way from a file back to itself, without its end.
fn shortest<'a>(uses: &'a Uses, start: &'a Path) -> Option<Vec<&'a Path>> {
    let mut came_from: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut left = VecDeque::from([start]);
    while let Some(file) = left.pop_front() {
        let used = uses.get(file).into_iter().flat_map(BTreeMap::keys);
        for used in used.filter(|used| !is_part(file, used)) {
            if used == start {
                let mut circle = vec![file];
                while let Some(before) = came_from.get(circle[circle.len() - 1]) {
                    circle.push(before);
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(used.as_path()) {
                came_from.insert(used, file);
                left.push_back(used);
            }
        }
    }
    None
}

/// Whether a file is a part of the module that another one begins.
fn is_part(file: &Path, whole: &Path) -> bool {
    let is_root = whole.ends_with("lib.rs") || whole.ends_with("main.rs");
    let folder = if is_root {
        whole.with_file_name("")
    } else {
        whole.with_extension("")
    };
    file.starts_with(folder)
}

fn words(uses: &Uses, circle: &[&Path], root: &Path) -> String {
    let next = circle.iter().cycle().skip(1);
    let arrows = circle.iter().zip(next).map(|(file, used)| {
        let names: Vec<&str> = uses[*file][*used].iter().map(String::as_str).collect();
        let [file, used] = [file, used].map(|file| file.strip_prefix(root).unwrap_or(file).display());
        format!("{file} uses {} of {used}", names.join(", "))
    });
    arrows.collect::<Vec<_>>().join("\n    ")
}

#[test]
fn a_circle_is_seen_through_re_exports_and_modules_and_not_through_tests() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    write(
        "lib.rs",
        "mod bells; mod clocks; mod towers; pub use clocks::Clock;",
    );
    write("bells.rs", "use crate::Clock as Time; fn ring(_: Time) {}");
    write(
        "clocks.rs",
        "use crate::towers; pub struct Clock(towers::high::Tower);",
    );
    write("towers.rs", "pub(crate) mod high; pub(crate) struct Stone;");
    write(
        "towers/high.rs",
        "use super::{Stone, super::bells::{self}}; struct Tower(Stone, bells::Bell);",
    );
    assert_eq!(
        circles(&Crate::read(&folder.path().join("lib.rs")).uses(), folder.path()),
        ["bells.rs uses Clock of clocks.rs\n    \
          clocks.rs uses Tower of towers/high.rs\n    \
          towers/high.rs uses Bell of bells.rs"]
    );
    write(
        "bells.rs",
        "#[cfg(test)] mod tests { use crate::Clock; } fn ring() { let _ = ::clocks::Clock; }",
    );
    let none: [&str; 0] = [];
    assert_eq!(
        circles(&Crate::read(&folder.path().join("lib.rs")).uses(), folder.path()),
        none
    );
}
