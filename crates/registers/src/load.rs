//! Filling a register from the pack in bulk: many records a statement, one fact a population with
//! the Merkle root over its records. Never over records that are there: a load cut short is run
//! again, a finished one is skipped.

use directory::people::{Company, Household, Marriage, Person};
use kernel::{Actor, Digest, Fact, Problem, Time};
use seal::merkle;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::schema::{Schema, text_at};
use crate::service::Registers;
use crate::store::{self as rows, LOAD_LINKS, LOAD_RECORDS};

/// Records that one statement carries, count.
const CHUNK_RECORDS: usize = 5_000;

/// One record to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// From when it holds.
    pub since: Time,
    /// The record as JSON text.
    pub body: String,
    /// The values of the schema's links, in their order; empty for a register without links.
    pub links: Vec<String>,
}

/// What a load did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Records of the population.
    pub rows: u64,
    /// The Merkle root (RFC 6962) over the records' JSON texts, in order.
    pub root: Digest,
    /// True when they were there before and nothing was done.
    pub before: bool,
}

impl Registers {
    /// Loads a population into a register, once. `name` stands for all that the records depend on
    /// (their source, count and seed): the same name is the same population.
    ///
    /// # Errors
    /// When the register is not of this node, a key occurs twice, or the store cannot be written.
    pub async fn load_entries<I>(&self, register: &str, name: &str, entries: I) -> Result<Loaded, Problem>
    where
        I: Iterator<Item = Entry> + Send,
    {
        let schema = self
            .schema(register)
            .ok_or_else(|| Problem::internal("not a register of this node"))?;
        if let Some(before) = self.loaded(schema, name).await? {
            return Ok(before);
        }
        let mut load = Load {
            schema,
            name,
            at: self.0.store.world().now(),
            tree: merkle::Frontier::new(),
            rows: 0,
            written: 0,
        };
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            let (records, links) = load.chunk(entries.by_ref().take(CHUNK_RECORDS))?;
            load.written += self.insert(schema, &records, &links).await?;
        }
        self.finish(&load).await
    }

    /// Loads sample households into the registers of people, marriages and companies that this node keeps.
    /// `households` makes the same ones each time it is called; `name` stands for them as in
    /// [`Registers::load_entries`].
    ///
    /// # Errors
    /// As [`Registers::load_entries`].
    pub async fn load_people<F, I>(&self, name: &str, households: F) -> Result<Vec<Loaded>, Problem>
    where
        F: Fn() -> I + Send + Sync,
        I: Iterator<Item = Household> + Send,
    {
        let mut all = Vec::new();
        if self.schema("population").is_some() {
            let people = households()
                .flat_map(|h| [h.mother, h.father].into_iter().chain(h.children))
                .map(Entry::from);
            all.push(self.load_entries("population", name, people).await?);
        }
        if self.schema("marriage").is_some() {
            let marriages = households().map(|h| Entry::from(h.marriage));
            all.push(self.load_entries("marriage", name, marriages).await?);
        }
        if self.schema("business").is_some() {
            let companies = directory::people::companies(households()).map(Entry::from);
            all.push(self.load_entries("business", name, companies).await?);
        }
        Ok(all)
    }

    async fn loaded(&self, schema: &Schema, name: &str) -> Result<Option<Loaded>, Problem> {
        self.0
            .store
            .write(&schema.tenant, &Actor::Platform, |tx| async move {
                let before = rows::loaded(&tx, &schema.code, name).await?;
                Ok(before.map(|(rows, root)| Loaded {
                    rows,
                    root,
                    before: true,
                }))
            })
            .await
    }

    async fn insert(&self, schema: &Schema, records: &str, links: &str) -> Result<u64, Problem> {
        self.0
            .store
            .write(&schema.tenant, &Actor::Platform, |tx| async move {
                let written = tx.bulk_insert(LOAD_RECORDS, records.to_owned()).await?;
                if links != "[]" {
                    tx.bulk_insert(LOAD_LINKS, links.to_owned()).await?;
                }
                Ok(written)
            })
            .await
    }

    async fn finish(&self, load: &Load<'_>) -> Result<Loaded, Problem> {
        let (schema, name, count, root) = (load.schema, load.name, load.rows, load.tree.root());
        self.0
            .store
            .write(&schema.tenant, &Actor::Platform, |tx| async move {
                // Counting takes time; it is needed only when a load before this one was cut short.
                let there = match load.written {
                    written if written == count => written,
                    _ => rows::count_of_source(&tx, &schema.code, name).await?,
                };
                if there != count {
                    let why =
                        format!("{name}: {count} records were given, {there} are there: a key occurs twice");
                    return Err(Problem::internal(why));
                }
                rows::keep_loaded(&tx, &schema.code, name, count, &root).await?;
                let file = name.to_owned();
                let fact = Fact::PackLoaded {
                    file,
                    rows: count,
                    root,
                };
                tx.fact(&format!("pack/{}/{name}", schema.code), fact).await?;
                Ok(Loaded {
                    rows: count,
                    root,
                    before: false,
                })
            })
            .await
    }
}

