//! Clients that do nothing but send what was prepared and wait for the answer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// How an answer ends.
#[derive(Clone, Copy)]
pub enum Framing {
    /// HTTP/1.1 with a content length.
    Http,
    /// As many bytes as the request asks for.
    Bare,
}

/// A TCP stream that counts its bytes: the wire, with everything that TLS adds.
struct Counted {
    stream: TcpStream,
    bytes: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.bytes.fetch_add(buf.filled().len() - before, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = &polled {
            self.bytes.fetch_add(*written, Ordering::Relaxed);
        }
        polled
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// One client's connection.
pub struct Connection {
    stream: TlsStream<Counted>,
    bytes: Arc<AtomicUsize>,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(connector: &tokio_rustls::TlsConnector, address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let bytes = Arc::new(AtomicUsize::new(0));
        let counted = Counted { stream, bytes: Arc::clone(&bytes) };
        let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
        Self { stream: connector.connect(name, counted).await.unwrap(), bytes, buffer: Vec::new() }
    }

    /// Sends one request and waits for its answer. Returns the bytes of the answer.
    async fn exchange(&mut self, request: &[u8], framing: Framing) -> usize {
        self.stream.write_all(request).await.unwrap();
        self.stream.flush().await.unwrap();
        self.buffer.clear();
        loop {
            let expected = match framing {
                Framing::Http => http_length(&self.buffer),
                Framing::Bare => Some(u32::from_be_bytes(request[8..12].try_into().unwrap()) as usize),
            };
            if expected.is_some_and(|expected| self.buffer.len() >= expected) {
                return self.buffer.len();
            }
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server hung up after {}", String::from_utf8_lossy(&self.buffer));
        }
    }
}

/// Head and body of an answer, once the head is here. Anything but success ends the bench.
fn http_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{}", String::from_utf8_lossy(bytes));
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned));
    Some(end + length.unwrap().trim().parse::<usize>().unwrap())
}

/// What a round of posting took.
#[derive(Default)]
pub struct Volley {
    pub took: Duration,
    pub wire_bytes: usize,
    /// Of the last answer.
    pub answer_bytes: usize,
    sorted: Vec<Duration>,
}

impl Volley {
    /// How many requests.
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The time within which this share of the requests was answered.
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.sorted.len().saturating_sub(1);
        self.sorted.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// Lets every client send its requests, each after the answer to the one before.
pub async fn fire(connections: Vec<Connection>, requests: Vec<Vec<Vec<u8>>>, framing: Framing) -> Volley {
    let counters: Vec<Arc<AtomicUsize>> = connections.iter().map(|one| Arc::clone(&one.bytes)).collect();
    let counted = || counters.iter().map(|bytes| bytes.load(Ordering::Relaxed)).sum::<usize>();
    let before = counted();
    let began = Instant::now();
    let clients = connections.into_iter().zip(requests).map(|(mut connection, requests)| {
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(requests.len());
            let mut answer_bytes = 0;
            for request in &requests {
                let sent = Instant::now();
                answer_bytes = connection.exchange(request, framing).await;
                times.push(sent.elapsed());
            }
            (times, answer_bytes)
        })
    });
    let done = futures_util::future::join_all(clients.collect::<Vec<_>>()).await;
    let took = began.elapsed();
    let mut volley = Volley { took, wire_bytes: counted() - before, ..Volley::default() };
    for client in done {
        let (times, answer_bytes) = client.unwrap();
        volley.sorted.extend(times);
        volley.answer_bytes = answer_bytes;
    }
    volley.sorted.sort();
    volley
}
