//! The data folder: one process at a time, one version of the data.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// What this version writes into `VERSION`. Another word means items that this program cannot read.
const VERSION: &str = "tidings data 1";

/// A data folder that is this process's own as long as this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The operating system lets go of the lock when the process ends, however it does.
    _lock: File,
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
    /// Opens a folder, or makes it.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let shown = path.display().to_string();
        let broken = |source| FolderError::Broken {
            path: shown.clone(),
            source,
        };
        fs::create_dir_all(path).map_err(broken)?;
        let version = path.join("VERSION");
        match fs::read_to_string(&version) {
            Ok(found) if found.trim() == VERSION => {}
            Ok(found) => {
                return Err(FolderError::OtherVersion {
                    path: shown,
                    found: found.trim().chars().take(40).collect(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if fs::read_dir(path).map_err(broken)?.next().is_some() {
                    return Err(FolderError::NotOurs { path: shown });
                }
                fs::write(&version, format!("{VERSION}\n")).map_err(broken)?;
            }
            Err(error) => return Err(broken(error)),
        }
        let lock = File::open(&version).map_err(broken)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse { path: shown }),
            Err(TryLockError::Error(error)) => Err(broken(error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_refused_in_one_line_unless_it_is_ours_and_free() {
        let root = std::env::temp_dir().join(format!("tidings-folder-{}", uuid::Uuid::new_v4()));
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
}
