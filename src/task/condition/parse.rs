//! From words to an expression, by Python's grammar.

use super::token::Token;
use super::value::Value;

/// An expression; names are positions in the list of parameters.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Constant(Value),
    Parameter(usize),
    List(Vec<Expression>),
    Not(Box<Expression>),
    Unary(&'static str, Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
    /// `a < b <= c`: each comparison with its right side.
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    /// `a if condition else b`: condition, a, b.
    Choice(Box<[Expression; 3]>),
    Call(Function, Vec<Expression>),
    Item(Box<Expression>, Box<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    In,
    NotIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Min,
    Max,
    Abs,
    Int,
    Float,
    Len,
    Sum,
}

const FUNCTIONS: [(&str, Function); 7] = [
    ("min", Function::Min),
    ("max", Function::Max),
    ("abs", Function::Abs),
    ("int", Function::Int),
    ("float", Function::Float),
    ("len", Function::Len),
    ("sum", Function::Sum),
];

/// Binary operators from the loosest to the tightest; all of them associate to the left.
const LEVELS: [&[&str]; 6] = [
    &["|"],
    &["^"],
    &["&"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "//", "/", "%"],
];

/// Nesting beyond this is refused, for a parser that calls itself has only so much stack.
const DEEPEST: usize = 64;
/// So are more words than this: `1 + 1 + 1 + ...` is evaluated as deep as it is long.
const LONGEST: usize = 1024;

/// Parses all of `tokens`.
///
/// # Errors
/// When they are no expression, or name something that is not in `names`.
pub(super) fn parse(tokens: &[Token], names: &[&str]) -> Result<Expression, String> {
    if tokens.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} words"));
    }
    let mut parser = Parser {
        tokens,
        position: 0,
        depth: 0,
        names,
    };
    let expression = parser.expression()?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(format!("{} is one too many", shown(token))),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    position: usize,
    depth: usize,
    names: &'a [&'a str],
}

