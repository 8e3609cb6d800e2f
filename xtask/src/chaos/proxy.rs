//! A way to the server that can be cut.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// Passes bytes on, until it is told to cut.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    cut: broadcast::Sender<()>,
    open: Arc<AtomicU64>,
}

impl Proxy {
    /// Begins to listen, on a port of its own, for connections to `server`.
    pub(crate) async fn start(server: SocketAddr) -> io::Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (cut, _) = broadcast::channel(1);
        let open = Arc::new(AtomicU64::new(0));
        let (cuts, count) = (cut.clone(), Arc::clone(&open));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (mut cut, count) = (cuts.subscribe(), Arc::clone(&count));
                tokio::spawn(async move {
                    count.fetch_add(1, Ordering::Relaxed);
                    tokio::select! {
                        // Whatever was on its way is lost, in the middle of a message as well.
                        _ = cut.recv() => {}
                        () = pass(client, server) => {}
                    }
                    count.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Ok(Proxy { url, cut, open })
    }

    /// Cuts every connection there is. How many.
    pub(crate) fn cut(&self) -> u64 {
        let open = self.open.load(Ordering::Relaxed);
        let _ = self.cut.send(());
        open
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr) {
    // A server that is not there is one more connection that breaks.
    if let Ok(mut server) = TcpStream::connect(server).await {
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
