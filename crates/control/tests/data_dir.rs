//! Who may enter the directory of an installation.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gambeson_control::{Clock, Config, Control};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

async fn open_and_close(dir: &Path) {
    Control::open(Config::new(dir), Clock::System).unwrap().control.close().await;
}

#[tokio::test]
async fn a_data_directory_of_ours_is_closed_to_everybody_else() {
    let above = tempfile::tempdir().unwrap();
    let dir = above.path().join("data");
    fs::create_dir(&dir).unwrap();
    set(&dir, 0o755);
    open_and_close(&dir).await;
    assert_eq!(mode(&dir), 0o700, "an empty one, as a volume comes");
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
    // As a former version, or a careless copy, left it.
    set(&dir, 0o755);
    set(&dir.join("blobs"), 0o755);
    for file in ["store.sqlite", "audit.key", "lock"] {
        set(&dir.join(file), 0o644);
    }
    open_and_close(&dir).await;
    assert_eq!((mode(&dir), mode(&dir.join("blobs"))), (0o700, 0o700));
    for file in ["store.sqlite", "audit.key", "lock"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_directory_of_somebody_elses_things_is_left_alone_and_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("letter.txt"), "").unwrap();
    set(dir.path(), 0o755);
    let said = Control::open(Config::new(dir.path()), Clock::System).err().unwrap().to_string();
    assert!(said.contains("chmod 700"), "{said}");
    assert_eq!(mode(dir.path()), 0o755);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing was made in it");
}
