//! Layouts and archives that are broken, or made to do harm: clear errors, and nothing visible.
