//! What the nodes of one process share, read once from the pack. Never a node's own thing.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use directory::{Areas, Calendars, Organisations};

/// What nodes of one process share: read once from the pack.
#[derive(Clone)]
pub struct Country {
    /// Administrative units.
    pub areas: Arc<Areas>,
    /// Organisations.
    pub organisations: Arc<Organisations>,
    /// Calendars.
    pub calendars: Arc<Calendars>,
    /// Procedures.
    pub catalogue: Arc<cases::Catalogue>,
    /// Targets, published figures and the grid of the boards.
    pub indicators: Arc<indicators::Pack>,
    /// Document templates.
    pub templates: render::Templates,
    /// All texts of the platform.
    pub texts: Arc<web::i18n::Texts>,
}

impl Country {
    /// Reads a pack.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub fn read(pack: &Path) -> anyhow::Result<Self> {
        let areas = Arc::new(Areas::load(pack)?);
        let organisations = Arc::new(Organisations::load(pack, &areas)?);
        let texts = web::i18n::Texts::new(&crate::wiring::texts())
            .map_err(|faults| anyhow::anyhow!("texts are incomplete:\n{}", faults.join("\n")))?;
        let catalogue = cases::Catalogue::load(pack)?;
        let mut indicators = indicators::Pack::load(pack)?;
        for (code, from, level) in catalogue.levels() {
            indicators.levels.set(&code, from, level_of(level));
        }
        Ok(Self {
            organisations,
            calendars: Arc::new(Calendars::load(pack)?),
            catalogue: Arc::new(catalogue),
            indicators: Arc::new(indicators),
            templates: templates(pack)?,
            texts: Arc::new(texts),
            areas,
        })
    }
}

/// How far a procedure can be done online, as the boards name it.
fn level_of(level: cases::catalogue::level::Online) -> indicators::levels::OnlineLevel {
    use cases::catalogue::level::Online;
    use indicators::levels::OnlineLevel;
    match level {
        Online::Full => OnlineLevel::Full,
        Online::Partial => OnlineLevel::Partial,
        Online::Information => OnlineLevel::Unstated,
    }
}

fn templates(pack: &Path) -> anyhow::Result<render::Templates> {
    let folder = pack.join("templates");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "typ") {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            files.push((name, std::fs::read(&path)?));
        }
    }
    Ok(render::Templates::new(files)?)
}