impl Entry {
    /// An entry from a record's fields.
    ///
    /// # Errors
    /// When it has no key, or no day from which it holds.
    pub fn of(schema: &Schema, body: &Map<String, Value>) -> Result<Self, Problem> {
        let missing = |field: &str| Problem::invalid(field, "record-field-required");
        let key = text_at(body, &schema.key).ok_or_else(|| missing(&schema.key))?;
        let since = text_at(body, &schema.since).and_then(kernel::time::parse_iso);
        Ok(Self {
            key: key.to_owned(),
            since: Time::at(since.ok_or_else(|| missing(&schema.since))?, 0),
            body: kernel::digest::canonical_json(body).map_err(Problem::internal)?,
            links: schema
                .links
                .iter()
                .map(|l| text_at(body, &l.field).unwrap_or_default().to_owned())
                .collect(),
        })
    }
}

impl From<Person> for Entry {
    fn from(person: Person) -> Self {
        Self {
            key: person.personal_number.as_str().to_owned(),
            since: Time::at(person.date_of_birth, 0),
            body: person.to_json(),
            links: Vec::new(),
        }
    }
}

impl From<Company> for Entry {
    fn from(company: Company) -> Self {
        Self {
            key: company.tax_code.as_str().to_owned(),
            since: Time::at(company.founded_on, 0),
            body: company.to_json(),
            links: Vec::new(),
        }
    }
}

impl From<Marriage> for Entry {
    fn from(marriage: Marriage) -> Self {
        let numbers = [&marriage.husband_number, &marriage.wife_number];
        Self {
            key: marriage.marriage_number.clone(),
            since: Time::at(marriage.registered_on, 0),
            links: numbers.map(|n| n.as_str().to_owned()).into(),
            body: marriage.to_json(),
        }
    }
}

struct Load<'a> {
    schema: &'a Schema,
    name: &'a str,
    at: Time,
    tree: merkle::Frontier,
    rows: u64,
    /// Rows that were not there before.
    written: u64,
}

impl Load<'_> {
    /// The statements' rows for some entries: records and links, as JSON arrays.
    fn chunk(&mut self, entries: impl Iterator<Item = Entry>) -> Result<(String, String), Problem> {
        let (mut records, mut links) = (JsonRows::new(CHUNK_RECORDS * 1_024), JsonRows::new(0));
        let register = self.schema.code.as_str();
        for entry in entries {
            self.tree.push(merkle::leaf_hash(entry.body.as_bytes()));
            self.rows += 1;
            let since = entry.since.ms();
            records.push(&(register, &entry.key, since, self.at.ms(), self.name, &entry.body))?;
            for (link, value) in self
                .schema
                .links
                .iter()
                .zip(&entry.links)
                .filter(|(_, v)| !v.is_empty())
            {
                links.push(&(register, &link.name, value, &entry.key))?;
            }
        }
        Ok((records.end()?, links.end()?))
    }
}

/// A JSON array that grows row by row.
struct JsonRows(Vec<u8>);

