//! Content on its way in, checked as it passes.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::{DriverError, DriverErrorKind, Path};
use crate::{
    context::Context,
    digest::{Digest, Hasher},
    distribution::{ByteStream, Content},
};

/// The least that a buffer begins with, in bytes. It doubles from there, and so comes to the size of a part exactly.
const SMALLEST: usize = 64 << 10;

/// Content whose length and checksum are checked before its last bytes are handed out: whoever waits for the end
/// before anything counts stores nothing wrong.
pub(super) struct Source {
    stream: ByteStream,
    path: Path,
    /// The length that its sender announced.
    length: Option<u64>,
    checksum: Option<(Hasher, Digest)>,
    /// Bytes that have come in.
    seen: u64,
    /// The last bytes that came in, not handed out yet.
    held: Option<Bytes>,
    /// Bytes handed out and given back.
    back: Option<Bytes>,
    checked: bool,
}

impl Source {
    pub(super) fn new(path: &Path, content: Content, checksum: Option<Digest>) -> Self {
        Self {
            stream: content.stream,
            path: path.clone(),
            length: content.length,
            checksum: checksum.map(|digest| (Hasher::new(digest.algorithm()), digest)),
            seen: 0,
            held: None,
            back: None,
            checked: false,
        }
    }

    /// The next bytes; `None` when there are no more, and all was as it should be. A call that is dropped loses
    /// nothing.
    ///
    /// # Errors
    /// [`DriverErrorKind::Content`] and [`DriverErrorKind::Checksum`].
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, DriverError> {
        if self.back.is_some() {
            return Ok(self.back.take());
        }
        while !self.checked {
            match self.stream.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    self.take_in(&bytes)?;
                    if let Some(before) = self.held.replace(bytes) {
                        return Ok(Some(before));
                    }
                }
                Some(Err(error)) => return Err(self.wrong(DriverErrorKind::Content, error.to_string())),
                None => self.check()?,
            }
        }
        Ok(self.held.take())
    }

    /// As [`Self::next`], but no later than the deadline of `ctx`: a sender keeps it no less than a backend does.
    ///
    /// # Errors
    /// As [`Self::next`], and [`DriverErrorKind::Timeout`].
    pub(super) async fn next_in_time(&mut self, ctx: &Context) -> Result<Option<Bytes>, DriverError> {
        let Some(deadline) = ctx.deadline() else { return self.next().await };
        match tokio::time::timeout_at(deadline.into(), self.next()).await {
            Ok(next) => next,
            Err(_) => Err(self.wrong(DriverErrorKind::Timeout, "the content did not come in time".to_owned())),
        }
    }

    /// Whether all of it has been handed out, and was as it should be.
    pub(super) fn is_finished(&self) -> bool {
        self.checked && self.held.is_none() && self.back.is_none()
    }

    /// Bytes that have come in: the length, once it is finished.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// The next `size` bytes, or what is left of them.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(super) async fn gather(&mut self, size: u64) -> Result<Bytes, DriverError> {
        let left = self.length.map_or(0, |length| length - self.seen.min(length));
        let capacity = usize::try_from(left.min(size)).unwrap_or(0).max(SMALLEST);
        self.gather_into(BytesMut::with_capacity(capacity), size).await
    }

    /// As [`Self::gather`], in `buffer`, which is empty. A part's memory is used again for the next: an allocator
    /// that is asked for megabytes on one thread and given them back on another keeps several times as much.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(super) async fn gather_into(&mut self, mut buffer: BytesMut, size: u64) -> Result<Bytes, DriverError> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        while buffer.len() < size {
            let Some(mut bytes) = self.next().await? else { break };
            let room = size - buffer.len();
            if bytes.len() > room {
                self.back = Some(bytes.split_off(room));
            }
            if buffer.is_empty() && (bytes.len() == size || self.is_finished()) {
                return Ok(bytes);
            }
            buffer.extend_from_slice(&bytes);
        }
        Ok(buffer.freeze())
    }

    /// Takes in the rest, to check it.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(super) async fn drain(&mut self) -> Result<(), DriverError> {
        while self.next().await?.is_some() {}
        Ok(())
    }

    fn take_in(&mut self, bytes: &[u8]) -> Result<(), DriverError> {
        self.seen += bytes.len() as u64;
        if let Some(length) = self.length.filter(|length| self.seen > *length) {
            return Err(self.wrong(DriverErrorKind::Content, format!("longer than the {length} bytes announced")));
        }
        if let Some((hasher, _)) = &mut self.checksum {
            hasher.update(bytes);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), DriverError> {
        if let Some(length) = self.length.filter(|length| self.seen < *length) {
            let message = format!("broke off after {} of {length} bytes", self.seen);
            return Err(self.wrong(DriverErrorKind::Content, message));
        }
        if let Some((hasher, expected)) = self.checksum.take() {
            let actual = hasher.finish();
            if actual != expected {
                return Err(self.wrong(DriverErrorKind::Checksum, format!("{actual} instead of {expected}")));
            }
        }
        self.checked = true;
        Ok(())
    }

    fn wrong(&self, kind: DriverErrorKind, message: String) -> DriverError {
        DriverError::new(kind, &self.path, message)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn source(chunks: &[&'static str], length: Option<u64>, checksum: Option<&str>) -> Source {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        let digest = checksum.map(|content| Digest::canonical(content.as_bytes()));
        Source::new(&"/a".parse().unwrap(), Content { length, stream: stream::iter(chunks).boxed() }, digest)
    }

    async fn handed_out(mut source: Source) -> (String, Option<DriverErrorKind>) {
        let mut all = String::new();
        loop {
            match source.next().await {
                Ok(Some(bytes)) => all.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) => return (all, None),
                Err(error) => return (all, Some(error.kind)),
            }
        }
    }

    #[tokio::test]
    async fn the_last_bytes_are_kept_back_until_all_is_known() {
        use DriverErrorKind::{Checksum, Content};
        let chunks = ["one", "", "two", "three"];
        let whole = "onetwothree";
        assert_eq!(handed_out(source(&chunks, Some(11), Some(whole))).await, (whole.into(), None));
        assert_eq!(handed_out(source(&chunks, None, Some(whole))).await, (whole.into(), None));
        assert_eq!(handed_out(source(&chunks, None, Some("other"))).await, ("onetwo".into(), Some(Checksum)));
        assert_eq!(handed_out(source(&chunks, Some(12), None)).await, ("onetwo".into(), Some(Content)));
        assert_eq!(handed_out(source(&chunks, Some(10), None)).await, ("one".into(), Some(Content)));
        assert_eq!(handed_out(source(&[], Some(0), Some(""))).await, (String::new(), None));
    }

    #[tokio::test]
    async fn parts_are_of_the_size_asked_and_the_end_is_known_with_the_last() {
        let mut all = source(&["abcd", "efgh", "ij"], None, None);
        assert_eq!((all.gather(3).await.unwrap(), all.is_finished()), (Bytes::from("abc"), false));
        assert_eq!((all.gather(5).await.unwrap(), all.is_finished()), (Bytes::from("defgh"), false));
        assert_eq!((all.gather(2).await.unwrap(), all.is_finished()), (Bytes::from("ij"), true));
        assert_eq!(all.gather(2).await.unwrap(), Bytes::new());
    }
}
