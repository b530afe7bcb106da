//! A line for each thing that is done.

use berth::transfer::{Progress, Settled};

pub(super) struct Lines;

impl Progress for Lines {
    fn settled(&self, settled: &Settled) {
        eprintln!("{}", super::line(settled, &settled.digest.to_string()));
    }
}
