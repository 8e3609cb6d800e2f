//! Files and directories of ours: entered by nobody else, and put in place whole or not at all.
//!
//! A rename is on the disk when its directory is: whoever makes, renames or removes a name that has to last syncs the
//! directory that holds it (fsync(2)).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The store's file in the directory of an installation.
pub(crate) const STORE: &str = "store.sqlite";

/// What may be in the directory before the store is: what an operator lays out, and what a first start that failed left.
const NAMES: [&str; 8] = ["restoring", "policies", "worker", "run", "blobs", "backups", "audit.key", "lock"];

/// The bits of a mode that let in anybody but the owner.
const OTHERS: u32 = 0o077;

/// Makes a directory that only we enter, with those above it. One that is there is closed to everybody else.
pub(crate) fn private_dir(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(_) => close_to_others(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = above(path);
            if !above.exists() {
                private_dir(above)?;
            }
            match fs::DirBuilder::new().mode(0o700).create(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => sync_dir(above),
            }
        }
        Err(error) => Err(error),
    }
}

/// Takes the rights of everybody but the owner off a file or a directory.
pub(crate) fn close_to_others(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7700))
}

/// Prepares the directory of an installation: made if it is not there; closed to everybody else if it is ours, with the
/// files in it that matter.
///
/// # Errors
/// In a sentence: one that holds other things and that others may enter is not ours to close.
pub(crate) fn data_dir(path: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("the directory cannot be made or entered: {error}");
    if let Ok(metadata) = fs::metadata(path)
        && metadata.permissions().mode() & OTHERS != 0
    {
        let mut ours = true;
        for entry in fs::read_dir(path).map_err(failed)? {
            ours &= entry.map_err(failed)?.file_name().to_str().is_some_and(|name| NAMES.contains(&name));
        }
        if !ours && !path.join(STORE).exists() {
            return Err(
                "others may enter this directory, and it holds things that are not Gambeson's: name another, or \
                        close it with chmod 700"
                    .into(),
            );
        }
        tracing::warn!("others could enter {}: its mode is 0700 now", path.display());
    }
    private_dir(path).map_err(failed)?;
    for name in [STORE, "store.sqlite-wal", "store.sqlite-shm", "audit.key", "lock"] {
        match close_to_others(&path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{name} cannot be closed to others: {error}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a disk has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Bytes that we may still write.
    pub free: u64,
    pub size: u64,
}

/// The disk that a file is on.
pub(crate) fn room(path: &Path) -> io::Result<Room> {
    let disk = rustix::fs::statvfs(path)?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Ok(Room { free: bytes(disk.f_bavail), size: bytes(disk.f_blocks) })
}

/// The directory that a name is in.
pub(crate) fn above(path: &Path) -> &Path {
    path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What is in a directory; `None` where there is none.
pub(crate) fn entries(dir: &Path) -> io::Result<Option<fs::ReadDir>> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(Some(entries)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A name beside `place` that nobody else makes, for what is not whole yet.
pub(crate) fn aside(place: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    Ok(place.with_file_name(format!(".{name}.{:016x}.part", u64::from_ne_bytes(random))))
}

/// Removes what SQLite keeps beside a file, with these endings, where it is there.
pub(crate) fn remove_beside(path: &Path, endings: &[&str]) {
    for ending in endings {
        let mut path = path.as_os_str().to_owned();
        path.push(ending);
        let _ = fs::remove_file(path);
    }
}

/// Has a directory's names on the disk.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A new file that only we read.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A file on its way to its name. Dropped before it has that, it is removed.
#[derive(Debug)]
pub(crate) struct Part {
    path: PathBuf,
}

impl Part {
    /// Makes an empty one beside `place`, under a name that nobody else makes.
    pub(crate) fn beside(place: &Path) -> io::Result<Part> {
        let path = aside(place)?;
        create(&path)?;
        Ok(Part { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, unless something has that already ([`io::ErrorKind::AlreadyExists`]). Returns its size.
    pub(crate) fn put(self, place: &Path) -> io::Result<u64> {
        let file = File::open(&self.path)?;
        file.sync_all()?;
        // A link, unlike a rename, takes nobody's place.
        fs::hard_link(&self.path, place)?;
        fs::remove_file(&self.path)?;
        sync_dir(place.parent().unwrap_or(Path::new("/")))?;
        Ok(file.metadata()?.len())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Put in place already, or to be thrown away; and what SQLite keeps beside a file that it writes.
        remove_beside(&self.path, &["", "-journal", "-wal", "-shm"]);
    }
}

/// Removes the parts that a former life left in a directory; none of ours may be on its way.
pub(crate) fn remove_parts(dir: &Path) -> io::Result<()> {
    for entry in entries(dir)?.into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.contains(".part") {
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}
