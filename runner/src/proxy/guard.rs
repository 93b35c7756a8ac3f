//! A last guard over answers: a registry that echoes the credential would show it to the sandbox.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Why an answer doesn't come through, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsafe {
    #[error("its answer shows the credential")]
    ShowsCredential,
    #[error("its answer is compressed though that was not asked for, so it can't be searched for the credential")]
    Compressed,
}

/// Looks for secrets in a stream of chunks, also where one is cut by a chunk's end.
#[derive(Debug)]
pub(super) struct Search {
    secrets: Vec<Vec<u8>>,
    /// The last bytes seen, one fewer than the longest secret has.
    overlap: Vec<u8>,
}

impl Search {
    pub(super) fn new(secrets: Vec<Vec<u8>>) -> Self {
        Self {
            secrets,
            overlap: Vec::new(),
        }
    }

    /// Whether a secret ends in this chunk.
    pub(super) fn finds(&mut self, chunk: &[u8]) -> bool {
        let longest = self.secrets.iter().map(Vec::len).max().unwrap_or_default();
        let keep = longest.saturating_sub(1);
        // Only the seam is copied; the chunk itself is searched where it is.
        let mut seam = std::mem::take(&mut self.overlap);
        seam.extend_from_slice(chunk.get(..keep).unwrap_or(chunk));
        let found = self
            .secrets
            .iter()
            .any(|secret| contains(&seam, secret) || contains(chunk, secret));
        let tail = if chunk.len() >= keep { chunk } else { &seam };
        self.overlap = tail.get(tail.len().saturating_sub(keep)..).unwrap_or_default().to_vec();
        found
    }
}

fn contains(bytes: &[u8], secret: &[u8]) -> bool {
    let Some(first) = secret.first() else {
        return false;
    };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        let from = rest.get(at..).unwrap_or_default();
        if from.starts_with(secret) {
            return true;
        }
        rest = from.get(1..).unwrap_or_default();
    }
    false
}

/// A body that ends with an error where a secret would come through.
pub(super) struct Guarded<B> {
    pub(super) body: B,
    pub(super) search: Search,
}

impl<B> Body for Guarded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            return Poll::Pending;
        };
        Poll::Ready(match frame {
            None => None,
            Some(Err(error)) => Some(Err(error.into())),
            Some(Ok(frame)) => match frame.data_ref() {
                Some(chunk) if self.search.finds(chunk) => Some(Err(Unsafe::ShowsCredential.into())),
                // Trailers carry nothing that a package manager reads.
                None => None,
                Some(_) => Some(Ok(frame)),
            },
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_secret_is_found_however_it_is_cut(before in "[ab]{0,20}", after in "[ab]{0,20}", size in 1_usize..12) {
            let text = format!("{before}abcab{after}");
            let mut search = Search::new(vec![b"abcab".to_vec(), b"zz".to_vec()]);
            prop_assert!(text.as_bytes().chunks(size).any(|chunk| search.finds(chunk)));
        }

        #[test]
        fn nothing_is_found_where_nothing_is(text in "[ab]{0,60}", size in 1_usize..12) {
            let mut search = Search::new(vec![b"abcab".to_vec()]);
            prop_assert!(!text.as_bytes().chunks(size).any(|chunk| search.finds(chunk)));
        }
    }
}
