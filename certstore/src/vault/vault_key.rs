//! The file that holds the vault key: 64 hexadecimal digits on one line, mode 0600, made on the first start.
//!
//! A key is made only where nothing is sealed yet. The database keeps a known value under the key: if the file is gone,
//! or holds another key, that is said, and nothing is overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use encodify::hex::decode_pair;
use zeroize::Zeroizing;

use super::VaultError;
use crate::database::Database;
use crate::seal::{KEY_LENGTH, SealError, VaultKey};

/// What is sealed as the check value, and under which purpose.
const CHECK: &[u8] = b"postern vault check";
const LINE_LENGTH: usize = 2 * KEY_LENGTH;

/// Reads the vault key from the file at `path` and proves it by the database; makes both on the first start.
///
/// # Errors
/// [`VaultError::KeyLost`] if the file is gone but something is sealed, [`VaultError::WrongKey`] if it holds another key,
/// [`VaultError::KeyExposed`] if others may read it, [`VaultError::KeyFile`] if it cannot be read or made.
pub async fn open_vault_key(path: &Path, database: &Database) -> Result<VaultKey, VaultError> {
    let check = database.vault_check().await?;
    let key = match (read_key(path)?, &check) {
        (Some(key), _) => key,
        (None, Some(_)) => return Err(VaultError::KeyLost(path.to_owned())),
        (None, None) => make_key(path)?,
    };
    let sealing_key = key.derive("check");
    let check = match check {
        Some(check) => check,
        None => {
            database
                .keep_vault_check(&sealing_key.seal(&[], CHECK)?)
                .await?
        }
    };
    match sealing_key.open(&[], &check) {
        Ok(_) => Ok(key),
        Err(SealError::Rejected) => Err(VaultError::WrongKey(path.to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// None if there is no such file.
fn read_key(path: &Path) -> Result<Option<VaultKey>, VaultError> {
    let fault = |reason: String| VaultError::KeyFile {
        path: path.to_owned(),
        reason,
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error.to_string())),
    };
    let mode = file
        .metadata()
        .map_err(|error| fault(error.to_string()))?
        .mode();
    if mode & 0o077 != 0 {
        return Err(VaultError::KeyExposed {
            path: path.to_owned(),
            mode: mode & 0o7777,
        });
    }
    // One byte more than the line and its end can have, so that a longer file is noticed.
    let mut line = Zeroizing::new([0; LINE_LENGTH + 2]);
    let length = read_up_to(&mut file, &mut line[..]).map_err(|error| fault(error.to_string()))?;
    let key = line.get(..length).and_then(decode).ok_or_else(|| {
        fault("it should hold 64 hexadecimal digits; restore it from a backup".to_owned())
    })?;
    Ok(Some(key))
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(free) = buffer.get_mut(length..).filter(|free| !free.is_empty()) {
        match file.read(free)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

fn decode(line: &[u8]) -> Option<VaultKey> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (digits, rest) = line.as_chunks::<2>();
    if digits.len() != KEY_LENGTH || !rest.is_empty() {
        return None;
    }
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    for (byte, [high, low]) in key.iter_mut().zip(digits) {
        *byte = decode_pair(*high, *low)?;
    }
    Some(VaultKey::new(key))
}

/// Makes the file, or takes the one that another process made at the same moment. The key lies whole and durable in a
/// file of another name before it gets its own, so that no crash leaves half a key.
fn make_key(path: &Path) -> Result<VaultKey, VaultError> {
    let fault = |error: io::Error| VaultError::KeyFile {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let key = VaultKey::generate()?;
    let new = new_name(path);
    write_durably(&new, &key).map_err(fault)?;
    let linked = std::fs::hard_link(&new, path);
    std::fs::remove_file(&new).map_err(fault)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fault(error)),
        Ok(()) | Err(_) => {}
    }
    sync_folder(path).map_err(fault)?;
    read_key(path)?.ok_or_else(|| VaultError::KeyLost(path.to_owned()))
}

/// Beside the key file, and of this process alone.
fn new_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}

fn write_durably(path: &Path, key: &VaultKey) -> io::Result<()> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_LENGTH + 1));
    for byte in key.as_bytes() {
        write!(line, "{byte:02x}")?;
    }
    line.push(b'\n');
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(&line)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    async fn database(folder: &Path) -> Database {
        Database::open(&folder.join("postern.db")).await.unwrap()
    }

    fn put(path: &Path, content: &[u8], mode: u32) {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        options.open(path).unwrap().write_all(content).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[tokio::test]
    async fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.key");
        let database = database(folder.path()).await;
        let first = open_vault_key(&path, &database).await.unwrap();
        let again = open_vault_key(&path, &database).await.unwrap();
        assert_eq!(first.as_bytes(), again.as_bytes());
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
        let names: Vec<_> = folder
            .path()
            .read_dir()
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert!(
            !names
                .iter()
                .any(|name| name.to_string_lossy().ends_with(".new")),
            "{names:?}"
        );
    }

    #[tokio::test]
    async fn a_lost_key_and_a_wrong_key_are_told_apart_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.key");
        let database = database(folder.path()).await;
        open_vault_key(&path, &database).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let lost = open_vault_key(&path, &database).await.unwrap_err();
        assert_eq!(lost, VaultError::KeyLost(path.clone()));
        assert!(!path.exists(), "a key was made where something is sealed");
        put(&path, "ab".repeat(32).as_bytes(), 0o600);
        let wrong = open_vault_key(&path, &database).await.unwrap_err();
        assert_eq!(wrong, VaultError::WrongKey(path.clone()));
    }

    #[tokio::test]
    async fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.key");
        let database = database(folder.path()).await;
        for (mode, accepted) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            put(&path, "ab".repeat(32).as_bytes(), mode);
            let opened = open_vault_key(&path, &database).await;
            assert_eq!(opened.is_ok(), accepted, "{mode:o}: {opened:?}");
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn only_a_line_of_64_digits_is_a_key() {
        let digits = "0123456789abcdefABCDEF0123456789".repeat(2);
        for (text, expected) in [
            (digits.clone(), true),
            (format!("{digits}\n"), true),
            (format!("{digits}\n\n"), false),
            (format!("{digits}0"), false),
            ("0".repeat(63), false),
            (digits.replace('a', "g"), false),
            (format!(" {}", "0".repeat(63)), false),
            (String::new(), false),
            ("\n".to_owned(), false),
        ] {
            assert_eq!(decode(text.as_bytes()).is_some(), expected, "{text:?}");
        }
    }
}
