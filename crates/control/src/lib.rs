//! control
pub mod access;
