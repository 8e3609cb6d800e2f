//! The warden: what of a cell's refused acts is explained.

mod claim;

pub use claim::Claim;
