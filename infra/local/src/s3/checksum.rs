//! The checksums that S3 verifies and keeps ("Checking object integrity for data uploads in Amazon S3").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumType};
use s3s::{S3Result, s3_error};

/// An algorithm that S3 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    const ALL: [Algorithm; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As in `x-amz-checksum-algorithm`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// # Errors
    /// `InvalidRequest` for a name that S3 does not know.
    pub(super) fn parse(name: &str) -> S3Result<Self> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported."))
    }

    fn of_header(name: &str) -> Option<Self> {
        let name = name.strip_prefix("x-amz-checksum-")?;
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// This algorithm's field.
    pub(super) fn of(self, checksum: &Checksum) -> Option<&String> {
        match self {
            Self::Crc32 => checksum.checksum_crc32.as_ref(),
            Self::Crc32c => checksum.checksum_crc32c.as_ref(),
            Self::Crc64Nvme => checksum.checksum_crc64nvme.as_ref(),
            Self::Sha1 => checksum.checksum_sha1.as_ref(),
            Self::Sha256 => checksum.checksum_sha256.as_ref(),
        }
    }

    /// A checksum with this algorithm's field alone.
    pub(super) fn field(self, value: String) -> Checksum {
        let mut checksum = Checksum::default();
        *match self {
            Self::Crc32 => &mut checksum.checksum_crc32,
            Self::Crc32c => &mut checksum.checksum_crc32c,
            Self::Crc64Nvme => &mut checksum.checksum_crc64nvme,
            Self::Sha1 => &mut checksum.checksum_sha1,
            Self::Sha256 => &mut checksum.checksum_sha256,
        } = Some(value);
        checksum
    }

    /// Base64 of the digest of a short input.
    pub(super) fn digest(self, data: &[u8]) -> String {
        match self {
            Self::Crc32 => STANDARD.encode(Crc32::checksum(data)),
            Self::Crc32c => STANDARD.encode(Crc32c::checksum(data)),
            Self::Crc64Nvme => STANDARD.encode(Crc64Nvme::checksum(data)),
            Self::Sha1 => STANDARD.encode(Sha1::checksum(data)),
            Self::Sha256 => STANDARD.encode(Sha256::checksum(data)),
        }
    }

    /// Whether parts can be checked as one whole: CRCs can, SHAs only part by part.
    pub(super) fn joins(self) -> bool {
        matches!(self, Self::Crc32 | Self::Crc32c | Self::Crc64Nvme)
    }
}

/// The algorithm whose field is set, if any.
pub(super) fn algorithm_of(checksum: &Checksum) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| algorithm.of(checksum).is_some())
}

/// The algorithm and, unless it follows in a trailer, the value that a request brings for its body.
///
/// # Errors
/// `InvalidRequest` when it brings more than one.
pub(super) fn announced(headers: &HeaderMap) -> S3Result<Option<(Algorithm, Option<String>)>> {
    let mut found = None;
    let trailers = headers.get_all("x-amz-trailer").iter().filter_map(|names| names.to_str().ok());
    let trailing = trailers.flat_map(|names| names.split(',')).filter_map(|name| Algorithm::of_header(name.trim()));
    let leading =
        headers.iter().filter_map(|(name, value)| Some((Algorithm::of_header(name.as_str())?, value.to_str().ok())));
    for (algorithm, value) in leading.chain(trailing.map(|algorithm| (algorithm, None))) {
        if found.is_some() {
            return Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            ));
        }
        found = Some((algorithm, value.map(ToOwned::to_owned)));
    }
    Ok(found)
}

/// What is to be computed while a body passes. SHA-256 and MD5 only where somebody asks: they bound the throughput.
pub(super) struct Hashes {
    pub(super) md5: Option<Md5>,
    pub(super) checksums: ChecksumHasher,
}

/// What [`Hashes`] found.
#[derive(Clone, Debug)]
pub(super) struct Digests {
    pub(super) md5: Option<[u8; 16]>,
    pub(super) checksum: Checksum,
}

impl Hashes {
    /// CRC64NVME always, as S3 does, and `algorithm` besides.
    pub(super) fn new(algorithm: Option<Algorithm>, md5: bool) -> Self {
        let mut checksums = ChecksumHasher { crc64nvme: Some(Crc64Nvme::default()), ..ChecksumHasher::default() };
        match algorithm {
            Some(Algorithm::Crc32) => checksums.crc32 = Some(Crc32::default()),
            Some(Algorithm::Crc32c) => checksums.crc32c = Some(Crc32c::default()),
            Some(Algorithm::Sha1) => checksums.sha1 = Some(Sha1::default()),
            Some(Algorithm::Sha256) => checksums.sha256 = Some(Sha256::default()),
            Some(Algorithm::Crc64Nvme) | None => {}
        }
        Self { md5: md5.then(Md5::default), checksums }
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(data);
        }
        self.checksums.update(data);
    }

    pub(super) fn finish(self) -> Digests {
        Digests { md5: self.md5.map(Md5::finalize), checksum: self.checksums.finalize() }
    }
}

impl Digests {
    /// The checksum to keep with an object: that of `algorithm`, or CRC64NVME where the client named none.
    pub(super) fn kept(&self, algorithm: Option<Algorithm>) -> Checksum {
        let algorithm = algorithm.unwrap_or(Algorithm::Crc64Nvme);
        let mut kept =
            algorithm.of(&self.checksum).map_or_else(Checksum::default, |value| algorithm.field(value.clone()));
        kept.checksum_type = Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT));
        kept
    }

    /// A value that depends on nothing but the content, as S3's MD5 does, at a tenth of its cost for large ones.
    pub(super) fn etag(&self, length: u64) -> String {
        if let Some(md5) = self.md5 {
            return hex::encode(md5);
        }
        let crc =
            self.checksum.checksum_crc64nvme.as_ref().and_then(|value| STANDARD.decode(value).ok()).unwrap_or_default();
        format!("{}{length:016x}", hex::encode(crc))
    }
}
