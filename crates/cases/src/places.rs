//! Communes found by what a person types: a code, `Xã Hoằng Hóa`, `hoang hoa, thanh hoa`. Never
//! guesses between two of the same name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use directory::areas::Areas;
use kernel::text::fold;
use kernel::{AreaCode, Date};

/// An index over the communes of a day, made anew when the day changes.
pub struct Places {
    areas: Arc<Areas>,
    index: Mutex<Option<(Date, Arc<Index>)>>,
}

/// Communes by folded name, with and without their kind.
type Index = HashMap<String, Vec<AreaCode>>;

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Places")
    }
}

impl Places {
    /// Over the pack's areas.
    #[must_use]
    pub fn new(areas: Arc<Areas>) -> Self {
        Self {
            areas,
            index: Mutex::new(None),
        }
    }

    /// The communes that a typed text can mean on a day: none, one, or several of the same name.
    #[must_use]
    pub fn find(&self, typed: &str, on: Date) -> Vec<AreaCode> {
        if let Ok(code) = typed.trim().parse::<AreaCode>() {
            let known = self.is_commune(&code, on);
            return if known { vec![code] } else { Vec::new() };
        }
        let (name, province) = match typed.rsplit_once(',') {
            Some((name, province)) => (fold(name), Some(fold(province))),
            None => (fold(typed), None),
        };
        let index = self.index(on);
        let found = index.get(&name).map_or(&[][..], Vec::as_slice);
        let within = |code: &&AreaCode| match &province {
            None => true,
            Some(wanted) => self
                .areas
                .province(code, on)
                .is_some_and(|p| fold(&p.full_name) == *wanted || fold(p.name()) == *wanted),
        };
        found.iter().filter(within).cloned().collect()
    }

    /// True for a commune of a day's list.
    #[must_use]
    pub fn is_commune(&self, code: &AreaCode, on: Date) -> bool {
        code.as_str().len() == 5 && self.areas.area(code, on).is_some()
    }

    /// The province in which a commune lies on a day.
    #[must_use]
    pub fn province(&self, code: &AreaCode, on: Date) -> Option<AreaCode> {
        self.areas
            .province(code, on)
            .map(|province| province.code.clone())
    }

    /// The provinces of a day: code and whole name.
    #[must_use]
    pub fn provinces(&self, on: Date) -> Vec<(AreaCode, String)> {
        let provinces = self.areas.children(None, on).into_iter();
        provinces
            .map(|area| (area.code.clone(), area.full_name.to_string()))
            .collect()
    }

    /// The whole names of a province's communes on a day.
    #[must_use]
    pub fn communes(&self, province: &AreaCode, on: Date) -> Vec<String> {
        let communes = self.areas.communes(province, on).into_iter();
        communes.map(|area| area.full_name.to_string()).collect()
    }

    /// `Xã Hoằng Hóa, Tỉnh Thanh Hóa`.
    #[must_use]
    pub fn full_name(&self, code: &AreaCode, on: Date) -> String {
        self.areas.full_path(code, on)
    }

    fn index(&self, on: Date) -> Arc<Index> {
        let mut kept = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((day, index)) = &*kept
            && *day == on
        {
            return Arc::clone(index);
        }
        let index = Arc::new(index(&self.areas, on));
        *kept = Some((on, Arc::clone(&index)));
        index
    }
}

fn index(areas: &Areas, on: Date) -> Index {
    let mut index = Index::new();
    for province in areas.children(None, on) {
        for area in areas.communes(&province.code, on) {
            let (whole, short) = (fold(&area.full_name), fold(area.name()));
            if whole != short {
                index.entry(short).or_default().push(area.code.clone());
            }
            index.entry(whole).or_default().push(area.code.clone());
        }
    }
    index
}
