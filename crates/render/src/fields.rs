//! Which fields of its data a template names, read from its text. Never draws; a field that is named
//! only through a function's parameter is found by drawing alone.

use std::collections::BTreeSet;

use typst::syntax::ast::{self, AstNode, Expr};
use typst::syntax::{Source, SyntaxNode};

use crate::templates::Templates;
use crate::world::{DATA, File};

/// A field that a template names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedField {
    /// Its line in the template, from 1.
    pub line: u64,
    /// The way to it: `["child", "full_name"]`.
    pub path: Vec<String>,
}

impl Templates {
    /// The fields that a template names, by line; empty for a name that no template has.
    #[must_use]
    pub fn fields(&self, template: &str) -> Vec<NamedField> {
        let Some(File::Source(source)) = self.file(template) else {
            return Vec::new();
        };
        let mut names = BTreeSet::new();
        bindings(source.root(), &mut names);
        let mut found = BTreeSet::new();
        chains(source, source.root(), &names, &mut found);
        found.into_iter().collect()
    }
}

/// The names that hold the data: `#let data = json("data.json")`.
fn bindings(node: &SyntaxNode, names: &mut BTreeSet<String>) {
    if let Some(binding) = node.cast::<ast::LetBinding>()
        && let Some(Expr::FuncCall(call)) = binding.init()
        && matches!(call.callee(), Expr::Ident(name) if name.as_str() == "json")
        && call
            .args()
            .items()
            .any(|arg| matches!(arg, ast::Arg::Pos(Expr::Str(text)) if text.get() == DATA))
    {
        names.extend(
            binding
                .kind()
                .bindings()
                .iter()
                .map(|name| name.as_str().to_owned()),
        );
    }
    for child in node.children() {
        bindings(child, names);
    }
}

fn chains(source: &Source, node: &SyntaxNode, names: &BTreeSet<String>, found: &mut BTreeSet<NamedField>) {
    // `data.papers.map(…)` names `papers`: what is called is a method.
    let callee = node.cast::<ast::FuncCall>().map(ast::FuncCall::callee);
    let access = match callee {
        Some(Expr::FieldAccess(access)) => match access.target() {
            Expr::FieldAccess(target) => Some(target),
            _ => None,
        },
        Some(_) => None,
        None => node.cast::<ast::FieldAccess>(),
    };
    if let Some(access) = access
        && let Some(path) = path(access, names)
    {
        let byte = source.find(access.span()).map_or(0, |node| node.range().start);
        let line = source.lines().byte_to_line(byte).unwrap_or(0) as u64 + 1;
        found.insert(NamedField { line, path });
    }
    for child in node.children() {
        let called = callee.is_some_and(|c| std::ptr::eq(c.to_untyped(), child));
        if called {
            // The method's name is no field; what it is called on was noted above.
            match child.cast::<ast::FieldAccess>().map(ast::FieldAccess::target) {
                Some(Expr::FieldAccess(noted)) => {
                    let below = noted.to_untyped().children();
                    below.for_each(|below| chains(source, below, names, found));
                }
                Some(target) => chains(source, target.to_untyped(), names, found),
                None => {}
            }
        } else if path_of(child, names).is_some() && node.cast::<ast::FieldAccess>().is_some() {
            // The shorter beginning of a chain that was noted whole.
        } else {
            chains(source, child, names, found);
        }
    }
}

fn path_of(node: &SyntaxNode, names: &BTreeSet<String>) -> Option<Vec<String>> {
    path(node.cast::<ast::FieldAccess>()?, names)
}

/// The way of a chain of fields that begins at the data.
fn path(access: ast::FieldAccess<'_>, names: &BTreeSet<String>) -> Option<Vec<String>> {
    let mut path = match access.target() {
        Expr::Ident(name) if names.contains(name.as_str()) => Vec::new(),
        Expr::FieldAccess(inner) => self::path(inner, names)?,
        _ => return None,
    };
    path.push(access.field().as_str().to_owned());
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_a_template_names_is_found_with_its_line_and_no_method_is() {
        let text = "#let data = json(\"data.json\")\n#data.a.b\n#data.list.map(x => x.c).join()\n#{\n  let y = data.d\n  text(str(data.e.f))\n}\n#other.z\n";
        let templates = Templates::new([("t.typ".to_owned(), text.as_bytes().to_vec())]).expect("a template");
        let found: Vec<(u64, String)> = templates
            .fields("t.typ")
            .into_iter()
            .map(|f| (f.line, f.path.join(".")))
            .collect();
        let expected = [(2, "a.b"), (3, "list"), (5, "d"), (6, "e.f")];
        assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
    }
}
