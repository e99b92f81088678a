//! Which rights the tests have used. Each world notes its own when it ends, in a file beside the tests, so that
//! whoever runs all of them can ask which right nothing has needed.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use local::environment::{self, Environment};
use local_services::Rights;
use shared::lambda::Function;

/// What this process has noted already.
static NOTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The file of the notes: `target/<profile>/rights-used.txt`.
fn notes() -> PathBuf {
    let this = std::env::current_exe().expect("the tests have a path");
    let folder = this.ancestors().nth(2).expect("the folder of the profile");
    folder.join("rights-used.txt")
}

/// Notes the rights that have allowed something.
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
    // One write, because other processes may note too.
    file.and_then(|mut file| file.write_all(lines.as_bytes()))
        .expect("the notes can be written");
}

/// The rights of the template that no test has used since the notes were begun. Ends the notes.
///
/// # Panics
/// If there are no notes.
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
    // What a process does in its init is not done by functions that run in the desk.
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
