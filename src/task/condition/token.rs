//! Words of a condition.

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Int(i128),
    Float(f64),
    Text(String),
    /// A name or a keyword.
    Name(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Longer ones first: `<=` is not `<` and `=`.
const SIGNS: [&str; 27] = [
    "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+", "-", "*", "/", "%", "<", ">", "(", ")",
    "[", "]", ",", "&", "|", "^", "~", "{", "}", ".",
];

/// Splits a condition into words.
///
/// # Errors
/// When a character belongs to no word, or a text or number has no end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_ascii_digit() || starts_with_fraction(rest) {
            number(rest)?
        } else if first.is_alphabetic() || first == '_' {
            let length = length_while(rest, |c| c.is_alphanumeric() || c == '_');
            (Token::Name(rest[..length].to_owned()), length)
        } else if first == '"' || first == '\'' {
            let Some(end) = rest[1..].find(first) else {
                return Err("a text has no end".to_owned());
            };
            (Token::Text(rest[1..=end].to_owned()), end + 2)
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            return Err(format!("`{first}` belongs to no expression"));
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn starts_with_fraction(rest: &str) -> bool {
    rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit())
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    let mut length = length_while(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    // The sign of an exponent: `1e-3`.
    let has_exponent = rest[..length].ends_with(['e', 'E']) && !rest.starts_with("0x");
    if has_exponent && rest[length..].starts_with(['+', '-']) {
        length += 1 + length_while(&rest[length + 1..], |c| c.is_ascii_digit());
    }
    let word = rest[..length].replace('_', "");
    let int = match word.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    };
    let token = int
        .map(Token::Int)
        .or_else(|| word.parse().ok().map(Token::Float));
    let token = token.ok_or_else(|| format!("`{}` is no number", &rest[..length]))?;
    Ok((token, length))
}
