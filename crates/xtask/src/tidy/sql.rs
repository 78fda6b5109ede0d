//! How SQL is written: static text, and every crate in its own tables. A crate's tables carry its name.

use anyhow::Result;

use super::{Tree, crate_of, line_of, literals};

/// Macros that would build a statement.
const BUILDERS: &[&str] = &["format", "format_args", "write", "writeln", "concat"];

/// Statements with a name in them, which cannot be a parameter: a schema is made and dropped, the
/// tables of a restore that was refused are taken away; each name is checked before.
const NAMED: &[(&str, &[&str])] = &[
    (
        "crates/store/src/engine/postgres.rs",
        &[
            "create schema if not exists {",
            "drop schema if exists {",
            "drop schema {",
        ],
    ),
    ("crates/store/src/backup/copy.rs", &["drop table {"]),
];

/// No crate's SQL names another crate's table.
pub(crate) fn tables(tree: &Tree) -> Result<Vec<String>> {
    let owned: Vec<(&str, &str)> = migrations(tree)
        .flat_map(|(owner, _, sql)| made(sql).map(move |table| (owner, table)))
        .collect();
    let mut faults = Vec::new();
    for (owner, path, sql) in migrations(tree) {
        for table in made(sql).filter(|table| !table.starts_with(&format!("{owner}_"))) {
            faults.push(format!(
                "{path}: the table {table} does not carry its crate's name"
            ));
        }
        faults.extend(
            strangers(owner, sql, &owned).map(|table| format!("{path}: {table} is another crate's table")),
        );
    }
    for (path, text) in tree.ending(".rs") {
        let Some(owner) = crate_of(path).filter(|name| *name != "xtask") else {
            continue;
        };
        for literal in literals::literals(text).iter().filter(|l| is_sql(l.text)) {
            let line = line_of(text, literal.at);
            faults.extend(
                strangers(owner, literal.text, &owned)
                    .map(|table| format!("{path}:{line}: {table} is another crate's table")),
            );
        }
    }
    Ok(faults)
}

/// No statement is put together from pieces.
pub(crate) fn built(tree: &Tree) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (path, text) in tree
        .ending(".rs")
        .filter(|(path, _)| crate_of(path) != Some("xtask"))
    {
        let named = NAMED
            .iter()
            .find(|(file, _)| *file == path)
            .map_or(&[][..], |(_, list)| list);
        for literal in literals::literals(text) {
            let is_built = literal.of_macro.is_some_and(|name| BUILDERS.contains(&name));
            if is_built && is_sql(literal.text) && !named.iter().any(|begin| literal.text.starts_with(begin))
            {
                faults.push(format!(
                    "{path}:{}: a statement is built; write it out with parameters",
                    line_of(text, literal.at)
                ));
            }
        }
    }
    Ok(faults)
}

fn migrations(tree: &Tree) -> impl Iterator<Item = (&str, &str, &str)> {
    tree.ending(".sql")
        .filter_map(|(path, text)| Some((crate_of(path)?, path, text)))
}

/// The tables that a migration makes.
fn made(sql: &str) -> impl Iterator<Item = &str> {
    let words: Vec<&str> = words(sql).collect();
    let mut tables = Vec::new();
    for window in words.windows(3) {
        if let [create, table, name] = window
            && create.eq_ignore_ascii_case("create")
            && table.eq_ignore_ascii_case("table")
        {
            tables.push(*name);
        }
    }
    tables.into_iter()
}

/// Tables in a statement that belong to somebody else.
fn strangers<'t>(
    owner: &'t str,
    sql: &'t str,
    owned: &'t [(&'t str, &'t str)],
) -> impl Iterator<Item = &'t str> {
    words(sql).filter(move |word| {
        owned
            .iter()
            .any(|(other, table)| table == word && *other != owner)
    })
}

fn words(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// A statement begins with its verb and goes on with the word that belongs to it.
fn is_sql(text: &str) -> bool {
    let text = text
        .trim_start()
        .trim_start_matches(['\\', '\n', ' '])
        .to_ascii_lowercase();
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some("insert"), Some("into")) | (Some("delete"), Some("from")) => true,
        (Some("create" | "drop" | "alter" | "truncate"), Some(what)) => {
            ["table", "index", "schema", "unique", "view"].contains(&what)
        }
        (Some("select"), Some(_)) => {
            text.contains(" from ") || text.contains("$1") || text.contains("(") || text.contains('{')
        }
        (Some("update"), Some(_)) => text.contains(" set "),
        (Some("with"), Some(_)) => text.contains(" as ("),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    const CASES: (&str, &str) = (
        "crates/cases/migrations/0001.sql",
        "create table cases_cases (tenant text)",
    );
    const PEOPLE: (&str, &str) = (
        "crates/registers/migrations/0001.sql",
        "create table registers_records (tenant text)",
    );

    #[test]
    fn no_crate_reads_another_crates_table() {
        let own = (
            "crates/cases/src/store.rs",
            r#"const A: &str = "select code from cases_cases";"#,
        );
        let other = (
            "crates/cases/src/x.rs",
            r#"const A: &str = "select body from registers_records where tenant = $1";"#,
        );
        let said = (
            "crates/cases/src/y.rs",
            "// select from registers_records\nfn f() {}",
        );
        assert!(
            tables(&tree(&[CASES, PEOPLE, own, said]))
                .expect("read")
                .is_empty()
        );
        let faults = tables(&tree(&[CASES, PEOPLE, other])).expect("read");
        assert_eq!(
            faults,
            ["crates/cases/src/x.rs:1: registers_records is another crate's table"]
        );
    }

    #[test]
    fn a_table_carries_its_crates_name() {
        let bad = (
            "crates/cases/migrations/0002.sql",
            "create table papers (tenant text)",
        );
        assert_eq!(tables(&tree(&[bad])).expect("read").len(), 1);
    }

    #[test]
    fn a_statement_is_never_built() {
        let check = |source: &str, count: usize| {
            let faults = built(&tree(&[("crates/cases/src/store.rs", source)])).expect("read");
            assert_eq!(faults.len(), count, "{source}");
        };
        check(r#"let a = format!("select code from {table}");"#, 1);
        check(
            r#"let a = format!("delete from cases_cases where code = '{code}'");"#,
            1,
        );
        check(r#"let a = "select code from cases_cases where code = $1";"#, 0);
        check(r#"let a = format!("update the {thing}");"#, 0);
        check(r#"let a = format!("create {thing}");"#, 0);
    }
}
