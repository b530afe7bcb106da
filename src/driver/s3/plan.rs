//! Which parts make one object of several, so that S3 moves all that it can.

use super::config::LEAST_PART;

/// A stretch of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Which source, counted from 0.
    pub(super) source: usize,
    /// Where in it.
    pub(super) offset: u64,
    /// Never 0.
    pub(super) length: u64,
    /// Whether it is the whole source.
    pub(super) whole: bool,
}

/// A part of the object to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// S3 copies it.
    Copied(Piece),
    /// It passes through this process: pieces too small to be parts.
    Gathered(Vec<Piece>),
}

/// The parts, in order, that the sources of these `sizes` make up. None but the last is under [`LEAST_PART`], no
/// copied one over `copied_part`, which is at least twice that, and a gathered one has less than three times it.
pub(super) fn parts(sizes: &[u64], copied_part: u64) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut small: Vec<Piece> = Vec::new();
    let mut gathered = 0;
    for (source, size) in sizes.iter().copied().enumerate().filter(|(_, size)| *size > 0) {
        let mut offset = 0;
        if gathered > 0 || size < LEAST_PART {
            let lack = LEAST_PART - gathered;
            // What would be left of a large source must be large enough itself.
            let taken = if size >= lack + LEAST_PART { lack } else { size };
            small.push(Piece { source, offset: 0, length: taken, whole: taken == size });
            gathered += taken;
            offset = taken;
        }
        if gathered >= LEAST_PART {
            parts.push(Part::Gathered(std::mem::take(&mut small)));
            gathered = 0;
        }
        parts.extend(split(source, offset, size, copied_part).map(Part::Copied));
    }
    match small.as_slice() {
        [] => {}
        // The last part may be small.
        [last] => parts.push(Part::Copied(*last)),
        _ => parts.push(Part::Gathered(small)),
    }
    parts
}

/// A source from `offset` on in pieces of nearly equal length, none over `most`.
fn split(source: usize, offset: u64, size: u64, most: u64) -> impl Iterator<Item = Piece> {
    let length = size - offset;
    let count = length.div_ceil(most);
    (0..count).map(move |n| {
        // In 128 bits, for petabytes.
        let boundary = |n: u64| (u128::from(length) * u128::from(n) / u128::from(count)) as u64;
        Piece {
            source,
            offset: offset + boundary(n),
            length: boundary(n + 1) - boundary(n),
            whole: count == 1 && offset == 0,
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST: u64 = 2 * LEAST_PART;

    fn size() -> impl Strategy<Value = u64> {
        let near = |at: u64| at - 1..=at + 1;
        prop_oneof![0..10_u64, near(LEAST_PART), near(2 * LEAST_PART), 0..LEAST_PART, 0..10 * MOST]
    }

    proptest! {
        #[test]
        fn parts_hold_every_byte_in_order_within_s3s_bounds(sizes in prop::collection::vec(size(), 0..12)) {
            let parts = parts(&sizes, MOST);
            let mut at = (0, 0);
            for (index, part) in parts.iter().enumerate() {
                let pieces = match part {
                    Part::Copied(piece) => std::slice::from_ref(piece),
                    Part::Gathered(pieces) => pieces.as_slice(),
                };
                for piece in pieces {
                    while at.1 == sizes[at.0] {
                        at = (at.0 + 1, 0);
                    }
                    prop_assert_eq!(at, (piece.source, piece.offset));
                    prop_assert!(piece.length > 0);
                    prop_assert_eq!(piece.whole, piece.length == sizes[piece.source]);
                    at.1 += piece.length;
                }
                let length: u64 = pieces.iter().map(|piece| piece.length).sum();
                prop_assert!(length >= LEAST_PART || index + 1 == parts.len());
                match part {
                    Part::Copied(piece) => {
                        prop_assert!(length <= MOST);
                        // S3 copies ranges of objects over 5 MB only.
                        prop_assert!(piece.whole || sizes[piece.source] >= LEAST_PART);
                    }
                    Part::Gathered(_) => prop_assert!(length < 3 * LEAST_PART),
                }
            }
            let held = |(source, offset): (usize, u64)| sizes[..source].iter().sum::<u64>() + offset;
            prop_assert_eq!(held(at), sizes.iter().sum::<u64>());
        }
    }

    #[test]
    fn large_sources_do_not_pass_through_this_process() {
        let copied = |source, offset, length, whole| Part::Copied(Piece { source, offset, length, whole });
        assert_eq!(
            parts(&[MOST, 3 * MOST], MOST),
            [
                copied(0, 0, MOST, true),
                copied(1, 0, MOST, false),
                copied(1, MOST, MOST, false),
                copied(1, 2 * MOST, MOST, false),
            ]
        );
    }

    #[test]
    fn a_small_source_before_a_large_one_takes_from_it_what_it_lacks() {
        let taken = LEAST_PART - 10;
        assert_eq!(
            parts(&[10, 2 * LEAST_PART, 7], MOST),
            [
                Part::Gathered(vec![
                    Piece { source: 0, offset: 0, length: 10, whole: true },
                    Piece { source: 1, offset: 0, length: taken, whole: false },
                ]),
                Part::Copied(Piece { source: 1, offset: taken, length: 2 * LEAST_PART - taken, whole: false }),
                Part::Copied(Piece { source: 2, offset: 0, length: 7, whole: true }),
            ]
        );
    }
}
