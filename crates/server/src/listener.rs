//! Sockets to listen on.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixSocket, UnixStream};

use crate::options::Address;
use crate::serve::ServeError;

/// Connections that may wait for us to accept them.
const BACKLOG: u32 = 1024;

/// A connection that was accepted.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A socket that is listened on.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Socket(UnixListener, SocketFile),
}

/// The file of a Unix socket, which goes with it.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another server may have replaced it since; that one's stays.
        if std::fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Listener {
    pub(crate) async fn tcp(address: std::net::SocketAddr) -> Result<Listener, ServeError> {
        let bound = TcpListener::bind(address).await;
        bound.map(Listener::Tcp).map_err(|source| ServeError::Listen { on: address.to_string(), source })
    }

    pub(crate) async fn socket(path: &Path) -> Result<Listener, ServeError> {
        let bound = bind_socket(path).await;
        let failed = |source| ServeError::Listen { on: format!("the socket {}", path.display()), source };
        let (listener, file) = bound.map_err(failed)?;
        Ok(Listener::Socket(listener, file))
    }

    /// Where it listens.
    pub(crate) fn address(&self, tls: bool) -> io::Result<Address> {
        match self {
            Listener::Tcp(listener) => Ok(Address::Tcp { address: listener.local_addr()?, tls }),
            Listener::Socket(_, file) => Ok(Address::Socket(file.path.clone())),
        }
    }

    /// The next connection, and whence it comes if from a network.
    pub(crate) async fn accept(&self) -> io::Result<(Box<dyn Stream>, Option<IpAddr>)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                // An answer is written at once; waiting for more to send would only delay it.
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Some(from.ip())))
            }
            Listener::Socket(listener, _) => Ok((Box::new(listener.accept().await?.0), None)),
        }
    }
}

async fn bind_socket(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        // One that is there stays as it is: it may be somebody else's.
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    remove_stale(path).await?;
    let socket = UnixSocket::new_stream()?;
    // The file gets the socket's own mode at bind (unix(7)); setting it afterwards would leave a moment in which others
    // may connect.
    File::from(socket.as_fd().try_clone_to_owned()?).set_permissions(Permissions::from_mode(0o600))?;
    socket.bind(path)?;
    let found = std::fs::symlink_metadata(path)?;
    let file = SocketFile { path: path.to_owned(), inode: found.ino() };
    if found.mode() & 0o077 != 0 {
        return Err(io::Error::other("its file lets others in"));
    }
    Ok((socket.listen(BACKLOG)?, file))
}

/// Removes the socket of a server that is no more.
async fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(file) if !file.file_type().is_socket() => {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another server answers there")),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_ours_alone_and_goes_with_us() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/gambeson.sock");
        let listener = Listener::socket(&path).await.unwrap();
        assert_eq!(std::fs::symlink_metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        assert_eq!(listener.address(false).unwrap().to_string(), format!("unix:{}", path.display()));
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gambeson.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "left behind");
        let live = Listener::socket(&path).await.unwrap();
        let said = Listener::socket(&path).await.unwrap_err();
        assert!(format!("{said:?}").contains("another server answers there"), "{said:?}");
        assert!(path.exists());
        // Who came after us is not removed with us.
        std::fs::remove_file(&path).unwrap();
        let newer = Listener::socket(&path).await.unwrap();
        drop(live);
        assert!(path.exists());
        drop(newer);
        std::fs::write(&path, "precious").unwrap();
        assert!(Listener::socket(&path).await.is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
