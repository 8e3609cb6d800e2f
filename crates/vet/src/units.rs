//! The texts that are read: the submission's files, and what they carry in strings and execute.

use std::cell::OnceCell;

use crate::lines::Lines;
use crate::report::Place;
use crate::syntax::{TextRange, Tree};

/// Texts found in strings that are read as code. Each has a place of its own.
pub(crate) const MOST_NESTED: usize = 64;

/// One text and its tree.
pub(crate) struct Unit {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) lines: Lines,
    /// `None` if it is too large, too deep, or no Python.
    pub(crate) tree: Option<Tree>,
    /// Where a text that is no file is executed.
    pub(crate) executed_at: Option<Place>,
}

impl Unit {
    pub(crate) fn place(&self, range: TextRange) -> Place {
        if let Some(place) = &self.executed_at {
            return place.clone();
        }
        let (start, end) = (range.start().to_u32(), range.end().to_u32());
        let (line, column) = self.lines.place(&self.text, start);
        let (end_line, end_column) = self.lines.place(&self.text, end);
        Place { file: self.path.clone(), line, column, end_line, end_column, start, end }
    }

    /// What the text says there.
    pub(crate) fn slice(&self, range: TextRange) -> &str {
        self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or("")
    }
}

/// All texts. Those of strings come while the others are borrowed, hence a slot for each that may come.
pub(crate) struct Units {
    slots: Vec<OnceCell<Unit>>,
}

impl Units {
    pub(crate) fn new(files: Vec<Unit>) -> Units {
        let mut slots: Vec<OnceCell<Unit>> = files.into_iter().map(OnceCell::from).collect();
        slots.extend((0..MOST_NESTED).map(|_| OnceCell::new()));
        Units { slots }
    }

    /// The texts that are there.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.slots.iter().filter_map(OnceCell::get)
    }

    pub(crate) fn get(&self, at: usize) -> &Unit {
        self.slots[at].get().expect("only places of texts that are there are handed out")
    }

    /// Adds a text, if there is a slot left, and says where it is.
    pub(crate) fn add(&self, unit: Unit) -> Option<usize> {
        let at = self.slots.iter().position(|slot| slot.get().is_none())?;
        self.slots[at].set(unit).ok()?;
        Some(at)
    }
}
