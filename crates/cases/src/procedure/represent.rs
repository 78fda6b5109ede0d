//! Whom a case of a procedure may be filed for by somebody else (đại diện), and by which proofs. Pure; which registers say
//! who speaks for whom, and from which day, the pack says (`codes/mandates.toml`).

use serde::{Deserialize, Serialize};

use super::Procedure;

/// Who is represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// A child, by its father or mother (đại diện theo pháp luật của con chưa thành niên).
    Child,
    /// A company, by its legal representative (người đại diện theo pháp luật của pháp nhân).
    Company,
    /// A person, by whom they authorised (đại diện theo ủy quyền).
    Person,
}

impl Whom {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Child, Self::Company, Self::Person];

    /// The word in rows, facts and answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Company => "company",
            Self::Person => "person",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|whom| whom.word() == word)
    }
}

/// What shows that somebody may act for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// What a register says.
    Register,
    /// The represented person's own word, in a session of their own.
    Word,
    /// A paper that was uploaded; the desk looks at it.
    Paper,
}

impl Proof {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Register, Self::Word, Self::Paper];

    /// The word in rows, facts and answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Word => "word",
            Self::Paper => "paper",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.word() == word)
    }
}

/// One kind of represented for whom cases may be filed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Represent {
    /// Who is represented.
    pub whom: Whom,
    /// The proofs that are taken.
    pub proofs: Vec<Proof>,
    /// The question that has to be answered with the represented one's personal number or tax code, where one asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Procedure {
    /// What holds for those who act for somebody; nothing where nobody may.
    #[must_use]
    pub fn represents(&self, whom: Whom) -> Option<&Represent> {
        self.represent.iter().find(|one| one.whom == whom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for whom in Whom::ALL {
            assert_eq!(Whom::of(whom.word()), Some(whom));
        }
        for proof in Proof::ALL {
            assert_eq!(Proof::of(proof.word()), Some(proof));
        }
        assert_eq!((Whom::of("x"), Proof::of("")), (None, None));
    }
}
