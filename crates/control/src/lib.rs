//! control
pub mod queue;
