//! Hashing in progress.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{Algorithm, Digest, HashState, HashStateError};

/// A hash in progress, of one algorithm.
#[derive(Clone)]
pub struct Hasher(Inner);

#[derive(Clone)]
enum Inner {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// A hash of nothing so far.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => Inner::Sha256(Sha256::new()),
            Algorithm::Sha384 => Inner::Sha384(Sha384::new()),
            Algorithm::Sha512 => Inner::Sha512(Sha512::new()),
        })
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Inner::Sha256(_) => Algorithm::Sha256,
            Inner::Sha384(_) => Algorithm::Sha384,
            Inner::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Sha256(hash) => hash.update(bytes),
            Inner::Sha384(hash) => hash.update(bytes),
            Inner::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of everything taken in.
    pub fn finish(self) -> Digest {
        let algorithm = self.algorithm();
        let mut value = [0; Algorithm::LONGEST];
        let slot = &mut value[..algorithm.size()];
        match self.0 {
            Inner::Sha256(hash) => slot.copy_from_slice(&hash.finalize()),
            Inner::Sha384(hash) => slot.copy_from_slice(&hash.finalize()),
            Inner::Sha512(hash) => slot.copy_from_slice(&hash.finalize()),
        }
        Digest { algorithm, value }
    }

    /// The state, to be continued by any process.
    pub fn save(&self) -> HashState {
        use sha2::digest::common::hazmat::SerializableState as _;
        HashState::new(
            self.algorithm(),
            match &self.0 {
                Inner::Sha256(hash) => hash.serialize().to_vec(),
                Inner::Sha384(hash) => hash.serialize().to_vec(),
                Inner::Sha512(hash) => hash.serialize().to_vec(),
            },
        )
    }

    /// Continues from a saved state.
    ///
    /// # Errors
    /// [`HashStateError`] when the state is not one that this version of the hash wrote.
    pub fn resume(state: &HashState) -> Result<Self, HashStateError> {
        use sha2::digest::common::hazmat::{SerializableState, SerializedState};
        fn read<H: SerializableState>(bytes: &[u8]) -> Result<H, HashStateError> {
            let bytes = SerializedState::<H>::try_from(bytes).map_err(|_| HashStateError)?;
            H::deserialize(&bytes).map_err(|_| HashStateError)
        }
        Ok(Self(match state.algorithm() {
            Algorithm::Sha256 => Inner::Sha256(read(state.inner())?),
            Algorithm::Sha384 => Inner::Sha384(read(state.inner())?),
            Algorithm::Sha512 => Inner::Sha512(read(state.inner())?),
        }))
    }
}

/// The canonical hash and, where a client names its content by another algorithm, that one beside it.
#[derive(Clone)]
pub struct MultiHasher {
    canonical: Hasher,
    provisional: Option<Hasher>,
}

impl MultiHasher {
    /// Hashes of nothing so far: the canonical one, and `algorithm`'s where it is another.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            canonical: Hasher::new(Algorithm::CANONICAL),
            provisional: (algorithm != Algorithm::CANONICAL).then(|| Hasher::new(algorithm)),
        }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.canonical.update(bytes);
        if let Some(hasher) = &mut self.provisional {
            hasher.update(bytes);
        }
    }

    /// Whether [`Self::finish`] gives a digest of `algorithm`.
    pub fn covers(&self, algorithm: Algorithm) -> bool {
        algorithm == Algorithm::CANONICAL || self.provisional.as_ref().is_some_and(|h| h.algorithm() == algorithm)
    }

    /// The canonical digest, and the provisional one where there is one.
    pub fn finish(self) -> (Digest, Option<Digest>) {
        (self.canonical.finish(), self.provisional.map(Hasher::finish))
    }

    /// The states, canonical first.
    pub fn save(&self) -> Vec<HashState> {
        std::iter::once(&self.canonical).chain(&self.provisional).map(Hasher::save).collect()
    }

    /// Continues from saved states, canonical first.
    ///
    /// # Errors
    /// [`HashStateError`] when there is no canonical state first, or a state cannot be read.
    pub fn resume(states: &[HashState]) -> Result<Self, HashStateError> {
        let (canonical, rest) = states.split_first().ok_or(HashStateError)?;
        if canonical.algorithm() != Algorithm::CANONICAL || rest.len() > 1 {
            return Err(HashStateError);
        }
        Ok(Self { canonical: Hasher::resume(canonical)?, provisional: rest.first().map(Hasher::resume).transpose()? })
    }
}
