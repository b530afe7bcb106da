//! An upload session as the interfaces have it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::Session;
use crate::{
    client::Source,
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BlobWriter, Content, Upload, UploadError},
};

/// Content that is taken apart into pieces, each of which is held in memory so that it can be sent again.
struct Pieces {
    content: Content,
    size: usize,
    taken: u64,
    left: BytesMut,
    is_over: bool,
}

impl Pieces {
    fn new(content: Content, size: usize) -> Self {
        Self { content, size, taken: 0, left: BytesMut::new(), is_over: false }
    }

    /// The next piece, and whether it is the last. The last may be empty.
    async fn next(&mut self) -> Result<(Bytes, bool), UploadError> {
        // One byte more tells whether there is another piece.
        while self.left.len() <= self.size && !self.is_over {
            match self.content.stream.next().await {
                Some(Ok(chunk)) => {
                    self.taken += chunk.len() as u64;
                    self.left.extend_from_slice(&chunk);
                    if self.content.length.is_some_and(|length| self.taken > length) {
                        return Err(self.wrong_size());
                    }
                }
                Some(Err(error)) => return Err(UploadError::Interrupted(error.to_string())),
                None => {
                    self.is_over = true;
                    if self.content.length.is_some_and(|length| self.taken != length) {
                        return Err(self.wrong_size());
                    }
                }
            }
        }
        let piece = self.left.split_to(self.size.min(self.left.len())).freeze();
        Ok((piece, self.is_over && self.left.is_empty()))
    }

    fn wrong_size(&self) -> UploadError {
        let length = self.content.length.unwrap_or_default();
        UploadError::SizeInvalid(format!("the content has not the {length} bytes that it was said to have"))
    }
}

impl Session {
    /// Goes to where content begins that is said to begin at `at`.
    async fn go_to(&mut self, ctx: &Context, at: Option<u64>) -> Result<(), UploadError> {
        match at {
            Some(at) if !self.is_fresh => self.size = at, // the registry knows better, and will say so
            Some(at) if at != self.size => return Err(UploadError::RangeInvalid { stored: self.size }),
            None if !self.is_fresh => Session::refresh(self, ctx).await?,
            _ => {}
        }
        Ok(())
    }

    fn pieces(&self, content: Content) -> Pieces {
        let least = usize::try_from(self.least).unwrap_or(usize::MAX);
        Pieces::new(content, self.remote.shared.piece.max(least))
    }

    async fn append_piece(&mut self, ctx: &Context, piece: Bytes) -> Result<(), UploadError> {
        let source: Arc<dyn Source> = Arc::new(piece);
        self.append_all(ctx, &source, 0).await
    }
}

/// Content longer than a piece is appended piece by piece: what came before a failure stays, and [`Self::upload`] says
/// how much that is. A piece is stored whole or not at all as far as the registry does so.
#[async_trait]
impl BlobWriter for Session {
    fn upload(&self) -> Upload {
        Session::upload(self)
    }

    async fn refresh(&mut self, ctx: &Context) -> Result<Upload, UploadError> {
        Session::refresh(self, ctx).await?;
        Ok(Session::upload(self))
    }

    async fn append(&mut self, ctx: &Context, at: Option<u64>, content: Content) -> Result<Upload, UploadError> {
        self.go_to(ctx, at).await?;
        let mut pieces = self.pieces(content);
        loop {
            let (piece, is_last) = pieces.next().await?;
            self.append_piece(ctx, piece).await?;
            if is_last {
                return Ok(Session::upload(self));
            }
        }
    }

    async fn commit(
        mut self: Box<Self>,
        ctx: &Context,
        digest: &Digest,
        at: Option<u64>,
        content: Content,
    ) -> Result<Descriptor, UploadError> {
        self.go_to(ctx, at).await?;
        let mut pieces = self.pieces(content);
        let (mut piece, mut is_last) = pieces.next().await?;
        // A whole blob goes with the close, which every registry takes; the last of several pieces before it.
        let is_whole = is_last && self.size == 0 && !piece.is_empty();
        let size = self.size + pieces.taken;
        if is_whole {
            let source: Arc<dyn Source> = Arc::new(piece);
            self.close(ctx, digest, Some(&source)).await?;
            return Ok(Descriptor::blob(*digest, size));
        }
        loop {
            self.append_piece(ctx, piece).await?;
            if is_last {
                break;
            }
            (piece, is_last) = pieces.next().await?;
        }
        self.close(ctx, digest, None).await?;
        Ok(Descriptor::blob(*digest, self.size))
    }

    async fn cancel(self: Box<Self>, ctx: &Context) -> Result<(), UploadError> {
        Session::cancel(*self, ctx).await
    }
}
