//! The operations of a node's description, as the sweep goes through them. Reads the description
//! only: what it does not say, the sweep does not know.

use serde_json::Value;

/// One operation of a description.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// `GET`, `POST` …
    pub method: String,
    /// The path with its parameters, `/cases/{code}`.
    pub path: String,
    /// Who may call it; `None` for everybody.
    pub roles: Option<Vec<String>>,
    /// The facts it says it leaves.
    pub facts: Vec<String>,
    /// The media type of its body; empty when it takes none.
    pub media: String,
}

impl Operation {
    /// True when the operation changes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        !self.facts.is_empty()
    }

    /// True when programs call it: its refusals are JSON with a status, not pages.
    #[must_use]
    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// `POST /cases/{code}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The operations of a description, in the order of their paths.
#[must_use]
pub fn operations(description: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().into_iter().flatten() {
        for method in ["get", "head", "post", "put", "patch", "delete"] {
            if let Some(said) = item.get(method) {
                all.push(operation(method, path, said));
            }
        }
    }
    all.sort();
    all
}

fn operation(method: &str, path: &str, said: &Value) -> Operation {
    let texts = |list: &Value| -> Vec<String> {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|t| t.as_str().map(str::to_owned))
            .collect()
    };
    let content = said["requestBody"]["content"].as_object();
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        roles: said["security"]
            .as_array()
            .and_then(|list| Some(texts(list.iter().find_map(|s| s.get("session"))?))),
        facts: texts(&said["x-facts"]),
        media: content.and_then(|c| c.keys().next().cloned()).unwrap_or_default(),
    }
}
