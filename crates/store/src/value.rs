//! What goes into statements and what comes out of them. Never a driver's type: the three kinds of
//! value here (text, whole number, bytes) are all a table of this house holds.

use kernel::{AreaCode, CaseCode, Digest, OrgCode, PersonalNumber, Problem, ProcedureCode, Time};
use sea_orm::{QueryResult, TryGetError};
use serde::de::DeserializeOwned;

/// A statement's parameter; `None` is SQL's null of that type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A `text`.
    Text(Option<String>),
    /// A `bigint`.
    Int(Option<i64>),
    /// A `bytea`.
    Bytes(Option<Vec<u8>>),
}

/// The parameters of a statement in the order of `$1`, `$2` …: `params![tenant, code, 3_u64]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { ::std::vec![$($crate::Value::from($value)),*] };
}

macro_rules! values {
    ($($from:ty => $variant:ident, |$v:ident| $make:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self {
                Self::$variant(Some($make))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(|$v| $make))
            }
        }
    )*};
}

values! {
    &str => Text, |v| v.to_owned();
    String => Text, |v| v;
    &String => Text, |v| v.clone();
    i64 => Int, |v| v;
    // A count past 2^63 cannot occur; it would be stored as the largest number, never as a negative one.
    u64 => Int, |v| i64::try_from(v).unwrap_or(i64::MAX);
    usize => Int, |v| i64::try_from(v).unwrap_or(i64::MAX);
    i32 => Int, |v| i64::from(v);
    u32 => Int, |v| i64::from(v);
    u16 => Int, |v| i64::from(v);
    u8 => Int, |v| i64::from(v);
    bool => Int, |v| i64::from(v);
    Time => Int, |v| v.ms();
    Vec<u8> => Bytes, |v| v;
    &Vec<u8> => Bytes, |v| v.clone();
    &[u8] => Bytes, |v| v.to_vec();
    Digest => Text, |v| v.hex();
    &Digest => Text, |v| v.hex();
    OrgCode => Text, |v| v.to_string();
    &OrgCode => Text, |v| v.to_string();
    CaseCode => Text, |v| v.to_string();
    &CaseCode => Text, |v| v.to_string();
    ProcedureCode => Text, |v| v.to_string();
    &ProcedureCode => Text, |v| v.to_string();
    AreaCode => Text, |v| v.to_string();
    &AreaCode => Text, |v| v.to_string();
    PersonalNumber => Text, |v| v.as_str().to_owned();
    &PersonalNumber => Text, |v| v.as_str().to_owned();
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

impl Value {
    pub(crate) fn into_driver(self) -> sea_orm::Value {
        match self {
            Self::Text(v) => v.into(),
            Self::Int(v) => v.into(),
            Self::Bytes(v) => v.into(),
        }
    }
}

/// One row of an answer. A column that is missing or of another kind is our fault: the problem's
/// cause names it as `table.column`.
#[derive(Debug)]
pub struct Row {
    inner: QueryResult,
    sql: &'static str,
}

impl Row {
    pub(crate) const fn new(inner: QueryResult, sql: &'static str) -> Self {
        Self { inner, sql }
    }

    /// A `text` column.
    ///
    /// # Errors
    /// Internal, when the column is missing, null or of another kind.
    pub fn text(&self, column: &str) -> Result<String, Problem> {
        self.opt_text(column)?.ok_or_else(|| self.bad(column, "null"))
    }

    /// A `bigint` column.
    ///
    /// # Errors
    /// Internal, when the column is missing, null or of another kind.
    pub fn int(&self, column: &str) -> Result<i64, Problem> {
        self.opt_int(column)?.ok_or_else(|| self.bad(column, "null"))
    }

    /// A `bigint` column that counts something.
    ///
    /// # Errors
    /// Internal, when the column is missing, null, negative or of another kind.
    pub fn count(&self, column: &str) -> Result<u64, Problem> {
        u64::try_from(self.int(column)?).map_err(|_| self.bad(column, "negative"))
    }

    /// A `bytea` column.
    ///
    /// # Errors
    /// Internal, when the column is missing, null or of another kind.
    pub fn bytes(&self, column: &str) -> Result<Vec<u8>, Problem> {
        self.opt_bytes(column)?.ok_or_else(|| self.bad(column, "null"))
    }

    /// A `text` column that may be null.
    ///
    /// # Errors
    /// Internal, when the column is missing or of another kind.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>, Problem> {
        self.get::<String>(column)
    }

    /// A `bigint` column that may be null.
    ///
    /// # Errors
    /// Internal, when the column is missing or of another kind.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, Problem> {
        // PostgreSQL types a bare literal as a 4-byte integer.
        self.get::<i64>(column)
            .or_else(|problem| match self.get::<i32>(column) {
                Ok(value) => Ok(value.map(i64::from)),
                Err(_) => Err(problem),
            })
    }

    /// A `bytea` column that may be null.
    ///
    /// # Errors
    /// Internal, when the column is missing or of another kind.
    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.get::<Vec<u8>>(column)
    }

    /// A `text` column that holds JSON of a type.
    ///
    /// # Errors
    /// Internal, when the column is missing, null or not that JSON.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Problem> {
        serde_json::from_str(&self.text(column)?).map_err(|e| self.bad(column, &e.to_string()))
    }

    /// A `text` column that holds a code or another value with one reading.
    ///
    /// # Errors
    /// Internal, when the column is missing, null or does not read.
    pub fn parse<T: std::str::FromStr>(&self, column: &str) -> Result<T, Problem> {
        self.text(column)?
            .parse()
            .map_err(|_| self.bad(column, "does not read"))
    }

    /// A `bigint` column that holds an instant.
    ///
    /// # Errors
    /// Internal, when the column is missing, null or of another kind.
    pub fn time(&self, column: &str) -> Result<Time, Problem> {
        self.int(column).map(Time)
    }

    /// A `text` column that holds a SHA-256 value.
    ///
    /// # Errors
    /// Internal, when the column is missing, null or not 64 hex digits.
    pub fn digest(&self, column: &str) -> Result<Digest, Problem> {
        Digest::parse(&self.text(column)?).ok_or_else(|| self.bad(column, "not a SHA-256 value"))
    }

    fn get<T: sea_orm::TryGetable>(&self, column: &str) -> Result<Option<T>, Problem> {
        match self.inner.try_get_by_nullable::<T, _>(column) {
            Ok(value) => Ok(Some(value)),
            Err(TryGetError::Null(_)) => Ok(None),
            Err(TryGetError::DbErr(e)) => Err(self.bad(column, &e.to_string())),
        }
    }

    fn bad(&self, column: &str, why: &str) -> Problem {
        Problem::internal(format_args!("bad row: {}.{column}: {why}", table_of(self.sql)))
    }
}

/// The first table a statement names, for the log.
fn table_of(sql: &'static str) -> &'static str {
    let mut words = sql.split_whitespace();
    while let Some(word) = words.next() {
        if matches!(word, "from" | "into" | "update") {
            let named = words.next().unwrap_or("?");
            return named
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or("?");
        }
    }
    "?"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind_when_they_are_null() {
        assert_eq!(Value::from(None::<i64>), Value::Int(None));
        assert_eq!(Value::from(Some("a")), Value::Text(Some("a".to_owned())));
        assert_eq!(
            params![1_u64, "x", true],
            vec![Value::Int(Some(1)), Value::from("x"), Value::Int(Some(1))]
        );
        assert_eq!(Value::from(u64::MAX), Value::Int(Some(i64::MAX)));
    }

    #[test]
    fn a_bad_row_is_named_by_its_table() {
        assert_eq!(
            table_of("select code from cases_case where tenant = $1"),
            "cases_case"
        );
        assert_eq!(
            table_of("insert into store_facts(tenant) values ($1)"),
            "store_facts"
        );
    }
}
