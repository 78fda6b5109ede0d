//! What every request may use: texts, world, limits, the node's face and who checks sign-ins.
//! Never anything that belongs to one request: see [`crate::page::Page`].

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kernel::limits::Limits;
use kernel::{Time, World};

use crate::auth::{Authenticate, Principal};
use crate::i18n::Texts;

/// Handed to every handler by `present`; cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// Every text of the node, both languages.
    pub texts: Arc<Texts>,
    /// Clock and chance.
    pub world: World,
    /// The bounds in force.
    pub limits: Arc<Limits>,
    /// What the node looks like.
    pub node: NodeFace,
    /// Finds who is signed in.
    pub authenticate: Arc<dyn Authenticate>,
}

/// What a node looks like to a person.
#[derive(Clone, Debug, Default)]
pub struct NodeFace {
    /// The node's id, the suffix of its cookies' names: browsers share cookies between ports.
    pub id: String,
    /// Key of the node's title in the header.
    pub title_key: String,
    /// The header's links, left to right.
    pub nav: Vec<NavItem>,
    /// Origins besides our own that a form's answer may lead to (sign-in at another node),
    /// `http://127.0.0.1:8081`; they go into the content security policy.
    pub form_targets: Vec<String>,
    /// Counts beside links of the header.
    pub marks: Marks,
    /// What stands above pages while something is not as ever.
    pub banners: Banners,
}

/// A count that stands beside a link of the header: what waits there for who is signed in.
#[async_trait]
pub trait Mark: Send + Sync {
    /// Where the link leads.
    fn href(&self) -> &'static str;

    /// How many wait for somebody, 100 for more than 99; 0 for none, and when it cannot be said.
    async fn count(&self, user: &Principal) -> u64;
}

/// The counts of a node.
#[derive(Clone, Default)]
pub struct Marks(pub Vec<Arc<dyn Mark>>);

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|mark| mark.href()))
            .finish()
    }
}

impl Marks {
    /// What waits for somebody, by link.
    pub(crate) async fn of(&self, user: Option<&Principal>) -> Vec<(&'static str, u64)> {
        let Some(user) = user else {
            return Vec::new();
        };
        let mut counted = Vec::new();
        for mark in &self.0 {
            let count = mark.count(user).await;
            if count > 0 {
                counted.push((mark.href(), count));
            }
        }
        counted
    }
}

/// What stands above the pages of a place while something there is not as ever.
#[async_trait]
pub trait Banner: Send + Sync {
    /// At and below which address its pages are: `/desk`.
    fn above(&self) -> &'static str;

    /// What it says to somebody; nothing while all is as ever, and when it cannot be said.
    async fn told(&self, user: &Principal) -> Option<BannerText>;
}

/// What a banner says, in the words of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BannerText {
    /// Key of the text.
    pub key: &'static str,
    /// What fills its places.
    pub args: Vec<(&'static str, String)>,
    /// The instant that fills its place `since`, as the reader's language writes it.
    pub since: Option<Time>,
    /// Where more of it stands, and the key of that link's text.
    pub more: (&'static str, &'static str),
}

/// The banners of a node.
#[derive(Clone, Default)]
pub struct Banners(pub Vec<Arc<dyn Banner>>);

impl std::fmt::Debug for Banners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let above = self.0.iter().map(|banner| banner.above());
        f.debug_list().entries(above).finish()
    }
}

impl Banners {
    /// What is said to somebody above the page at an address.
    pub(crate) async fn of(&self, user: Option<&Principal>, path: &str) -> Vec<BannerText> {
        let Some(user) = user else {
            return Vec::new();
        };
        let mut told = Vec::new();
        for banner in self.0.iter().filter(|banner| is_within(path, banner.above())) {
            told.extend(banner.told(user).await);
        }
        told
    }
}

/// True for an address and everything below it.
pub(crate) fn is_within(path: &str, href: &str) -> bool {
    path == href || (href != "/" && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
}

impl NodeFace {
    /// A face with an id and a title and no links.
    #[must_use]
    pub fn new(id: &str, title_key: &str) -> Self {
        Self {
            id: id.to_owned(),
            title_key: title_key.to_owned(),
            ..Self::default()
        }
    }

    /// The full name of one of this node's cookies: `session-national`.
    #[must_use]
    pub fn cookie(&self, name: &str) -> String {
        format!("{name}-{}", self.id)
    }
}

/// One link of the header.
#[derive(Clone, Debug)]
pub struct NavItem {
    /// Where it leads.
    pub href: String,
    /// Key of its text.
    pub key: String,
    /// Shown only to who has this role; to everyone when `None`.
    pub role: Option<String>,
    /// Paths besides `href` whose pages belong to it, so that it is lit there too.
    pub also: &'static [&'static str],
}

impl NavItem {
    /// A link to the pages at and below one address.
    #[must_use]
    pub fn new(href: &str, key: &str, role: Option<&str>) -> Self {
        Self {
            href: href.to_owned(),
            key: key.to_owned(),
            role: role.map(str::to_owned),
            also: &[],
        }
    }

    /// With other addresses whose pages belong to it.
    #[must_use]
    pub const fn with(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Shared {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Shared {
    /// The shared things of a request that went through `present`.
    ///
    /// # Panics
    /// When the router was not wrapped by [`crate::present()`]: a wiring fault, seen on first start.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        parts
            .extensions
            .get::<Self>()
            .expect("every router is wrapped by web::present")
            .clone()
    }
}
