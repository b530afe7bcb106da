//! Who watches a push.

/// Is told what shows in no reading of the source, which whoever shows progress wraps in another.
pub trait Watch: Send + Sync {
    /// So many bytes more are there from an earlier run, and are not read.
    fn spared(&self, _bytes: u64) {}

    /// All is sent, and the registry puts it in its place: of `size` bytes so many are hashed, and so many copied.
    fn settling(&self, _verified: u64, _copied: u64, _size: u64) {}
}

/// Nobody.
impl Watch for () {}
