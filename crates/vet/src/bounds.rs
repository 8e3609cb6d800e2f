//! How large and how deep a text is, found by one pass over its tokens, before a tree is made of it.
//!
//! Making a deep tree is slow, walking it needs stack, and so does dropping it: a million unary operators overflow the stack
//! of a thread when they are dropped. So no such tree is made. What deepens a tree is counted, never less than it does.

use crate::source::MOST_BYTES_OF_FILE;
use crate::syntax::{TokenKind, token_kinds};

/// Brackets and f-strings within each other: as CPython's tokenizer has it.
const MOST_BRACKETS: usize = 200;
/// Blocks within each other: as CPython's tokenizer has it.
const MOST_INDENTS: usize = 100;
/// Operators, calls, attributes and brackets one of which is inside of the other.
const MOST_DEPTH: usize = 1500;

/// Whether a tree may be made of the text; if not, why not.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.len() > MOST_BYTES_OF_FILE {
        return Err(format!("it has {} bytes, and at most {MOST_BYTES_OF_FILE} are read", text.len()));
    }
    // For each open bracket how much its part of the expression was deepened so far; the last one is the innermost.
    let mut chains = vec![0];
    let (mut total, mut indents) = (0, 0);
    for kind in token_kinds(text) {
        match kind {
            TokenKind::Indent => {
                indents += 1;
                if indents > MOST_INDENTS {
                    return Err(format!("more than {MOST_INDENTS} blocks are inside of each other"));
                }
            }
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            // Only outside of all brackets.
            TokenKind::Newline => {
                chains.clear();
                chains.push(0);
                total = 0;
            }
            TokenKind::Comma | TokenKind::Semi => {
                let chain = chains.last_mut().expect("the outermost is never taken off");
                total -= *chain;
                *chain = 0;
            }
            _ => {}
        }
        if deepens(kind) {
            *chains.last_mut().expect("as above") += 1;
            total += 1;
        }
        match kind {
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                chains.push(0);
                if chains.len() > MOST_BRACKETS {
                    return Err(format!("more than {MOST_BRACKETS} brackets are inside of each other"));
                }
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd
                if chains.len() > 1 =>
            {
                total -= chains.pop().expect("there are two");
            }
            _ => {}
        }
        if total > MOST_DEPTH {
            return Err(format!("more than {MOST_DEPTH} operators are inside of each other"));
        }
    }
    Ok(())
}

/// Whether this token can put what follows, or what came before, one level deeper into the tree.
fn deepens(kind: TokenKind) -> bool {
    kind.as_binary_operator().is_some()
        || matches!(
            kind,
            TokenKind::Not
                | TokenKind::Tilde
                | TokenKind::Dot
                | TokenKind::Lpar
                | TokenKind::Lsqb
                | TokenKind::Lbrace
                | TokenKind::FStringStart
                | TokenKind::TStringStart
                | TokenKind::If
                | TokenKind::Else
                | TokenKind::Lambda
                | TokenKind::Await
                | TokenKind::Yield
                | TokenKind::ColonEqual
                | TokenKind::And
                | TokenKind::Or
        )
}