impl JsonRows {
    fn new(capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity + 1);
        bytes.push(b'[');
        Self(bytes)
    }

    fn push<T: Serialize>(&mut self, row: &T) -> Result<(), Problem> {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        serde_json::to_writer(&mut self.0, row).map_err(Problem::internal)
    }

    fn end(mut self) -> Result<String, Problem> {
        self.0.push(b']');
        String::from_utf8(self.0).map_err(Problem::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{House, people, schema};

    fn entries(n: u32) -> Vec<Entry> {
        let person = schema("population");
        people(n)
            .iter()
            .map(|p| Entry::of(&person, p).expect("an entry"))
            .collect()
    }

    #[tokio::test]
    async fn a_population_is_loaded_once_with_one_fact_and_its_root() {
        let house = House::empty().await;
        let all = entries(12_000);
        let first = house
            .registers
            .load_entries("population", "people/12000", all.clone().into_iter())
            .await
            .expect("loaded");
        let leaves: Vec<Digest> = all.iter().map(|e| merkle::leaf_hash(e.body.as_bytes())).collect();
        assert_eq!(
            first,
            Loaded {
                rows: 12_000,
                root: merkle::root(&leaves),
                before: false
            }
        );
        let again = house
            .registers
            .load_entries("population", "people/12000", std::iter::empty())
            .await
            .expect("skipped");
        assert_eq!(
            again,
            Loaded {
                before: true,
                ..first
            }
        );
        let facts = house
            .store()
            .facts_of(&house.g01(), "pack/population/people/12000")
            .await
            .expect("facts");
        assert_eq!(facts.len(), 1);
        assert!(matches!(&facts[0].fact, Fact::PackLoaded { rows: 12_000, root, .. } if *root == first.root));
        assert_eq!(house.rows_in(&house.g01(), "population").await, 12_000);
    }

    #[tokio::test]
    async fn a_load_cut_short_is_ended_by_the_next_one() {
        let house = House::empty().await;
        let schema = schema("population");
        let mut half = Load {
            schema: &schema,
            name: "p",
            at: house.now(),
            tree: merkle::Frontier::new(),
            rows: 0,
            written: 0,
        };
        let (records, links) = half.chunk(entries(40).into_iter()).expect("rows");
        house
            .registers
            .insert(&schema, &records, &links)
            .await
            .expect("the first half");
        let whole = house
            .registers
            .load_entries("population", "p", entries(100).into_iter())
            .await
            .expect("loaded");
        assert_eq!((whole.rows, whole.before), (100, false));
        assert_eq!(house.rows_in(&house.g01(), "population").await, 100);
    }

    #[tokio::test]
    async fn a_key_that_occurs_twice_is_found_out() {
        let house = House::empty().await;
        let twice = entries(3).into_iter().chain(entries(1));
        house
            .registers
            .load_entries("population", "p", twice)
            .await
            .expect_err("twice");
        assert!(
            house
                .store()
                .facts_of(&house.g01(), "pack/population/p")
                .await
                .expect("facts")
                .is_empty()
        );
    }

    #[tokio::test]
    async fn a_number_given_later_never_meets_a_loaded_one() {
        let house = House::unlucky().await;
        let ask = serde_json::json!({"place": "038", "sex": "female", "born": "2026-11-19", "basis": "x"});
        let given = house
            .call("assign-number", &[], Some("a"), ask.clone())
            .await
            .expect("a number");
        let other = House::unlucky_with(given["personal_number"].as_str().expect("a number")).await;
        let problem = other
            .call("assign-number", &[], Some("a"), ask)
            .await
            .expect_err("loaded before");
        assert_eq!(problem.code, "record-numbers-used-up");
    }

    #[tokio::test]
    async fn the_packs_people_are_what_the_schemas_say() {
        let areas = directory::Areas::load(&crate::fixtures::pack()).expect("the pack");
        let (person, marriage) = (schema("population"), schema("marriage"));
        let today = testkit::START.date();
        for household in directory::people::people(&areas, 1, 3_000) {
            for one in household.people() {
                let record = one.record();
                assert_eq!(crate::check::whole(&person, &record, today), Ok(record.clone()));
                assert_eq!(Entry::of(&person, &record), Ok(Entry::from(one.clone())));
            }
            let record = household.marriage.record();
            assert_eq!(crate::check::whole(&marriage, &record, today), Ok(record.clone()));
            assert_eq!(Entry::of(&marriage, &record), Ok(Entry::from(household.marriage)));
        }
        let business = schema("business");
        for company in directory::people::companies(directory::people::people(&areas, 1, 3_000)) {
            let record = company.record();
            assert_eq!(crate::check::whole(&business, &record, today), Ok(record.clone()));
            assert_eq!(Entry::of(&business, &record), Ok(Entry::from(company)));
        }
    }

    #[tokio::test]
    async fn a_sample_couple_is_found_in_both_registers() {
        let house = House::empty().await;
        let areas = directory::Areas::load(&crate::fixtures::pack()).expect("the pack");
        let sample = || directory::people::people(&areas, 1, 2_000);
        let loaded = house
            .registers
            .load_people("sample/1/2000", sample)
            .await
            .expect("loaded");
        assert_eq!((loaded.len(), loaded[0].rows), (3, 2_000));
        assert_eq!(loaded[1].rows, sample().count() as u64);
        let mother = directory::people::SAMPLE_MOTHER;
        let ask = serde_json::json!({"wife_number": mother});
        let fields = ["husband_number"];
        let found = house
            .call("marriage-lookup", &fields, None, ask)
            .await
            .expect("married");
        assert_eq!(
            found["record"]["husband_number"],
            directory::people::SAMPLE_FATHER
        );
        let ask = serde_json::json!({"personal_number": mother});
        let found = house
            .call("person-lookup", &["residence.commune"], None, ask)
            .await
            .expect("there");
        assert_eq!(
            found["record"]["residence"]["commune"],
            directory::people::SAMPLE_COMMUNE
        );
    }
}
