//! The parser: the only place that knows whose it is.
//!
//! Everything else uses the tree by the names that are given here, so that a newer parser, or another one, is met in one file.

pub(crate) use ruff_python_ast::token::TokenKind;
pub(crate) use ruff_python_ast::{
    CmpOp, Comprehension, ExceptHandler, Expr, ExprCall, ExprFString, FStringPart, InterpolatedStringElement, Number,
    Operator, Parameters, Pattern, Stmt, StmtClassDef, StmtFunctionDef, StmtImportFrom, UnaryOp,
};
pub(crate) use ruff_text_size::{Ranged, TextRange};

use ruff_python_ast::PySourceType;
use ruff_python_parser::{Mode, lexer, parse_unchecked_source};

/// A file's tree, and what is in it that is no part of the tree.
pub(crate) struct Tree {
    pub(crate) body: Vec<Stmt>,
    pub(crate) tokens: Vec<(TokenKind, TextRange)>,
    pub(crate) errors: Vec<SyntaxError>,
}

/// Where the text is no Python.
#[derive(Debug, Clone)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) range: TextRange,
}

/// Parses a file. Only text that [`crate::bounds`] found to be shallow.
pub(crate) fn parse(text: &str) -> Tree {
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    let mut errors: Vec<SyntaxError> = parsed
        .errors()
        .iter()
        .take(20)
        .map(|error| SyntaxError { message: error.error.to_string(), range: error.location })
        .collect();
    errors.sort_by_key(|error| error.range.start());
    let tokens = parsed.tokens().iter().map(|token| token.as_tuple()).collect();
    Tree { body: parsed.into_syntax().body.into_iter().collect(), tokens, errors }
}

/// The kinds of the tokens of a text, one after another, without a tree.
pub(crate) fn token_kinds(text: &str) -> impl Iterator<Item = TokenKind> {
    let mut lexer = lexer::lex(text, Mode::Module);
    std::iter::from_fn(move || match lexer.next_token() {
        TokenKind::EndOfFile => None,
        kind => Some(kind),
    })
}
