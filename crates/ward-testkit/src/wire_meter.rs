//! A way to a server that counts what passes: every byte of a connection, framing and TLS included.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Bytes that went each way.
#[derive(Debug, Default)]
struct Counted {
    up: AtomicU64,
    down: AtomicU64,
}

/// A port that hands everything on to a server and counts it, until this is dropped.
pub struct WireMeter {
    address: SocketAddr,
    counted: Arc<Counted>,
    task: tokio::task::JoinHandle<()>,
}

impl WireMeter {
    /// Takes a free port and hands on to `server` what arrives there, once it is known.
    pub async fn before(server: impl Future<Output = SocketAddr> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("the port is bound");
        let counted = Arc::new(Counted::default());
        let task = tokio::spawn(hand_on(listener, server, Arc::clone(&counted)));
        Self { address, counted, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes up and bytes down since the last call.
    pub fn take(&self) -> (u64, u64) {
        (self.counted.up.swap(0, Ordering::SeqCst), self.counted.down.swap(0, Ordering::SeqCst))
    }
}

impl Drop for WireMeter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hand_on(listener: TcpListener, server: impl Future<Output = SocketAddr>, counted: Arc<Counted>) {
    let server = server.await;
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = TcpStream::connect(server).await else { continue };
        let (from_device, to_device) = near.into_split();
        let (from_server, to_server) = far.into_split();
        let both = Arc::clone(&counted);
        tokio::spawn(async move {
            tokio::join!(copy(from_device, to_server, &both.up), copy(from_server, to_device, &both.down))
        });
    }
}

async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, count: &AtomicU64) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        count.fetch_add(read as u64, Ordering::SeqCst);
        if to.write_all(buffer.get(..read).unwrap_or_default()).await.is_err() {
            return;
        }
    }
    // The other side learns that this one is done.
    let _closed = to.shutdown().await;
}
