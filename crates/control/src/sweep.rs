//! Files of blobs that the store does not know: what an upload left that nobody waited for, or a crash between a file
//! and its row. Found a few at a time beside the writer, and removed by it, which looks once more.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use crate::control::Shared;
use crate::desk::Effect;
use crate::store::sqlite::Sqlite;
use crate::store::{Blobs, Stored};
use crate::writer::{WeakWriter, Writer};

/// An upload may be between its file and its row for as long as the writer has much to do.
const AGE: Duration = Duration::from_secs(3600);
/// Files that are removed in one turn.
const MOST: usize = 1000;
/// Between two turns, of which 256 are one round: quickly at the start, after a crash, and slowly after that.
const FIRST: Duration = Duration::from_millis(20);
const LATER: Duration = Duration::from_secs(10);

/// Starts the thread; it ends with the server.
pub(crate) fn start(shared: &Arc<Shared>, writer: &Writer) -> std::io::Result<()> {
    let (shared, writer) = (Arc::downgrade(shared), writer.downgrade());
    std::thread::Builder::new().name("sweep".into()).spawn(move || run(&shared, &writer)).map(drop)
}

fn run(shared: &Weak<Shared>, writer: &WeakWriter) {
    let mut pause = FIRST;
    loop {
        for first in 0..=u8::MAX {
            std::thread::sleep(pause);
            let (Some(shared), Some(writer)) = (shared.upgrade(), writer.upgrade()) else { return };
            if let Err(error) = turn(&shared, &writer, first, SystemTime::now()) {
                tracing::warn!("blobs that nobody knows were not looked for: {error}");
            }
        }
        pause = LATER;
    }
}

/// Looks at the files whose digests begin with a byte.
fn turn(shared: &Shared, writer: &Writer, first: u8, now: SystemTime) -> Stored<()> {
    let Some(before) = now.checked_sub(AGE) else { return Ok(()) };
    let mut store = None;
    let strays = shared.depot.strays(first, before, MOST, |digest| {
        let store = match &store {
            Some(store) => store,
            None => store.insert(Sqlite::open_reader(shared.readers.path())?),
        };
        Ok::<_, crate::store::StoreError>(store.blob_size(digest)?.is_some())
    })?;
    if !strays.is_empty() {
        tracing::info!(count = strays.len(), "files of blobs that nobody knows are removed");
        // Where the writer has too much to do, another round finds them again.
        writer.note_now(move |desk| {
            desk.effects.push(Effect::Forget(strays));
            Ok(())
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Config, Control};
    use gambeson_api::Digest;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn file(dir: &Path, digest: &Digest) -> PathBuf {
        crate::depot::place(&dir.join("blobs"), digest)
    }

    fn aged(dir: &Path, digest: &Digest, bytes: &[u8], age: Duration) -> PathBuf {
        let path = file(dir, digest);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if !path.exists() {
            fs::write(&path, bytes).unwrap();
        }
        fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        path
    }

    #[tokio::test]
    async fn old_files_that_nobody_knows_are_removed_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let opened = Control::open(Config::new(dir.path()), Clock::System).unwrap();
        let control = opened.control;
        let owner = control.authenticate(opened.setup_key.as_deref()).unwrap();
        let known = Digest::of(b"known");
        let mut blob = control.blob_write(&owner, None, known, None).await.unwrap();
        blob.write(b"known").unwrap();
        blob.finish().await.unwrap();
        let old = AGE + Duration::from_secs(60);
        let known = (known, aged(dir.path(), &known, b"known", old));
        let stray = (Digest::of(b"stray"), aged(dir.path(), &Digest::of(b"stray"), b"stray", old));
        let young = (Digest::of(b"young"), aged(dir.path(), &Digest::of(b"young"), b"young", Duration::ZERO));
        for (digest, _) in [&known, &stray, &young] {
            turn(&control.shared, &control.writer, digest.0[0], SystemTime::now()).unwrap();
        }
        // An answer comes before what its commit brings about, and after what earlier ones did.
        for _ in 0..2 {
            control.act(|_| Ok(())).await.unwrap();
        }
        assert_eq!((known.1.exists(), stray.1.exists(), young.1.exists()), (true, false, true));
    }

    #[tokio::test]
    async fn what_was_kept_again_since_it_was_found_stays() {
        let dir = tempfile::tempdir().unwrap();
        let opened = Control::open(Config::new(dir.path()), Clock::System).unwrap();
        let control = opened.control;
        let owner = control.authenticate(opened.setup_key.as_deref()).unwrap();
        let digest = Digest::of(b"back");
        let mut blob = control.blob_write(&owner, None, digest, None).await.unwrap();
        blob.write(b"back").unwrap();
        blob.finish().await.unwrap();
        control
            .act(move |desk| {
                desk.effects.push(Effect::Forget(vec![digest]));
                Ok(())
            })
            .await
            .unwrap();
        control.act(|_| Ok(())).await.unwrap();
        assert!(file(dir.path(), &digest).exists());
    }
}
