//! Wildcards of IAM ("IAM JSON policy elements: Resource", "Action", "Condition operators").

/// Whether `text` is of the form `pattern`: `*` stands for any run of characters, also none, `?` for any one.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on when what follows the latest star turns out not to match: one character further.
    let mut retry = None;
    loop {
        let (before, at) = (text.clone(), pattern.next());
        match (at, text.next()) {
            (Some('*'), _) => {
                text = before;
                retry = Some((pattern.clone(), text.clone()));
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => {
                let Some((after, from)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                (pattern, text) = (after.clone(), from.clone());
            }
        }
    }
}

/// An action of a policy, in either case: `s3:GetObject`, `s3:Get*`, `*`.
pub(super) fn action_like(pattern: &str, action: &str) -> bool {
    like(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// A resource of a policy: `*`, or an ARN whose six segments are each compared on their own. IAM lets a star at the end of a
/// segment reach over the colon, and advises against it: what is not allowed here may be allowed there, as it is meant to be.
pub(super) fn resource_like(pattern: &str, arn: &str) -> bool {
    let mut segments = pattern.splitn(ARN_SEGMENTS, ':').zip(arn.splitn(ARN_SEGMENTS, ':'));
    pattern == "*" || segments.all(|(pattern, segment)| like(pattern, segment))
}

/// `arn:partition:service:region:account:resource` ("Amazon Resource Names").
pub(super) const ARN_SEGMENTS: usize = 6;

#[cfg(test)]
mod tests {
    use super::{action_like, like, resource_like};

    #[test]
    fn a_star_is_any_run_and_a_question_mark_one_character() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "a/b"),
            ("a*", "a"),
            ("a*c*e", "abcde"),
            ("*ab", "aab"),
            ("a?c", "aéc"),
            ("**", "x"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", ""), ("?", ""), ("a*c", "abcd"), ("a?c", "ac"), ("*b", "a"), ("A", "a")]
        {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn an_action_has_no_case() {
        assert!(action_like("S3:get*", "s3:GetObject"));
        assert!(!action_like("s3:Get?", "s3:GetObject"));
    }

    #[test]
    fn a_bucket_is_not_its_objects_and_no_wildcard_leaves_its_segment() {
        assert!(resource_like("arn:aws:s3:::berth/*", "arn:aws:s3:::berth/a/b:c"));
        assert!(!resource_like("arn:aws:s3:::berth/*", "arn:aws:s3:::berth"));
        assert!(!resource_like("arn:aws:s3:::berth", "arn:aws:s3:::berth/a"));
        let table = "arn:aws:dynamodb:us-east-1:123456789012:table/berth";
        assert!(resource_like("arn:aws:dynamodb:*:123456789012:table/b*", table));
        assert!(!resource_like("arn:aws:dynamodb:::*table/berth", table));
    }
}
