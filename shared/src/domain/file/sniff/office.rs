//! Office documents, distinguished from other ZIP archives by the names in the archive's directory.
//!
//! The directory is at the end, so the end is read too.
//! Source: ECMA-376-2 (Open Packaging Conventions) §7.2.3.2 for `[Content_Types].xml`, §6.2.2.2 for names that differ in
//! case alone; PKWARE, *.ZIP File Format Specification*, §4.3 for the directory.

use std::cell::Cell;
use std::io;

use rawzip::{RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipLocator};

use super::super::{Looked, Unread};

/// How many of the last bytes are searched for the end of the directory: a comment of 65,535 bytes may follow it.
const END_BYTES: u64 = 66_000;
/// How many bytes of a larger directory are read at a time.
const STEP_BYTES: u64 = 1024 * 1024;

/// Whether it is a document whose parts are in a folder, without macros: with macros it has another type.
pub(super) fn is_document(file: &Looked, folder: &str) -> Result<bool, Unread> {
    let Some(names) = names(file)? else {
        return Ok(false);
    };
    let has = |wanted: &dyn Fn(&str) -> bool| names.iter().any(|name| wanted(name));
    Ok(has(&|name| name == "[content_types].xml")
        && has(&|name| name.starts_with(folder) && name.rsplit('.').next() == Some("xml"))
        && !has(&|name| name.ends_with("vbaproject.bin") || name == "xl/workbook.bin"))
}

/// The names in the directory, in lower case and with `/` between folders; none if there is no directory.
fn names(file: &Looked) -> Result<Option<Vec<String>>, Unread> {
    let size = file.size_bytes();
    file.at(size.saturating_sub(END_BYTES), END_BYTES)?;
    let missing = Cell::new(None);
    let names = read_names(Reader {
        file,
        missing: &missing,
    });
    match missing.get() {
        Some(start) => Err(Unread(start..size.min(start + STEP_BYTES))),
        None => Ok(names.ok()),
    }
}

fn read_names(reader: Reader<'_>) -> Result<Vec<String>, rawzip::Error> {
    let size = reader.file.size_bytes();
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipLocator::new()
        .max_search_space(END_BYTES)
        .locate_in_reader(reader, &mut buffer, size)
        .map_err(|(_, error)| error)?;
    let mut entries = archive.entries(&mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry()? {
        let name = String::from_utf8_lossy(entry.file_path().as_ref()).to_ascii_lowercase();
        // Old programs write backslashes.
        names.push(name.replace('\\', "/"));
    }
    Ok(names)
}

/// Reads the available bytes, and records which ones are missing.
struct Reader<'a> {
    file: &'a Looked,
    missing: &'a Cell<Option<u64>>,
}

impl ReaderAt for Reader<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.file.size_bytes() {
            return Ok(0);
        }
        let Some(bytes) = self.file.read_from(offset) else {
            self.missing.set(Some(offset));
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let length = bytes.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), bytes.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }
}
