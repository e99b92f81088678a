//! The rights that tests have used. Each desk records them when it ends, in a file beside the tests, so that after a
//! complete run the unused rights can be listed.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use local::environment::{self, Environment};
use local_services::Rights;
use shared::lambda::Function;

/// What this process has already recorded.
static NOTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The file: `target/<profile>/rights-used.txt`.
fn notes() -> PathBuf {
    let this = std::env::current_exe().expect("the tests have a path");
    let folder = this.ancestors().nth(2).expect("the folder of the profile");
    folder.join("rights-used.txt")
}

/// Records rights that have allowed a call.
pub(crate) fn note(rights: &Rights) {
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut lines = String::new();
    for right in rights.used() {
        let right = right.to_string();
        if noted.insert(right.clone()) {
            lines.push_str(&right);
            lines.push('\n');
        }
    }
    if lines.is_empty() {
        return;
    }
    let file = OpenOptions::new().create(true).append(true).open(notes());
    // One write, because other processes may write too.
    file.and_then(|mut file| file.write_all(lines.as_bytes()))
        .expect("the notes can be written");
}

/// The rights in the template that no test has used since recording began. Deletes the file.
///
/// # Panics
/// If there is no file.
pub fn unused() -> Vec<String> {
    let file = notes();
    let notes = match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("{} does not exist; run `cargo t` first", file.display())
        }
        notes => notes.expect("the notes can be read"),
    };
    fs::remove_file(&file).expect("the notes can be ended");
    let mut used: BTreeSet<String> = notes.lines().map(str::to_owned).collect();
    // Functions in the desk do not run the init of a process.
    let connecting = local::functions().into_iter().filter(Function::connects_in_init);
    used.extend(connecting.map(|function| {
        let function = documents::stacks::logical_id(function.name);
        format!("{function}: dynamodb:GetItem on arn:aws:dynamodb:us-east-1:000000000000:table/Table")
    }));
    let template = environment::template(&Environment::new()).expect("the template can be read");
    let granted = local::rights::of(&template).granted().into_iter();
    granted
        .map(|right| right.to_string())
        .filter(|right| !used.contains(right))
        .collect()
}
