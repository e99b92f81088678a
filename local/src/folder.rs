//! The data folder: for one process at a time, with a version, complete, and readable only by its owner.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The content of `VERSION`. Another value means that this program cannot read the data.
const VERSION: &str = "tidings data 1";
/// The permissions of the folder: only its owner.
const FOLDER_MODE: u32 = 0o700;
/// The permissions of a file: only its owner.
const FILE_MODE: u32 = 0o600;

/// A data folder, locked as long as this exists.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// `VERSION`: empty until the folder is complete. The operating system releases the lock when the process ends,
    /// however it ends.
    version: File,
    is_new: bool,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another version wrote it.
    #[error("{path} was written by another version ({found}); use another --data-dir, or remove it")]
    OtherVersion {
        /// The folder.
        path: String,
        /// Its version.
        found: String,
    },
    /// It holds something else.
    #[error("{path} is not empty and holds no Tidings data; use another --data-dir")]
    NotOurs {
        /// The folder.
        path: String,
    },
    /// Another process has it.
    #[error("{path} is in use by another tidings; stop it, or use another --data-dir")]
    InUse {
        /// The folder.
        path: String,
    },
    /// Data is missing that was there before.
    #[error(
        "{path} held data, and {lost} is missing or empty; put it back, remove the folder to start anew, or use another \
         --data-dir"
    )]
    Lost {
        /// The folder.
        path: String,
        /// The part of it.
        lost: &'static str,
    },
    /// It cannot be read or written.
    #[error("{path} cannot be used: {source}")]
    Broken {
        /// The folder.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl Folder {
    /// Opens or creates a folder. From then on folder and files are accessible only to their owner.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let shown = path.display().to_string();
        let broken = |source| FolderError::Broken {
            path: shown.clone(),
            source,
        };
        let mut builder = DirBuilder::new();
        builder
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(path)
            .map_err(broken)?;
        let file = path.join("VERSION");
        if !file.try_exists().map_err(broken)? && fs::read_dir(path).map_err(broken)?.next().is_some() {
            return Err(FolderError::NotOurs { path: shown });
        }
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut version = options.mode(FILE_MODE).open(&file).map_err(broken)?;
        match version.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse { path: shown }),
            Err(TryLockError::Error(error)) => return Err(broken(error)),
        }
        let mut found = String::new();
        version.read_to_string(&mut found).map_err(broken)?;
        let is_new = found.trim().is_empty();
        if !is_new && found.trim() != VERSION {
            return Err(FolderError::OtherVersion {
                path: shown,
                found: found.trim().chars().take(40).collect(),
            });
        }
        if let Some(lost) = (!is_new).then(|| local_services::lost(path)).flatten() {
            return Err(FolderError::Lost { path: shown, lost });
        }
        close_to_others(path).map_err(broken)?;
        Ok(Self {
            path: path.to_owned(),
            version,
            is_new,
        })
    }

    /// Marks the folder as complete: from now on, what is missing was lost.
    pub fn is_complete(&mut self) -> Result<(), FolderError> {
        if !self.is_new {
            return Ok(());
        }
        let mut write = || {
            self.version.rewind()?;
            self.version.write_all(format!("{VERSION}\n").as_bytes())?;
            self.version.sync_all()
        };
        write().map_err(|source| FolderError::Broken {
            path: self.path.display().to_string(),
            source,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Restricts the folder and its content to the owner: an earlier version left this to the umask.
fn close_to_others(path: &Path) -> io::Result<()> {
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        restrict(&folder, FOLDER_MODE)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                restrict(&entry.path(), FILE_MODE)?;
            }
        }
    }
    Ok(())
}

fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    if fs::symlink_metadata(path)?.permissions().mode() & 0o777 == mode {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use local_services::{Services, Storage};

    use super::*;

    /// A folder as a desk leaves it.
    fn complete(path: &Path) {
        let mut folder = Folder::open(path).unwrap();
        let services = Services::open(Storage::Folder(path.to_owned())).unwrap();
        let table = serde_json::json!({
            "TableName": "tidings",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let table = local_services::TableSpec {
            create_table_json: table,
            ttl_attribute: None,
        };
        services.create_table(&table).unwrap();
        folder.is_complete().unwrap();
    }

    fn root() -> PathBuf {
        std::env::temp_dir().join(format!("tidings-folder-{}", uuid::Uuid::new_v4()))
    }

    #[test]
    fn a_folder_is_refused_in_one_line_unless_it_is_ours_and_free() {
        let root = root();
        let folder = Folder::open(&root).unwrap();
        assert!(matches!(Folder::open(&root), Err(FolderError::InUse { .. })));
        drop(folder);
        fs::write(root.join("VERSION"), "tidings data 0").unwrap();
        let error = Folder::open(&root).unwrap_err();
        assert!(matches!(error, FolderError::OtherVersion { .. }));
        assert_eq!(error.to_string().lines().count(), 1);
        fs::remove_file(root.join("VERSION")).unwrap();
        fs::write(root.join("letter.txt"), "dear").unwrap();
        assert!(matches!(Folder::open(&root), Err(FolderError::NotOurs { .. })));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_folder_whose_data_is_gone_is_refused_and_not_started_empty() {
        for (lost, how) in [
            ("dynamodb.sqlite", "removed"),
            ("dynamodb.sqlite", "emptied"),
            ("queues.sqlite", "removed"),
            ("queues.sqlite", "emptied"),
            ("s3", "removed"),
        ] {
            let root = root();
            complete(&root);
            Folder::open(&root).expect("nothing is lost yet");
            let path = root.join(lost);
            match how {
                "emptied" => fs::write(&path, "").unwrap(),
                _ if path.is_dir() => fs::remove_dir_all(&path).unwrap(),
                _ => fs::remove_file(&path).unwrap(),
            }
            let error = Folder::open(&root).unwrap_err();
            assert!(
                matches!(&error, FolderError::Lost { lost: part, .. } if *part == lost),
                "{lost} {how}: {error}"
            );
            assert_eq!(error.to_string().lines().count(), 1);
            fs::remove_dir_all(&root).unwrap();
        }
    }

    #[test]
    fn a_start_that_was_cut_off_before_anything_was_made_is_begun_again() {
        let root = root();
        drop(Folder::open(&root).unwrap());
        complete(&root);
        Folder::open(&root).unwrap();
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn what_an_earlier_version_left_open_is_closed_to_others() {
        let root = root();
        complete(&root);
        let object = root.join("s3/bucket/object");
        fs::create_dir_all(object.parent().unwrap()).unwrap();
        fs::write(&object, "pixels").unwrap();
        for path in [&root, &root.join("s3"), &object] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        Folder::open(&root).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&root), mode(&root.join("s3"))), (0o700, 0o700));
        assert_eq!(
            (mode(&object), mode(&root.join("dynamodb.sqlite"))),
            (0o600, 0o600)
        );
        fs::remove_dir_all(&root).unwrap();
    }
}
