//! Gigabytes over a socket, without holding them.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use berth::digest::{Algorithm, Digest, Hasher};

/// Content of any size: `seed`, again and again.
#[derive(Clone, Copy)]
pub(crate) struct Large {
    pub seed: u8,
    pub size: u64,
}

/// What is written at once.
const BLOCK: usize = 1 << 20;

impl Large {
    fn block(self) -> Vec<u8> {
        (0..BLOCK).map(|index| (index % 251) as u8 ^ self.seed).collect()
    }

    pub(crate) fn digest(self) -> Digest {
        let (block, mut hasher) = (self.block(), Hasher::new(Algorithm::CANONICAL));
        for _ in 0..self.size / BLOCK as u64 {
            hasher.update(&block);
        }
        hasher.finish()
    }

    /// Sends it as the body of `method target`, with its length or in chunked coding; gives the answer's head.
    pub(crate) fn send(self, host: &str, method: &str, target: &str, chunked: bool) -> Head {
        let mut stream = TcpStream::connect(host).unwrap();
        let length =
            if chunked { "Transfer-Encoding: chunked".to_owned() } else { format!("Content-Length: {}", self.size) };
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{length}\r\nConnection: close\r\n\r\n").unwrap();
        let block = self.block();
        for _ in 0..self.size / BLOCK as u64 {
            if chunked {
                write!(stream, "{BLOCK:x}\r\n").unwrap();
            }
            stream.write_all(&block).unwrap();
            if chunked {
                stream.write_all(b"\r\n").unwrap();
            }
        }
        if chunked {
            stream.write_all(b"0\r\n\r\n").unwrap();
        }
        Head::read(&mut BufReader::new(stream))
    }
}

/// Status and headers of an answer.
pub(crate) struct Head {
    pub status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    fn read(stream: &mut BufReader<TcpStream>) -> Self {
        let mut lines = stream.lines().map(|line| line.unwrap()).take_while(|line| !line.is_empty());
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        Self { status, headers: headers.collect() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The path and query of `Location`.
    pub(crate) fn location(&self) -> String {
        let url = self.header("location");
        url.strip_prefix("http://").map_or(url, |rest| &rest[rest.find('/').unwrap()..]).to_owned()
    }
}

/// A request without a body.
pub(crate) fn ask(host: &str, method: &str, target: &str) -> Head {
    Large { seed: 0, size: 0 }.send(host, method, target, false)
}

/// Downloads `target`; gives the digest of what came.
pub(crate) fn download(host: &str, target: &str) -> Digest {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut stream = BufReader::with_capacity(BLOCK, stream);
    assert_eq!(Head::read(&mut stream).status, 200);
    let (mut buffer, mut hasher) = (vec![0; BLOCK], Hasher::new(Algorithm::CANONICAL));
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => return hasher.finish(),
            read => hasher.update(&buffer[..read]),
        }
    }
}
