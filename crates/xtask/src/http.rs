//! A small static file server for this machine: GET and HEAD, right types, right caching.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

/// The longest request head that is read.
const HEAD_BYTES_MAX: u64 = 16 * 1024;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// Serves a folder until the process ends.
pub fn serve(folder: &Path, port: u16) -> Result<()> {
    let server = Server::bind(folder, port, "/")?;
    println!(
        "\nBroker Playground: http://localhost:{}/",
        server.address.port()
    );
    println!("After a change run it again, or `cargo xtask build` beside it. Ctrl-C ends it.");
    server.run();
    Ok(())
}

/// A bound server.
pub struct Server {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
    folder: PathBuf,
    prefix: String,
}

impl Server {
    /// Listens on this machine only; the folder's files appear below `prefix`, which begins and ends with `/`.
    pub fn bind(folder: &Path, port: u16, prefix: &str) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| {
            format!("{} is not there: run `cargo xtask build`", folder.display())
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("cannot listen on port {port}; choose another with --port"))?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            folder,
            prefix: prefix.to_owned(),
        })
    }

    /// Serves until the process ends.
    pub fn run(&self) {
        for stream in self.listener.incoming().flatten() {
            let (folder, prefix) = (self.folder.clone(), self.prefix.clone());
            std::thread::spawn(move || {
                // A browser that goes away in the middle of an answer harms nothing.
                serve_connection(&stream, &folder, &prefix).ok();
            });
        }
    }
}

fn serve_connection(stream: &TcpStream, folder: &Path, prefix: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let answer = answer(&request, folder, prefix);
        let mut head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: {}\r\n\
             X-Content-Type-Options: nosniff\r\n",
            answer.status,
            answer.content_type,
            answer.body.len(),
            answer.caching
        );
        if let Some(location) = answer.location {
            head.push_str(&format!("Location: {location}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if request.method != "HEAD" {
            bytes.extend_from_slice(&answer.body);
        }
        let mut writer: &TcpStream = stream;
        writer.write_all(&bytes)?;
    }
    Ok(())
}

struct Request {
    method: String,
    path: String,
}

/// Reads one request's head; `None` at the end of the connection.
fn read_request(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Request>> {
    let mut reader = reader.take(HEAD_BYTES_MAX);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
    loop {
        let mut header = String::new();
        let read = reader.read_line(&mut header)?;
        if read == 0 {
            return Ok(None);
        }
        if header.trim_end().is_empty() {
            return Ok(Some(Request { method, path }));
        }
    }
}

struct Answer {
    status: &'static str,
    content_type: &'static str,
    caching: &'static str,
    location: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn plain(status: &'static str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            caching: "no-cache",
            location: None,
            body: format!("{status}\n").into_bytes(),
        }
    }
}

fn answer(request: &Request, folder: &Path, prefix: &str) -> Answer {
    if request.method != "GET" && request.method != "HEAD" {
        return Answer::plain("405 Method Not Allowed");
    }
    let Some(relative) = request.path.strip_prefix(prefix) else {
        let mut answer = Answer::plain("404 Not Found");
        if request.path == prefix.trim_end_matches('/') {
            answer.status = "301 Moved Permanently";
            answer.location = Some(prefix.to_owned());
        }
        return answer;
    };
    let relative = if relative.is_empty() {
        "index.html"
    } else {
        relative
    };
    // Names in dist/ are plain: nothing that needs decoding, no way up.
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if !relative.split('/').all(plain) {
        return Answer::plain("404 Not Found");
    }
    let path = folder.join(relative);
    match fs::read(&path) {
        Ok(body) => Answer {
            status: "200 OK",
            content_type: content_type(&path),
            caching: caching(relative),
            location: None,
            body,
        },
        Err(_) => Answer::plain("404 Not Found"),
    }
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A name that carries a hash of its content is kept for good.
fn caching(name: &str) -> &'static str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let hashed = stem
        .rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()));
    if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, prefix: &str) -> Answer {
        let request = Request {
            method: "GET".to_owned(),
            path: path.to_owned(),
        };
        answer(&request, &crate::steps::root(), prefix)
    }

    #[test]
    fn the_folder_itself_is_its_index() {
        let page = get("/", "/");
        assert_eq!(page.status, "200 OK");
        assert_eq!(page.content_type, "text/html; charset=utf-8");
        assert_eq!(get("/some/path/", "/some/path/").status, "200 OK");
        let moved = get("/some/path", "/some/path/");
        assert_eq!(moved.location.as_deref(), Some("/some/path/"));
    }

    #[test]
    fn nothing_above_or_hidden_is_served() {
        for path in [
            "/../etc/passwd",
            "/.git/config",
            "/%2e%2e/x",
            "//etc/passwd",
            "/nothing",
        ] {
            assert_eq!(get(path, "/").status, "404 Not Found", "{path}");
        }
        assert_eq!(get("/index.html", "/some/path/").status, "404 Not Found");
    }

    #[test]
    fn only_hashed_names_are_kept() {
        assert_eq!(
            caching("page-0123456789abcdef.js"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(caching("worker.js"), "no-cache");
        assert_eq!(caching("page-style.css"), "no-cache");
    }
}
