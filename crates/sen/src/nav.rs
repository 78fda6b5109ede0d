//! The links of a node's header that every node has: the operator's pages and the public ones. Never the
//! links of one face: those are where the face is put together.

use web::shared::NavItem;

/// What every node has, in the order of the header.
pub(crate) fn of_every_node() -> Vec<NavItem> {
    let operator = |href, key| NavItem::new(href, key, Some("operator"));
    vec![
        operator("/exchange/agreements", "sen-nav-agreements")
            .with(&["/exchange/allowed", "/exchange/delegations"]),
        operator("/exchange/members", "sen-nav-members").with(&[
            "/exchange/registrations",
            "/exchange/trust",
            "/exchange/groups",
            "/exchange/federation",
        ]),
        operator("/exchange/services", "sen-nav-services").with(&["/exchange/clients"]),
        operator("/exchange/evidence", "sen-nav-evidence").with(&["/exchange/refusals"]),
        operator("/exchange/traffic", "sen-nav-traffic").with(&["/exchange/monitoring"]),
        operator("/exchange/standing", "sen-nav-standing").with(&["/exchange/audit", "/keys"]),
        NavItem::new("/boards", "sen-nav-figures", None),
        NavItem::new("/verify", "sen-nav-verify", None),
    ]
}
