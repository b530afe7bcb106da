//! The hosts of STS ("AWS Security Token Service endpoints and quotas", AWS General Reference), and no others.

/// A part of AWS with accounts of its own: the same number may mean different accounts in two of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Partition {
    /// The commercial regions.
    #[default]
    Aws,
    /// China.
    China,
    /// GovCloud (US).
    GovCloud,
    /// The European Sovereign Cloud.
    Europe,
}

/// How regions of the commercial partition begin.
const AREAS: [&str; 9] = ["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"];

impl Partition {
    /// That of `region`; `None` when there is no such region.
    pub fn of_region(region: &str) -> Option<Self> {
        let parts: Vec<&str> = region.split('-').collect();
        let (partition, place) = match parts.as_slice() {
            ["us", "gov", place @ ..] => (Self::GovCloud, place),
            ["eusc", "de", place @ ..] => (Self::Europe, place),
            ["cn", place @ ..] => (Self::China, place),
            [area, place @ ..] if AREAS.contains(area) => (Self::Aws, place),
            _ => return None,
        };
        let [direction, number] = place else { return None };
        let is_word = !direction.is_empty() && direction.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_number = matches!(number.len(), 1 | 2) && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_word && is_number && region.len() <= 32).then_some(partition)
    }

    /// Its name in ARNs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
            Self::Europe => "aws-eusc",
        }
    }

    /// What its hosts end in: with IPv4 alone, and with IPv6 as well.
    pub(super) fn suffixes(self) -> [&'static str; 2] {
        match self {
            Self::Aws | Self::GovCloud => ["amazonaws.com", "api.aws"],
            Self::China => ["amazonaws.com.cn", "api.amazonwebservices.com.cn"],
            Self::Europe => ["amazonaws.eu", "api.amazonwebservices.eu"],
        }
    }
}

/// The partition and the region whose STS answers at `host`.
pub(super) fn of_host(host: &str) -> Option<(Partition, &str)> {
    if host == "sts.amazonaws.com" {
        return Some((Partition::Aws, "us-east-1"));
    }
    let (service, rest) = host.split_once('.')?;
    let (region, suffix) = rest.split_once('.')?;
    let partition = Partition::of_region(region)?;
    let is_here = match service {
        "sts" => true,
        "sts-fips" => matches!(partition, Partition::Aws | Partition::GovCloud),
        _ => false,
    };
    (is_here && partition.suffixes().contains(&suffix)).then_some((partition, region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_sts_and_look_alikes() {
        for (host, expected) in [
            ("sts.amazonaws.com", Some((Partition::Aws, "us-east-1"))),
            ("sts.eu-central-1.amazonaws.com", Some((Partition::Aws, "eu-central-1"))),
            ("sts.ap-southeast-2.api.aws", Some((Partition::Aws, "ap-southeast-2"))),
            ("sts-fips.us-east-1.amazonaws.com", Some((Partition::Aws, "us-east-1"))),
            ("sts.us-gov-west-1.amazonaws.com", Some((Partition::GovCloud, "us-gov-west-1"))),
            ("sts.cn-north-1.amazonaws.com.cn", Some((Partition::China, "cn-north-1"))),
            ("sts.eusc-de-east-1.amazonaws.eu", Some((Partition::Europe, "eusc-de-east-1"))),
            ("sts.cn-north-1.amazonaws.com", None),
            ("sts.us-east-1.amazonaws.com.cn", None),
            ("sts-fips.cn-north-1.amazonaws.com.cn", None),
            ("sts.amazonaws.com.", None),
            ("sts.amazonaws.com.evil.example", None),
            ("sts.us-east-1.amazonaws.com.evil.example", None),
            ("evil.example", None),
            ("sts.evil.amazonaws.com", None),
            ("sts.s3.amazonaws.com", None),
            ("sts.s3-us-east-1.amazonaws.com", None),
            ("sts.us-east-1.s3.amazonaws.com", None),
            ("s3.us-east-1.amazonaws.com", None),
            ("sts.us-east-1.amazonaws.com:443", None),
            ("sts.us--1.amazonaws.com", None),
            ("sts.us-east-1a.amazonaws.com", None),
            ("STS.amazonaws.com", None),
            ("stsXamazonaws.com", None),
            ("sts..amazonaws.com", None),
            ("", None),
        ] {
            assert_eq!(of_host(host), expected, "{host}");
        }
    }
}