fn shown(token: &Token) -> String {
    match token {
        Token::Int(int) => format!("`{int}`"),
        Token::Float(float) => format!("`{float}`"),
        Token::Text(text) => format!("\"{text}\""),
        Token::Name(name) => format!("`{name}`"),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.position)
    }

    fn take_sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        let Some(Token::Sign(sign)) = self.peek() else {
            return None;
        };
        let sign = signs.iter().find(|known| *known == sign)?;
        self.position += 1;
        Some(sign)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(name)) if name == word);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), String> {
        match self.take_sign(&[sign]) {
            Some(_) => Ok(()),
            None => Err(format!("`{sign}` is missing")),
        }
    }

    /// `or` expression, perhaps with `if` and `else` behind it.
    fn expression(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        let value = self.any_of()?;
        let result = if self.take_word("if") {
            let condition = self.any_of()?;
            if !self.take_word("else") {
                return Err("`if` has no `else`".to_owned());
            }
            let otherwise = self.expression()?;
            Expression::Choice(Box::new([condition, value, otherwise]))
        } else {
            value
        };
        self.depth -= 1;
        Ok(result)
    }

    fn any_of(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all_of()?];
        while self.take_word("or") {
            parts.push(self.all_of()?);
        }
        Ok(single_or(parts, Expression::Or))
    }

    fn all_of(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.negation()?];
        while self.take_word("and") {
            parts.push(self.negation()?);
        }
        Ok(single_or(parts, Expression::And))
    }

    fn negation(&mut self) -> Result<Expression, String> {
        let mut negations = 0;
        while self.take_word("not") {
            negations += 1;
        }
        let mut expression = self.comparison()?;
        for _ in 0..negations {
            expression = Expression::Not(Box::new(expression));
        }
        Ok(expression)
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let first = self.binary(0)?;
        let mut rest = Vec::new();
        while let Some(comparison) = self.comparison_sign() {
            rest.push((comparison, self.binary(0)?));
        }
        Ok(if rest.is_empty() {
            first
        } else {
            Expression::Compare(Box::new(first), rest)
        })
    }

    fn comparison_sign(&mut self) -> Option<Comparison> {
        if let Some(sign) = self.take_sign(&["<=", ">=", "==", "!=", "<", ">"]) {
            return Some(match sign {
                "<=" => Comparison::LessOrEqual,
                ">=" => Comparison::GreaterOrEqual,
                "==" => Comparison::Equal,
                "!=" => Comparison::NotEqual,
                "<" => Comparison::Less,
                _ => Comparison::Greater,
            });
        }
        if self.take_word("in") {
            return Some(Comparison::In);
        }
        let start = self.position;
        if self.take_word("not") && self.take_word("in") {
            return Some(Comparison::NotIn);
        }
        self.position = start;
        None
    }

    fn binary(&mut self, level: usize) -> Result<Expression, String> {
        let Some(signs) = LEVELS.get(level) else {
            return self.signed();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(sign) = self.take_sign(signs) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(sign, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// A sign binds less than `**` on its right: `-2 ** 2` is -4.
    fn signed(&mut self) -> Result<Expression, String> {
        let mut signs = Vec::new();
        while let Some(sign) = self.take_sign(&["-", "+", "~"]) {
            signs.push(sign);
        }
        let mut expression = self.power()?;
        for sign in signs.into_iter().rev() {
            expression = Expression::Unary(sign, Box::new(expression));
        }
        Ok(expression)
    }

    fn power(&mut self) -> Result<Expression, String> {
        let base = self.item()?;
        if self.take_sign(&["**"]).is_none() {
            return Ok(base);
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        let exponent = self.signed()?;
        self.depth -= 1;
        Ok(Expression::Binary("**", Box::new(base), Box::new(exponent)))
    }

    fn item(&mut self) -> Result<Expression, String> {
        let mut expression = self.atom()?;
        while self.take_sign(&["["]).is_some() {
            let index = self.expression()?;
            self.expect("]")?;
            expression = Expression::Item(Box::new(expression), Box::new(index));
        }
        Ok(expression)
    }

    fn atom(&mut self) -> Result<Expression, String> {
        let token = self.peek().ok_or("it ends too early")?;
        self.position += 1;
        Ok(match token {
            Token::Int(int) => Expression::Constant(Value::Int(*int)),
            Token::Float(float) => Expression::Constant(Value::Float(*float)),
            Token::Text(text) => Expression::Constant(Value::Text(text.clone())),
            Token::Name(name) => return self.named(name),
            Token::Sign("(") => {
                let (mut items, commas) = self.items(")")?;
                if items.len() == 1 && commas == 0 {
                    items.remove(0)
                } else {
                    Expression::List(items)
                }
            }
            Token::Sign("[") => Expression::List(self.items("]")?.0),
            Token::Sign(_) => return Err(format!("{} stands where a value belongs", shown(token))),
        })
    }

    /// Expressions up to the closing bracket, and how many commas there were.
    fn items(&mut self, close: &'static str) -> Result<(Vec<Expression>, usize), String> {
        let (mut items, mut commas) = (Vec::new(), 0);
        while self.take_sign(&[close]).is_none() {
            items.push(self.expression()?);
            if self.take_sign(&[","]).is_some() {
                commas += 1;
            } else {
                self.expect(close)?;
                break;
            }
        }
        Ok((items, commas))
    }

    fn named(&mut self, name: &str) -> Result<Expression, String> {
        // A parameter may have the name of a function; what is called is a function.
        if self.take_sign(&["("]).is_some() {
            let known = FUNCTIONS.iter().find(|(known, _)| *known == name);
            let &(_, function) =
                known.ok_or_else(|| format!("`{name}` is no function that conditions may call"))?;
            return Ok(Expression::Call(function, self.items(")")?.0));
        }
        if let Some(position) = self.names.iter().position(|known| *known == name) {
            return Ok(Expression::Parameter(position));
        }
        Ok(Expression::Constant(match name {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::None,
            _ => {
                return Err(format!(
                    "there is no parameter `{name}` (there are: {})",
                    self.names.join(", ")
                ));
            }
        }))
    }
}

fn single_or(
    mut parts: Vec<Expression>,
    many: impl FnOnce(Vec<Expression>) -> Expression,
) -> Expression {
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        many(parts)
    }
}
