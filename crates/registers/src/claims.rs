//! What only one record of a register may have: one act a child. A claim is taken in the write that begins an
//! act, and goes on to another when that act is taken back. Never holds what the fields say, only their digest.

use kernel::text::fold;
use kernel::{Digest, Kind, Problem};
use serde_json::{Map, Value};
use store::Tx;

use crate::enter::Acts;
use crate::record::State;
use crate::schema::{Unique, text_at};
use crate::service::standing;
use crate::store as rows;

/// The digest of a claim's fields, however they are written; none where one is not known.
fn digest(unique: &Unique, body: &Map<String, Value>) -> Option<Digest> {
    let mut all = String::new();
    for field in &unique.fields {
        let text = fold(text_at(body, field)?);
        if text.is_empty() {
            return None;
        }
        all.push_str(&text);
        all.push('\n');
    }
    Some(Digest::of(all.as_bytes()))
}

/// Takes what a record claims, under its key.
///
/// # Errors
/// `record-act-there` (409) with number and book of the first act, when another record that stands has it.
pub(crate) async fn take(
    tx: &Tx,
    acts: &Acts<'_>,
    key: &str,
    body: &Map<String, Value>,
) -> Result<(), Problem> {
    let register = &acts.schema.code;
    rows::release_claims(tx, register, key).await?;
    for unique in &acts.schema.unique {
        let Some(value) = digest(unique, body) else {
            continue;
        };
        let holder = rows::claim(tx, register, (unique.name.as_str(), &value), key).await?;
        if holder == key {
            continue;
        }
        let (believed, _) = rows::believed(tx, register, &holder).await?;
        if let Some(first) = standing(&believed).filter(|first| first.state != State::Withdrawn) {
            let of = |field: &str| text_at(&first.body, field).unwrap_or("–").to_owned();
            return Err(Problem::new(Kind::Conflict, "record-act-there")
                .with("act", of(&acts.numbering.text))
                .with("book", of(&acts.numbering.book)));
        }
        rows::pass_claim(tx, register, (unique.name.as_str(), &value), key).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{Fail, House, birth_body};
    use crate::schema::put;

    const MOTHERS: &str = "H56.14857-261121-0001";
    const FATHERS: &str = "H56.14870-261121-0001";

    /// The same child, filed by the other parent at another commune, its name typed another way.
    fn by_the_father() -> Map<String, Value> {
        let mut body = birth_body(FATHERS);
        put(&mut body, "book", "H56.14870".into());
        put(&mut body, "child.full_name", "LÊ THỊ  MẪU CON".into());
        body
    }

    #[tokio::test]
    async fn a_child_has_one_act_whichever_parent_asks_for_a_second() {
        let house = House::new().await;
        let first = house.enter(MOTHERS).await.expect("the first act");
        let refused = house.enter_body(by_the_father()).await.expect_err("a second one");
        assert_eq!((refused.code, refused.kind), ("record-act-there", Kind::Conflict));
        let told = |name: &str| {
            let found = refused.args.iter().find(|(arg, _)| *arg == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        assert_eq!(
            (json!(told("act")), told("book")),
            (first["act_number"].clone(), "H56.14857".to_owned())
        );
        assert_eq!((house.acts().await.len(), house.living_numbers().await), (1, 1));
        assert_eq!(
            house.enter(MOTHERS).await.expect("again"),
            first,
            "the first one stands"
        );
    }

    #[tokio::test]
    async fn twins_have_an_act_each_and_two_parents_at_once_give_one() {
        let house = House::new().await;
        house.enter(MOTHERS).await.expect("the first twin");
        let mut twin = birth_body("H56.14857-261121-0002");
        put(&mut twin, "child.full_name", "Lê Thị Mẫu Em".into());
        house.enter_body(twin).await.expect("the second twin");
        let house = House::new().await;
        let (a, b) = tokio::join!(house.enter(MOTHERS), house.enter_body(by_the_father()));
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert_eq!(house.living_numbers().await, 1);
    }

    #[tokio::test]
    async fn an_act_that_was_taken_back_leaves_its_child_to_another() {
        let house = House::new().await;
        house.other.fail_always(Fail::Refuse);
        house.enter(MOTHERS).await.expect_err("refused, and withdrawn");
        house.other.work_again();
        house
            .enter_body(by_the_father())
            .await
            .expect("nobody has this child's act");
        let refused = house.enter(MOTHERS).await.expect_err("now it is there");
        assert_eq!(refused.code, "record-act-there");
    }
}
