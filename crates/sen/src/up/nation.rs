//! The sample nation: three nodes, their tenants, systems and ports. Facts about a country stand in
//! its pack; this is only how one machine is divided.

use kernel::OrgCode;

/// A node's place in the nation; also its offset from the first port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The national portal and the directory hub.
    National = 0,
    /// The population register, the identity provider, the civil-status register.
    Ministry = 1,
    /// A province's one-stop desks.
    Province = 2,
}

/// All places, in the order of their ports.
pub const PLACES: [Place; 3] = [Place::National, Place::Ministry, Place::Province];

/// A node's addresses on one machine.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The portal.
    pub portal: u16,
    /// The information-system face.
    pub face: u16,
    /// Node to node.
    pub peer: u16,
    /// Health and metrics.
    pub health: u16,
}

/// Where the simulators begin, counted from the first port.
pub const SIMULATORS: u16 = 30;

impl Place {
    /// The node's id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::National => "national",
            Self::Ministry => "ministry",
            Self::Province => "province",
        }
    }

    /// Reads an id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        PLACES.into_iter().find(|p| p.id() == id)
    }

    /// The node's tenants; the first holds the node's own rows and its sessions.
    #[must_use]
    pub fn tenants(self) -> Vec<OrgCode> {
        let codes: &[&str] = match self {
            Self::National => &["G22"],
            Self::Ministry => &["G01", "G12", "G15"],
            Self::Province => &["H56"],
        };
        codes
            .iter()
            .map(|c| c.parse().expect("a code of the sample nation"))
            .collect()
    }

    /// The systems of the node's tenants and the services each offers.
    #[must_use]
    pub const fn systems(self) -> &'static [(&'static str, &'static str, &'static [&'static str])] {
        match self {
            Self::National => &[(
                "G22",
                "portal",
                &[
                    "note-status",
                    "case-digests",
                    "restate-case",
                    "dong-bo-ho-so-mc",
                    "cap-nhat-tien-do-ho-so-mc",
                    "tra-cuu-ho-so",
                    "lay-thu-tuc",
                    "dong-bo-danh-gia",
                    "dong-bo-hoi-dap",
                    "dong-bo-thong-ke-ho-so",
                ],
            )],
            Self::Ministry => &[
                (
                    "G01",
                    "population",
                    &[
                        "person-lookup",
                        "assign-number",
                        "release-number",
                        "register-residence",
                        "withdraw-residence",
                    ],
                ),
                (
                    "G15",
                    "civil-status",
                    &["marriage-lookup", "birth-lookup", "enter-birth", "withdraw-birth"],
                ),
                ("G12", "social-insurance", &["issue-card", "card-lookup"]),
                ("G12", "business", &["business-lookup"]),
            ],
            Self::Province => &[("H56", "one-stop", &["receive-case", "take-submission"])],
        }
    }

    /// The node's ports, counted from the first one (`sen up --port`).
    #[must_use]
    pub const fn ports(self, first: u16) -> Ports {
        let n = self as u16;
        Ports {
            portal: first + n,
            face: first + 10 + n,
            peer: first + 20 + n,
            health: first + 40 + n,
        }
    }

    /// The portal's address, without a slash at the end.
    #[must_use]
    pub fn url(self, first: u16) -> String {
        format!("http://127.0.0.1:{}", self.ports(first).portal)
    }
}
