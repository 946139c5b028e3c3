//! Content files: what is too large for a row, sealed, in a file of its own.
//!
//! A file is complete and on disk, with its name, before anybody learns of it; it is never changed afterwards. It lies under
//! `spool/xx/ID`, where xx are two characters of chance from the id, so that no folder grows large.

use std::fs::{DirBuilder, File, OpenOptions, ReadDir};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::sealed::{CHUNK, CopyKey, Damage, SEALED_CHUNK, chunk_count, sealed_length};
use super::{CopyId, SpoolError};

/// How many chunks are read in one go: as much as leaves in one write.
const CHUNKS_AT_ONCE: usize = 4;

/// The folder of content files.
#[derive(Debug, Clone)]
pub(super) struct ContentFiles {
    root: PathBuf,
}

/// A content file that is removed again unless its row was committed.
#[derive(Debug)]
pub(super) struct ContentFile {
    path: PathBuf,
    kept: bool,
}

/// A content file that is being read, from its beginning to its end.
#[derive(Debug)]
pub(super) struct SealedFile {
    file: File,
    key: CopyKey,
    next: usize,
    count: usize,
}

/// Why a content could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The file is missing or was changed.
    Damaged(Damage),
    /// The disk did not do it.
    Io(std::io::Error),
}

impl ContentFiles {
    pub(super) fn open(data_dir: &Path) -> Result<Self, SpoolError> {
        let root = data_dir.join("spool");
        make_folder(&root)?;
        Ok(Self { root })
    }

    /// Writes a sealed content. When this returns, file and name are on disk.
    pub(super) fn write(
        &self,
        id: CopyId,
        key: &CopyKey,
        content: &[u8],
    ) -> Result<ContentFile, SpoolError> {
        let path = self.path(&id.to_string());
        let folder = path.parent().unwrap_or(&self.root);
        if make_folder(folder)? {
            File::open(&self.root)?.sync_all()?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let written = ContentFile {
            path: path.clone(),
            kept: false,
        };
        for chunk in key.seal_content(content) {
            file.write_all(&chunk?)?;
        }
        file.sync_data()?;
        File::open(folder)?.sync_all()?;
        Ok(written)
    }

    /// Opens the file of a content of `size` bytes.
    pub(super) fn open_sealed(
        &self,
        id: &str,
        key: CopyKey,
        size: usize,
    ) -> Result<SealedFile, ReadError> {
        let file = File::open(self.path(id)).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                ReadError::Damaged("its content file is missing")
            } else {
                ReadError::Io(error)
            }
        })?;
        // Checked first, so that a changed size in the database cannot make us reserve that much memory.
        let length = file.metadata().map_err(ReadError::Io)?.len();
        if sealed_length(size).and_then(|length| u64::try_from(length).ok()) != Some(length) {
            return Err(ReadError::Damaged("its content file has the wrong length"));
        }
        Ok(SealedFile {
            file,
            key,
            next: 0,
            count: chunk_count(size),
        })
    }

    /// Removes the file of an entry that is gone. What fails is left to the next [`ContentFiles::sweep`].
    pub(super) fn remove(&self, id: &str) {
        std::fs::remove_file(self.path(id)).ok();
    }

    /// Removes every file that no entry owns, and says how many there were.
    pub(super) fn sweep(
        &self,
        mut is_owned: impl FnMut(&str) -> Result<bool, SpoolError>,
    ) -> Result<u64, SpoolError> {
        let mut removed = 0;
        for folder in std::fs::read_dir(&self.root)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            removed += sweep_folder(std::fs::read_dir(folder.path())?, &mut is_owned)?;
        }
        Ok(removed)
    }

    fn path(&self, id: &str) -> PathBuf {
        let chance = id.split('.').next().unwrap_or(id);
        let folder = chance.get(chance.len().saturating_sub(2)..).unwrap_or("00");
        self.root.join(folder).join(id)
    }
}

impl SealedFile {
    /// The next few chunks, opened; none at the end.
    pub(super) fn read(&mut self) -> Result<Option<Bytes>, ReadError> {
        let last = self.count.min(self.next + CHUNKS_AT_ONCE);
        if self.next == last {
            return Ok(None);
        }
        let mut plain = Vec::with_capacity((last - self.next) * CHUNK);
        let mut sealed = Vec::with_capacity(SEALED_CHUNK);
        while self.next < last {
            sealed.clear();
            let limit = u64::try_from(SEALED_CHUNK).unwrap_or(u64::MAX);
            (&mut self.file)
                .take(limit)
                .read_to_end(&mut sealed)
                .map_err(ReadError::Io)?;
            self.key
                .open_chunk(self.next, self.count, &sealed, &mut plain)
                .map_err(ReadError::Damaged)?;
            self.next += 1;
        }
        Ok(Some(plain.into()))
    }
}

impl ContentFile {
    /// Its row is committed: the file stays.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for ContentFile {
    fn drop(&mut self) {
        if !self.kept {
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// Makes a folder for us alone, and says whether it was missing.
fn make_folder(path: &Path) -> Result<bool, SpoolError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn sweep_folder(
    folder: ReadDir,
    is_owned: &mut impl FnMut(&str) -> Result<bool, SpoolError>,
) -> Result<u64, SpoolError> {
    let mut removed = 0;
    for file in folder {
        let file = file?;
        // What is not named like a copy is not ours to delete.
        let name = file.file_name();
        let Some(id) = name.to_str().filter(|name| name.parse::<CopyId>().is_ok()) else {
            continue;
        };
        if !is_owned(id)? {
            std::fs::remove_file(file.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}
